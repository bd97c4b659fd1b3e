"""What must stay flat in an endurance run, how much growth an hour does not matter, and what is meant to grow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.endurance_samples import Sample
from benchmarks.endurance_trend import Trend, Verdict, after_warm_up, peaks, trend_of

WARM_UP_SHARE = 0.25
"""Of the run: caches fill, connections open, tables reach the size at which autovacuum comes."""

CHURNING = frozenset({"checkpoints", "checkpoint_blobs", "checkpoint_writes"})
"""Tables whose rows are deleted with the outcome: their size must stay. All others keep a case's rows for good, and
what must stay is the bytes of a row, which dead rows that nobody clears away would raise."""

FEWEST_ROWS = 1_000
"""Of a table that keeps its rows: what is smaller is no case's, such as the list of migrations."""

PEAK_HOURS = 0.25
"""Autovacuum comes when a fifth of a table is dead: at the end of an hour every ten minutes or so."""

Series = Callable[[Sample], float]


@dataclass(frozen=True, slots=True)
class Criterion:
    """`tolerance` is an hour's growth that does not matter: in the series' unit, or as a share of its level. What is
    not `required` is told with its verdict, and fails no run: a machine that others use changes it too."""

    name: str
    series: Series
    tolerance: float
    relative: bool = False
    required: bool = True
    peak_hours: float = 0.0
    """Judged are the peaks within this time: what vacuum clears away again and again has its trend there."""

    def allowed(self, level: float) -> float:
        return self.tolerance * level if self.relative else self.tolerance


@dataclass(frozen=True, slots=True)
class Judgement:
    name: str
    trend: Trend
    allowed: float
    required: bool

    @property
    def verdict(self) -> Verdict:
        return self.trend.verdict(self.allowed)

    def as_row(self) -> dict[str, Any]:
        trend = self.trend
        return {
            "series": self.name,
            "verdict": str(self.verdict),
            "required": self.required,
            "level": _rounded(trend.level),
            "slope_per_hour": _rounded(trend.slope),
            "interval_95": [_rounded(trend.low), _rounded(trend.high)],
            "allowed_per_hour": _rounded(self.allowed),
        }


def judge(samples: Sequence[Sample], rate: float) -> list[Judgement]:
    """Of all samples after the warm-up. `rate` is in cases a second."""
    hours = [sample.at / 3600 for sample in samples]
    first = after_warm_up(hours, WARM_UP_SHARE)
    judgements = []
    for criterion in criteria(rate, samples[-1].tables):
        values = peaks(hours, [criterion.series(sample) for sample in samples], criterion.peak_hours)
        trend = trend_of(hours[first:], values[first:])
        judgements.append(Judgement(criterion.name, trend, criterion.allowed(trend.level), criterion.required))
    return judgements


def criteria(rate: float, tables: dict[str, dict[str, float]]) -> list[Criterion]:
    """A backlog may not grow by more than what arrives in one second, in an hour."""
    backlog = ("consumer_lag", "owed_cases", "inbox_unfinished", "outbox_unpublished", "intents_unfinished")
    memory = ("worker_rss_bytes", "worker_private_bytes", "connections_private_bytes")
    counts = ("worker_handles", "worker_threads", "connections")
    cost = ("worker_cpu_ms_a_case", "postgres_cpu_ms_a_case")
    latency = ("automatic_p50_ms", "question_p50_ms", "decision_p50_ms")
    return [
        *(Criterion(name, _number(name), 0.02, relative=True) for name in memory),
        *(Criterion(name, _number(name), 1) for name in counts),
        *(Criterion(name, _number(name), rate) for name in backlog),
        Criterion("open_cases", _number("open_cases"), rate),
        Criterion("checkpoint_rows", _number("checkpoint_rows"), 0.05, relative=True),
        Criterion("dead_row_share, peaks", dead_row_share, 0.02, peak_hours=PEAK_HOURS),
        *(_of_table(name) for name in sorted(tables) if name in CHURNING or tables[name]["live"] >= FEWEST_ROWS),
        *(Criterion(name, _number(name), 0.05, relative=True, required=False) for name in (*cost, *latency)),
        Criterion("kafka_rss_bytes", _number("kafka_rss_bytes"), 0.02, relative=True, required=False),
    ]


def dead_row_share(sample: Sample) -> float:
    """Of all rows of all tables. Autovacuum comes at a fifth of a table, so it swings below that."""
    dead = sum(table["dead"] for table in sample.tables.values())
    live = sum(table["live"] for table in sample.tables.values())
    return dead / max(1, live + dead)


def bytes_a_case(samples: Sequence[Sample], cases: Sequence[int]) -> dict[str, float]:
    """What each table, and the database, keeps of a case: growth between the first and the last sample after the
    warm-up. `cases` is how many were concluded at each sample."""
    first = after_warm_up([sample.at for sample in samples], WARM_UP_SHARE)
    begin, end = samples[first], samples[-1]
    concluded = max(1, cases[-1] - cases[first])
    kept = {"database": (end.numbers["database_bytes"] - begin.numbers["database_bytes"]) / concluded}
    for name, table in end.tables.items():
        grown = table["bytes"] - begin.tables[name]["bytes"]
        if grown / concluded >= 1:
            kept[name] = grown / concluded
    return {name: round(size) for name, size in sorted(kept.items(), key=lambda item: -item[1])}


def _of_table(name: str) -> Criterion:
    if name in CHURNING:
        return Criterion(f"{name}: bytes", lambda sample: sample.tables[name]["bytes"], 0.05, relative=True)
    return Criterion(f"{name}: bytes a row", lambda sample: _bytes_a_row(sample.tables[name]), 0.05, relative=True)


def _bytes_a_row(table: dict[str, float]) -> float:
    return table["bytes"] / max(1, table["live"])


def _number(name: str) -> Series:
    return lambda sample: sample.numbers[name]


def _rounded(value: float) -> float:
    """Four digits are more than such a run can tell."""
    return float(f"{value:.4g}")
