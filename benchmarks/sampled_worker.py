"""`signoff run` with a stack sampler inside: what `profile_worker` starts in place of the command.

The sampler is driven by the CPU clock of this process, so waiting costs nothing and shows nowhere. A signal handler
runs between two bytecodes of the main thread: time inside a C function counts for the line that called it.
"""

import json
import os
import signal
import sys
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
            places.append((code.co_filename, code.co_qualname, frame.f_lineno))
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


if __name__ == "__main__":
    sampled(run, Path(os.environ.pop("BENCHMARK_SAMPLES")))
    sys.exit(0)
