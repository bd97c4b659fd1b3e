"""The workers of a `signoff up`: processes of `signoff run`, started again when they die."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from worker.adapters.embedded.processes import ChildProcess, Command
from worker.cli.failure import Failure
from worker.cli.readiness import NOTIFY_SOCKET, ReadinessReports

QUICK_S = 10.0
"""A worker that dies younger than this has not recovered from its last death."""

PAUSES_S = (0.0, 0.5, 1.0, 2.0)
"""Before the next start, by how many quick deaths came in a row; after one more we give up."""

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
LOOK_EVERY_S = 0.05

Say = Callable[[str], None]


class CrewMember:
    """One worker. `keep` keeps it alive until it is cancelled; `stop` ends it then."""

    def __init__(
        self, number: int, data: Path, environment: Mapping[str, str], reports: ReadinessReports, say: Say
    ) -> None:
        self.name = f"up-{number}"
        self.log = data / "logs" / f"worker-{number}.log"
        self.ready = asyncio.Event()
        self._pid_file = data / f"worker-{number}.pid"
        self._environment = {
            **environment,
            "SIGNOFF_WORKER_ID": self.name,
            NOTIFY_SOCKET: reports.address,
        }
        self._reports = reports
        self._say = say
        self._process: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def keep(self) -> None:
        """Raises Failure, with the worker's last words, when it cannot live."""
        quick_deaths = 0
        while True:
            began = time.monotonic()
            process = self._start()
            code = await self._work(process)
            quick_deaths = quick_deaths + 1 if time.monotonic() - began < QUICK_S else 1
            if quick_deaths > len(PAUSES_S):
                raise Failure(
                    f"worker {self.name} died {quick_deaths} times in a row, each time within {QUICK_S:.0f} s; "
                    f"its last words, from {self.log}:\n{process.log_tail()}"
                )
            self._say(f"worker {self.name} (process {process.pid}) {_how_it_ended(code)}; starting it again")
            await asyncio.sleep(PAUSES_S[quick_deaths - 1])

    def stop(self) -> None:
        """Blocks until it has put away what it held."""
        if self._process:
            self._process.stop(STOP_WITHIN_S)

    def _start(self) -> ChildProcess:
        self._process = ChildProcess(
            Command(
                name=self.name,
                # -P: a folder named `worker` where the user happens to stand is not our package.
                arguments=[sys.executable, "-P", "-m", "worker", "run"],
                directory=Path.cwd(),
                log=self.log,
                pid_file=self._pid_file,
                stop_signal=signal.SIGTERM,
                environment=self._environment,
                keep_log=self._process is not None,
            )
        )
        return self._process

    async def _work(self, process: ChildProcess) -> int:
        """Returns the exit code of a worker that ended; one that does not get ready in time is ended."""
        telling = asyncio.create_task(self._tell_when_ready(process))
        unready_until = time.monotonic() + READY_WITHIN_S
        try:
            while (code := process.exit_code) is None:
                if not telling.done() and time.monotonic() > unready_until:
                    raise Failure(
                        f"worker {self.name} is not ready after {READY_WITHIN_S:.0f} s; "
                        f"its last words, from {self.log}:\n{process.log_tail()}"
                    )
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            telling.cancel()
        return code

    async def _tell_when_ready(self, process: ChildProcess) -> None:
        await self._reports.of(process.pid)
        if self.ready.is_set():
            self._say(f"worker {self.name} is back (process {process.pid})")
        self.ready.set()


class Crew:
    """The workers of one session, on the services that `environment` names."""

    def __init__(
        self, size: int, data: Path, environment: Mapping[str, str], reports: ReadinessReports, say: Say
    ) -> None:
        (data / "logs").mkdir(parents=True, exist_ok=True)
        everything = {**os.environ, **environment}
        self.members = [CrewMember(number, data, everything, reports, say) for number in range(size)]

    async def ready(self) -> None:
        """Returns when each of them has been ready once."""
        await asyncio.gather(*(member.ready.wait() for member in self.members))

    async def stop(self) -> None:
        """End all of them side by side."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        with ThreadPoolExecutor(len(self.members), thread_name_prefix="crew") as pool:
            list(pool.map(CrewMember.stop, self.members))


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
