"""Many cases at once, one case in order: a lane for each thing that work is about, while there is work for it.

A slow case (a payment that takes seconds) holds its own lane and nobody else's.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

from worker.application.reachable import until_reachable

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


class Lanes:
    """`limit` is how much work may be held in memory before `room` makes its caller wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lanes: dict[str, deque[tuple[Hashable, Job]]] = {}
        self._held: set[Hashable] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def held(self) -> int:
        return len(self._held)

    def submit(self, lane: str, name: Hashable, job: Job) -> bool:
        """Puts a job at the end of its lane. Work that is held already (by `name`) is not taken twice: False."""
        if name in self._held:
            return False
        self._held.add(name)
        waiting = self._lanes.get(lane)
        if waiting is not None:
            waiting.append((name, job))
            return True
        self._lanes[lane] = deque([(name, job)])
        task = asyncio.create_task(self._run(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def room(self) -> None:
        """Returns when less than the limit is held: whoever brings more work waits here."""
        while len(self._held) >= self._limit:
            await self._a_change()

    async def idle(self) -> None:
        """Returns when nothing is held."""
        while self._held:
            await self._a_change()

    async def cancel(self) -> None:
        """Lets go of everything; the leases of what was held run out, and others take it up."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _a_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _run(self, lane: str) -> None:
        waiting = self._lanes[lane]
        try:
            while waiting:
                name, job = waiting.popleft()
                try:
                    # Each job may be repeated safely.
                    await until_reachable(job)
                except Exception:
                    log.exception("work failed; it is taken up again when its lease runs out")
                finally:
                    self._held.discard(name)
                    self._changed.set()
        finally:
            self._held.difference_update(name for name, _ in waiting)
            del self._lanes[lane]
            self._changed.set()
