"""How many cases a second one worker concludes on this machine, at this time, when it is never without work."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.endurance_traffic import Traffic
from benchmarks.load import BenchmarkFailed
from benchmarks.stack import fresh_place
from benchmarks.systems import SIGNOFF, running_workers
from worker.adapters.embedded.stack import EmbeddedStack

OWED = 400
"""Cases that it always has to do; people's waits come on top. Fewer than `SIGNOFF_IN_FLIGHT`, so all are in lanes."""

WARM_UP_S = 15.0
"""Longer than the longest wait for a person, so that answers flow as they will later."""

SPANS = 9
SPAN_S = 5.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """Cases a second: over all the time, and in the slowest and fastest span of five seconds."""

    sustainable: float
    slowest: float
    fastest: float

    def as_row(self) -> dict[str, Any]:
        return asdict(self) | {"seconds": SPANS * SPAN_S, "always_owed": OWED}


def capacity(spans: list[tuple[int, float]]) -> Capacity:
    """`spans`: how many outcomes came in how many seconds. Raises BenchmarkFailed when none came at all."""
    outcomes = sum(count for count, _ in spans)
    if not outcomes:
        raise BenchmarkFailed("the worker concluded nothing in a minute of constant work")
    rates = [count / seconds for count, seconds in spans]
    over_all = outcomes / sum(seconds for _, seconds in spans)
    return Capacity(round(over_all, 1), round(min(rates), 1), round(max(rates), 1))


def measure_capacity(stack: EmbeddedStack, say: Callable[[str], None]) -> Capacity:
    """A minute, on a worker and a database of its own, so that it leaves no trace in what comes after."""
    with (
        fresh_place(stack, f"capacity-{int(time.time())}") as place,
        running_workers(SIGNOFF, place, 1) as workers,
        Traffic(place, workers.check) as traffic,
    ):
        traffic.keep_owed(OWED)
        time.sleep(WARM_UP_S)
        traffic.window()
        spans = [_span(traffic) for _ in range(SPANS)]
        traffic.drain()
    found = capacity(spans)
    say(f"sustainable: {found.sustainable:.0f} cases/s ({found.slowest:.0f}-{found.fastest:.0f})")
    return found


def _span(traffic: Traffic) -> tuple[int, float]:
    began = time.monotonic()
    time.sleep(SPAN_S)
    return traffic.window().outcomes, time.monotonic() - began
