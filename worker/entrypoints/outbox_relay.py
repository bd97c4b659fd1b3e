"""Keeps the relay going: it sends what a crash or an outage left in the outbox."""

import asyncio
import logging
from typing import Protocol

log = logging.getLogger(__name__)


class Relay(Protocol):
    async def run_while_active(self, pause_s: float) -> None: ...


async def run_relay(relay: Relay, *, pause_s: float) -> None:
    """Takes part in the election until it is cancelled; a lost connection means a new one."""
    while True:
        try:
            await relay.run_while_active(pause_s)
        except ConnectionError as error:
            log.warning("the relay waits: %s", error)
        except Exception:
            log.exception("the relay stumbled and starts again")
        await asyncio.sleep(pause_s)
