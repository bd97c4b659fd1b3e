"""One look at everything that could grow: the worker's process, its connections, its backlog, and the tables."""

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import psutil
import psycopg
from confluent_kafka import Consumer, TopicPartition

from benchmarks.accounting import cpu_seconds, machine_busy_seconds
from benchmarks.endurance_traffic import Traffic, Window
from benchmarks.load import QUIET
from benchmarks.stack import PARTITIONS, Place
from worker.adapters.embedded.stack import EmbeddedStack

INPUTS = ("order-exceptions", "review-decisions")
BROKER_TIMEOUT_S = 60.0

CONNECTIONS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
UNFINISHED = """
SELECT
    (SELECT count(*) FROM inbox WHERE finished_at IS NULL),
    (SELECT count(*) FROM outbox WHERE published_at IS NULL),
    (SELECT count(*) FROM intents WHERE finished_at IS NULL),
    (SELECT count(*) FROM cases WHERE finished_at IS NULL),
    (SELECT count(*) FROM checkpoints)
        + (SELECT count(*) FROM checkpoint_blobs) + (SELECT count(*) FROM checkpoint_writes),
    pg_database_size(current_database())
"""
TABLES = """
SELECT relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid), autovacuum_count
FROM pg_stat_user_tables
"""

Numbers = dict[str, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """`at` in seconds since the run began. `tables`: of each table its live and dead rows, bytes with indexes and
    TOAST, and how often autovacuum has been there."""

    at: float
    numbers: Numbers
    tables: dict[str, Numbers]


class Sampler:
    """Looks at one place. Costs are those since the look before. Use it in a `with`: it keeps connections."""

    def __init__(self, stack: EmbeddedStack, place: Place, workers: list[int], traffic: Traffic) -> None:
        self._kafka_pid, self._postgres_pid = stack.pids
        self._place = place
        self._workers = workers
        self._traffic = traffic
        self._began = self._looked = time.monotonic()
        self._used = self._cpu_seconds()

    def __enter__(self) -> Self:
        self._database = psycopg.connect(self._place.database, autocommit=True)
        group = {"group.id": self._place.prefix + "signoff", "enable.auto.commit": False}
        self._consumer = Consumer({**QUIET, "bootstrap.servers": self._place.kafka, **group})
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()
        self._database.close()

    def take(self) -> Sample:
        window = self._traffic.window()
        numbers = {
            **self._processes(),
            **self._backlog(),
            **self._costs(window),
            **_latencies(window),
            "load_average": round(os.getloadavg()[0], 2),
            "load_late_ms": _ms(window.late_s),
        }
        return Sample(round(time.monotonic() - self._began, 1), numbers, self._tables())

    def _processes(self) -> Numbers:
        """Private is what no other process shares: of PostgreSQL's processes all but shared buffers and program.

        Those of PostgreSQL that count are the worker's connections: autovacuum's come and go.
        """
        workers = _family(self._workers)
        backends = [pid for (pid,) in self._database.execute(CONNECTIONS)]
        return {
            "worker_rss_bytes": _resident(workers),
            "worker_private_bytes": _private(workers),
            "worker_handles": sum(process.num_fds() for process in workers),
            "worker_threads": sum(process.num_threads() for process in workers),
            "connections": len(backends),
            "connections_private_bytes": _private(_family(backends)),
            "kafka_rss_bytes": _resident(_family([self._kafka_pid])),
        }

    def _backlog(self) -> Numbers:
        inbox, outbox, intents, cases, checkpoint_rows, size = self._counts()
        return {
            "consumer_lag": self._lag(),
            "owed_cases": self._traffic.owed,
            "inbox_unfinished": inbox,
            "outbox_unpublished": outbox,
            "intents_unfinished": intents,
            "open_cases": cases,
            "checkpoint_rows": checkpoint_rows,
            "database_bytes": size,
        }

    def _lag(self) -> int:
        """Records of both input topics behind the group's committed offsets. The consumer never joins the group."""
        topics = [self._place.prefix + topic for topic in INPUTS]
        parts = [TopicPartition(topic, partition) for topic in topics for partition in range(PARTITIONS)]
        lag = 0
        for committed in self._consumer.committed(parts, timeout=BROKER_TIMEOUT_S):
            low, high = self._consumer.get_watermark_offsets(committed, timeout=BROKER_TIMEOUT_S)
            lag += high - (committed.offset if committed.offset >= 0 else low)
        return lag

    def _costs(self, window: Window) -> Numbers:
        """Processor time of a case, and the share of the machine that neither we nor our load used."""
        now, used = time.monotonic(), self._cpu_seconds()
        seconds = now - self._looked
        worker, postgres, ours, machine = (after - before for after, before in zip(used, self._used, strict=True))
        self._looked, self._used = now, used
        foreign = max(0.0, machine - ours) / (seconds * (psutil.cpu_count() or 1))
        cases = max(1, window.outcomes)
        return {
            "raised_per_s": round(window.raised / seconds, 2),
            "outcomes_per_s": round(window.outcomes / seconds, 2),
            "worker_cpu_ms_a_case": round(worker / cases * 1000, 3),
            "postgres_cpu_ms_a_case": round(postgres / cases * 1000, 3),
            "foreign_cpu_share": round(foreign, 3),
        }

    def _cpu_seconds(self) -> tuple[float, float, float, float]:
        """Of the worker, of PostgreSQL, of all that belongs to this run, and of the whole machine."""
        worker, postgres = cpu_seconds(self._workers), cpu_seconds([self._postgres_pid])
        others = _own_cpu(os.getpid()) + cpu_seconds([self._kafka_pid])
        return worker, postgres, worker + postgres + others, machine_busy_seconds()

    def _tables(self) -> dict[str, Numbers]:
        return {
            name: {"live": live, "dead": dead, "bytes": size, "autovacuums": autovacuums}
            for name, live, dead, size, autovacuums in self._database.execute(TABLES)
        }

    def _counts(self) -> tuple[int, ...]:
        (row,) = self._database.execute(UNFINISHED)
        return tuple(row)


def _own_cpu(pid: int) -> float:
    """Of one process without those below it."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _family(pids: Iterable[int]) -> list[psutil.Process]:
    """These processes and all below them. A connection may have ended since we heard of it."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            found += [root, *root.children(recursive=True)]
    return found


def _resident(processes: Iterable[psutil.Process]) -> int:
    return sum(memory.rss for memory in _memory(processes))


def _private(processes: Iterable[psutil.Process]) -> int:
    """Where the system does not tell what is shared, all that is resident."""
    return sum(memory.rss - getattr(memory, "shared", 0) for memory in _memory(processes))


def _memory(processes: Iterable[psutil.Process]) -> list[Any]:
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(process.memory_info())
    return found


def _latencies(window: Window) -> Numbers:
    """Of this window; a window without any has 0."""
    spans = {"automatic": window.automatic_s, "question": window.asked_s, "decision": window.decided_s}
    return {
        f"{name}_{percentile}_ms": _ms(_percentile(sorted(seconds), share))
        for name, seconds in spans.items()
        for percentile, share in (("p50", 0.50), ("p99", 0.99))
    }


def _percentile(ordered: list[float], share: float) -> float:
    """Nearest rank: a latency that was measured, not one between two."""
    return ordered[round(share * (len(ordered) - 1))] if ordered else 0.0


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
