"""What somebody means to do later, each thing at its time; or all of it at once when there is no time left."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from itertools import count
from operator import itemgetter

Deed = Callable[[], Awaitable[None]]


class Agenda:
    """Things that are due run side by side, at most `at_a_time` of them. It runs from `open` to `close`."""

    def __init__(self, *, at_a_time: int = 32) -> None:
        self._deeds: list[tuple[float, int, Deed]] = []
        self._numbers = count()
        self._changed = asyncio.Event()
        self._free = asyncio.Semaphore(at_a_time)
        self._under_way: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    def open(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Drops what is still to come. Raises what went wrong."""
        if self._running is not None:
            self._running.cancel()
        for deed in self._under_way:
            deed.cancel()
        await asyncio.gather(*self._under_way, *([self._running] if self._running else ()), return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    def after(self, seconds: float, deed: Deed) -> None:
        heapq.heappush(self._deeds, (time.monotonic() + seconds, next(self._numbers), deed))
        self._changed.set()

    def all_now(self) -> None:
        """Everything that was put off is due, in its order."""
        now = time.monotonic()
        in_order = sorted(self._deeds, key=itemgetter(0, 1))
        self._deeds = [(min(due, now), next(self._numbers), deed) for due, _, deed in in_order]
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            while self._deeds and self._deeds[0][0] <= time.monotonic():
                await self._free.acquire()
                _, _, deed = heapq.heappop(self._deeds)
                doing = asyncio.create_task(self._do(deed))
                self._under_way.add(doing)
                doing.add_done_callback(self._under_way.discard)
            if not self._deeds:
                await self._changed.wait()
                continue
            wait = max(0.0, self._deeds[0][0] - time.monotonic())
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _do(self, deed: Deed) -> None:
        try:
            await deed()
        except Exception as error:
            self._failure = self._failure or error
        finally:
            self._free.release()
