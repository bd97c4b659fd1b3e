"""Many callers, one round trip: what arrives while a batch is under way makes up the next one.

Nothing waits for a batch to fill. An idle database serves each call at once; a busy one finds a larger batch each
time it comes back, so that the cost of a call falls as the load rises.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Run = Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]]


class Batcher(Generic[Item, Answer]):
    """Calls `run` with up to `size` items at a time, at most `parallel` batches at once.

    `run` gives one answer for each item, in order; an exception among them is raised for that item's caller alone,
    one that `run` itself raises for all of the batch.
    """

    def __init__(self, run: Run[Item, Answer], *, size: int, parallel: int = 1) -> None:
        self._run = run
        self._size = size
        self._idle = parallel
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._idle:
            self._idle -= 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _work(self) -> None:
        try:
            # One turn of the loop lets every caller that is ready now join the first batch.
            await asyncio.sleep(0)
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
                await self._serve(batch)
        finally:
            self._idle += 1

    async def _serve(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._run([item for item, _ in batch])
        except Exception as error:
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
