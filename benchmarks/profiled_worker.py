"""`signoff run` with a profiler inside: what `profile_worker` starts in place of the command.

`BENCHMARK_PROFILE` names the file to write, `BENCHMARK_METHOD` says how to look:

- `samples`: a sampler driven by the CPU clock of this process, so waiting costs nothing and shows nowhere. A signal
  handler runs between two bytecodes of the main thread, so time inside a C function counts for its caller, or for
  what that calls next: right for layers and for whole calls, a little off for single functions.
- `calls`: cProfile, which counts every call and knows C functions by name, and slows small functions down. It is
  switched on by SIGUSR1 and off by SIGUSR2.
"""

import cProfile
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from worker.cli.run import run

INTERVAL_S = 0.001
DEPTH = 60

Place = tuple[str, str, int]
"""File, function and line."""


class Samples:
    """Each sample is the moment it was taken and the stack, innermost frame first."""

    def __init__(self) -> None:
        self._stacks: dict[tuple[Place, ...], int] = {}
        self._taken: list[tuple[float, int]] = []

    def take(self, number: int, frame: FrameType | None) -> None:
        places: list[Place] = []
        while frame is not None and len(places) < DEPTH:
            code = frame.f_code
            places.append((code.co_filename, getattr(code, "co_qualname", code.co_name), frame.f_lineno))
            frame = frame.f_back
        stack = self._stacks.setdefault(tuple(places), len(self._stacks))
        self._taken.append((time.monotonic(), stack))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps({"stacks": list(self._stacks), "taken": self._taken}))


def sampled(work: Callable[[], None], path: Path) -> None:
    samples = Samples()
    signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        samples.write(path)


def counted(work: Callable[[], None], path: Path) -> None:
    profile = cProfile.Profile()
    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, lambda *_: profile.disable())
    try:
        work()
    finally:
        profile.disable()
        profile.dump_stats(path)


if __name__ == "__main__":
    method = {"samples": sampled, "calls": counted}[os.environ["BENCHMARK_METHOD"]]
    method(run, Path(os.environ["BENCHMARK_PROFILE"]))
