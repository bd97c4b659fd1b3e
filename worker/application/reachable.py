"""A database that cannot be reached is waited for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

log = logging.getLogger(__name__)

Result = TypeVar("Result")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0


async def until_reachable(work: Callable[[], Awaitable[Result]]) -> Result:
    """Repeats what raises ConnectionError, at growing pauses; it must be safe to repeat."""
    pause = FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except ConnectionError as error:
            log.warning("waiting for the database: %s", error)
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE_S, pause * 2)
