"""The workers of a run: started, armed, killed, stopped, set wrong, and what they said when they died."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.chaos.history import History

PATIENCE_S = 60.0


class Nursery:
    """Starts workers as copies of one process that has loaded everything (see `nursery.py`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._births: asyncio.Queue[int] = asyncio.Queue()
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> None:
        with (self._folder / "nursery.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.chaos.nursery",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._listening

    async def start(self, environment: Mapping[str, str], log: Path, clock: Path) -> tuple[int, "asyncio.Future[int]"]:
        """The worker's process number, and a future that is its exit status, negative for a signal."""
        async with self._one_at_a_time:
            order = {"environment": dict(environment), "log": str(log), "clock": str(clock)}
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            await self._process.stdin.drain()
            async with asyncio.timeout(PATIENCE_S):
                pid = await self._births.get()
            return pid, self._ends[pid]

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "started" in said:
                self._ends[said["started"]] = asyncio.get_running_loop().create_future()
                self._births.put_nowait(said["started"])
            else:
                self._ends.pop(said["ended"]).set_result(said["status"])


@dataclass
class ChaosWorker:
    """One name that workers run under, one after the other."""

    name: str
    environment: Mapping[str, str]
    nursery: Nursery
    history: History
    folder: Path
    pid: int | None = None
    _ended: "asyncio.Future[int] | None" = None
    _log_read: int = 0

    @property
    def log(self) -> Path:
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def clock(self) -> Path:
        return self.folder / f"{self.name}.clock"

    @property
    def is_known(self) -> bool:
        """Whether it was ever started."""
        return self._ended is not None

    @property
    def is_running(self) -> bool:
        return self._ended is not None and not self._ended.done()

    async def start(self, failpoints: str = "", **environment: str) -> None:
        """`failpoints` as SIGNOFF_FAILPOINTS takes them; `environment` beside the usual one, for this start only."""
        self.log.parent.mkdir(exist_ok=True)
        armed = {"SIGNOFF_FAILPOINTS": failpoints, "SIGNOFF_ALLOW_FAILPOINTS": "true"} if failpoints else {}
        self.pid, self._ended = await self.nursery.start(
            {**self.environment, **environment, **armed}, self.log, self.clock
        )
        self.history.tell("worker-started", worker=self.name, pid=self.pid, failpoints=failpoints)

    async def end(self) -> int:
        """Waits until it has ended, and tells how."""
        assert self._ended is not None
        status = await asyncio.shield(self._ended)
        self.read_log()
        how = {"signal": signal.Signals(-status).name} if status < 0 else {"code": status}
        self.history.tell("worker-ended", worker=self.name, pid=self.pid, **how)
        return status

    def send(self, number: signal.Signals) -> None:
        if self.is_running and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def is_stopped(self) -> bool:
        """True as soon as the system says that it is stopped; False when it has ended."""
        pid = self.pid
        while self.is_running and self.pid == pid:
            with contextlib.suppress(psutil.Error):
                if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                    self.read_log()
                    return True
            await asyncio.sleep(0.05)
        return False

    def set_clock(self, offset_s: float) -> None:
        self.clock.write_text(str(offset_s))
        self.send(signal.SIGUSR2)

    def read_log(self) -> None:
        """Tells of the failpoints that it named since the last look."""
        if not self.log.exists():
            return
        with self.log.open("rb") as log:
            log.seek(self._log_read)
            said = log.read()
        complete = said.rfind(b"\n") + 1
        self._log_read += complete
        for line in said[:complete].splitlines():
            if line.startswith(b'{"failpoint"'):
                hit: dict[str, Any] = json.loads(line)
                self.history.tell("failpoint", worker=self.name, **hit)
