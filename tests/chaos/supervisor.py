"""Starts each worker again when it has died, as whatever supervises processes does; sometimes armed to die again."""

import asyncio
import contextlib
import random
import signal
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.chaos.processes import PATIENCE_S, ChaosWorker
from tests.chaos.recovery import Recovery

LATE_S = 0.6
"""The longest that a start is put off."""

LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Arms:
    """What the next worker to start is armed with; one that stops goes on after some seconds."""

    failpoint: str
    count: int
    fault: str = "kill"
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.failpoint}={self.count}:{self.fault}"


class Supervisor:
    """`async with Supervisor(workers, …)`: they run, whatever becomes of them."""

    def __init__(self, workers: Sequence[ChaosWorker], recovery: Recovery, dice: random.Random) -> None:
        self._workers, self._recovery, self._dice = workers, recovery, dice
        self._arms: deque[Arms] = deque()
        self._armed: set[str] = set()
        self._may_start = asyncio.Event()
        self._may_start.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for worker in self._workers:
            self._begin(self._keep(worker))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def arm(self, arms: Arms) -> None:
        self._arms.append(arms)

    def victim(self) -> ChaosWorker:
        """Anybody who runs; rather not one that is to die at a failpoint anyway."""
        running = [worker for worker in self._workers if worker.is_running] or list(self._workers)
        return self._dice.choice([worker for worker in running if worker.name not in self._armed] or running)

    def calm(self) -> None:
        """Nobody is armed any more."""
        self._arms.clear()
        for worker in self._workers:
            worker.send(signal.SIGCONT)
            if worker.name in self._armed:
                worker.send(signal.SIGTERM)

    @contextlib.asynccontextmanager
    async def all_down(self) -> AsyncIterator[None]:
        """They are asked to stop, and start again afterwards."""
        self._may_start.clear()
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                for worker in self._workers:
                    worker.send(signal.SIGCONT)
                    worker.send(number)
                if await self._are_down():
                    break
            yield
        finally:
            self._may_start.set()

    async def _are_down(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S / 2):
                while any(worker.is_running for worker in self._workers):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_AGAIN_S)
                return True
        return False

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, worker: ChaosWorker) -> None:
        while True:
            if worker.is_known:
                status = await worker.end()
                self._armed.discard(worker.name)
                if status == -signal.SIGKILL:
                    async with self._recovery.measured("kill", worker.name):
                        await asyncio.sleep(self._dice.choice([0, 0, LATE_S]))
                        await self._start(worker)
                    continue
            await self._start(worker)

    async def _start(self, worker: ChaosWorker) -> None:
        await self._may_start.wait()
        arms = self._arms.popleft() if self._arms else None
        if arms is None:
            await worker.start()
            return
        self._armed.add(worker.name)
        await worker.start(str(arms))
        if arms.fault == "stop":
            self._begin(self._let_it_go_on(worker, arms.seconds))

    async def _let_it_go_on(self, worker: ChaosWorker, seconds: float) -> None:
        """After others have taken over, as if nothing had happened."""
        if await worker.is_stopped():
            await asyncio.sleep(seconds)
            worker.send(signal.SIGCONT)
        self._armed.discard(worker.name)
