"""Taking turns about figures that many cases depend on at once.

Of all units that looked at the same figures one is committed, so a hundred exceptions of one customer that arrive
together would each be computed up to a hundred times. Whoever lost once waits for its turn instead. That is for speed
and in this process only; what keeps the figures right is their version in the store.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager


class Turns:
    """One holder for each key at a time, in the order in which they asked."""

    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}

    def contended(self, keys: Iterable[str]) -> bool:
        """Whether somebody holds one of these keys, or waits for it."""
        return any(key in self._queues for key in keys)

    @asynccontextmanager
    async def take(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Holds all of the keys. They are asked for in one order, so that no two wait for each other."""
        async with AsyncExitStack() as held:
            for key in sorted(set(keys)):
                await held.enter_async_context(self._take(key))
            yield

    @asynccontextmanager
    async def _take(self, key: str) -> AsyncIterator[None]:
        queue = self._queues.setdefault(key, asyncio.Lock())
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            async with queue:
                yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._queues[key]
