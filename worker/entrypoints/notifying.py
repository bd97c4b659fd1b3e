"""Keeps notifications going out, each endpoint by itself: one that is slow or dead holds up no other."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger(__name__)


class Notifier(Protocol):
    @property
    def endpoints(self) -> Sequence[str]: ...

    async def deliver_due(self, endpoint: str) -> bool:
        """Whether there may be more to send at once."""
        ...


async def run_notifier(notifier: Notifier, *, pause_s: float) -> None:
    """Looks for due notifications every `pause_s` until it is cancelled; a database that is away is waited for."""
    async with asyncio.TaskGroup() as group:
        for endpoint in notifier.endpoints:
            group.create_task(_serve(notifier, endpoint, pause_s), name=f"notify-{endpoint}")


async def _serve(notifier: Notifier, endpoint: str, pause_s: float) -> None:
    while True:
        more = False
        try:
            more = await notifier.deliver_due(endpoint)
        except ConnectionError as error:
            log.warning("notifications for %s wait for the database: %s", endpoint, error)
        except Exception:
            log.exception("notifying %s stumbled and goes on", endpoint)
        if not more:
            await asyncio.sleep(pause_s)
