"""One repetition of the workload "round-trips" for one system."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from benchmarks.accounting import cpu_seconds, database_bytes, machine_busy_seconds
from benchmarks.load import BenchmarkFailed, Load
from benchmarks.stack import fresh_place
from benchmarks.systems import System, running_workers
from worker.adapters.embedded.stack import EmbeddedStack

WARM_UP = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, processor seconds and bytes of `count` round trips, and the latencies of some more."""

    count: int
    intake_s: float
    decision_s: float
    worker_cpu_s: float
    postgres_cpu_s: float
    kafka_cpu_s: float
    foreign_cpu_share: float
    bytes_waiting: int
    bytes_finished: int
    latencies_s: list[float]

    @property
    def round_trips_per_s(self) -> float:
        return self.count / (self.intake_s + self.decision_s)


@dataclass(frozen=True, slots=True)
class Size:
    """`count` round trips as fast as they go; then `paced` more, decided at `rate` a second, for the latency."""

    count: int
    paced: int
    rate: float


def repeat_once(stack: EmbeddedStack, system: System, workers: int, size: Size, name: str) -> Measured:
    """Raises BenchmarkFailed when an outcome is missing, wrong or doubled."""
    kafka_pid, postgres_pid = stack.pids
    with (
        fresh_place(stack, name) as place,
        running_workers(system, place, workers) as running,
        Load(place, running.check) as load,
    ):
        first = WARM_UP + size.count
        _round_trips(load, range(WARM_UP))
        empty = database_bytes(place.database)

        def used() -> tuple[float, float, float]:
            return cpu_seconds(running.pids), cpu_seconds([postgres_pid]), cpu_seconds([kafka_pid])

        numbers = range(WARM_UP, first)
        foreign = _foreign_share(stack, running.pids)
        before = used()
        intake_s = load.raise_exceptions(numbers)
        waiting = database_bytes(place.database)
        decision_s = load.approve(numbers)
        share = foreign()
        time.sleep(1)  # what a worker does after the last event (marking, committing) belongs to its cost
        worker_cpu, postgres_cpu, kafka_cpu = (now - then for now, then in zip(used(), before, strict=True))
        finished = database_bytes(place.database)
        paced = range(first, first + size.paced)
        load.raise_exceptions(paced)
        latencies = load.approve_at(size.rate, paced) if size.paced else []
        if load.repeated:
            raise BenchmarkFailed(f"{load.repeated} events came twice, though nothing was killed")
        return Measured(
            count=size.count,
            intake_s=intake_s,
            decision_s=decision_s,
            worker_cpu_s=worker_cpu,
            postgres_cpu_s=postgres_cpu,
            kafka_cpu_s=kafka_cpu,
            foreign_cpu_share=share,
            bytes_waiting=waiting - empty,
            bytes_finished=finished - empty,
            latencies_s=latencies,
        )


def _round_trips(load: Load, numbers: range) -> None:
    load.raise_exceptions(numbers)
    load.approve(numbers)


def _foreign_share(stack: EmbeddedStack, workers: list[int]) -> Callable[[], float]:
    """Call it later to learn which share of the machine others used meanwhile: near 0 on a quiet machine."""
    ours = [os.getpid(), *stack.pids, *workers]
    began, busy, own = time.monotonic(), machine_busy_seconds(), cpu_seconds(ours)

    def share() -> float:
        others = (machine_busy_seconds() - busy) - (cpu_seconds(ours) - own)
        return max(0.0, others / ((time.monotonic() - began) * (psutil.cpu_count() or 1)))

    return share
