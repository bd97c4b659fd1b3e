"""Repetitions become one row, rows become a file and a table."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.repetition import Measured

BASELINE = "langgraph-as-documented"

QUIET_SHARE = 0.05
"""Of the machine that others may use before a run counts as disturbed."""

Row = dict[str, Any]


def row_of(system: str, workers: int, runs: Sequence[Measured]) -> Row:
    """Rates over the repetitions as min, median and max; costs as medians; latencies of all repetitions together."""
    count = runs[0].count
    latencies = sorted(seconds for run in runs for seconds in run.latencies_s)
    return {
        "system": system,
        "workers": workers,
        "workload": "round-trips",
        "count": count,
        "repetitions": len(runs),
        "round_trips_per_s": _spread([run.round_trips_per_s for run in runs]),
        "intake_per_s": _spread([count / run.intake_s for run in runs]),
        "decisions_per_s": _spread([count / run.decision_s for run in runs]),
        "latency_ms": {"p50": _percentile_ms(latencies, 0.50), "p99": _percentile_ms(latencies, 0.99)},
        "cpu_ms_per_item": _median([run.worker_cpu_s / count * 1000 for run in runs]),
        "postgres_cpu_ms_per_item": _median([run.postgres_cpu_s / count * 1000 for run in runs]),
        "kafka_cpu_ms_per_item": _median([run.kafka_cpu_s / count * 1000 for run in runs]),
        "bytes_per_item": round(statistics.median(run.bytes_finished / count for run in runs)),
        "bytes_per_waiting_item": round(statistics.median(run.bytes_waiting / count for run in runs)),
        "foreign_cpu_share": _spread([run.foreign_cpu_share for run in runs], digits=3),
    }


def is_quiet(rows: Sequence[Row]) -> bool:
    """Whether the machine was ours alone in every repetition."""
    return all(row["foreign_cpu_share"]["max"] <= QUIET_SHARE for row in rows)


def write(path: Path, machine: Row, command: str, date: str, rows: Sequence[Row]) -> None:
    """`quiet` is false when something else used the machine: then only the ratios mean anything, and they little."""
    result = {"machine": machine, "command": command, "date": date, "quiet": is_quiet(rows), "rows": rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


def table(rows: Sequence[Row]) -> str:
    """For people. The last column compares with the baseline on as many processes."""
    heads = ("system", "workers", "round trips/s", "(min-max)", "p50 ms", "p99 ms", "CPU ms", "PostgreSQL CPU ms")
    lines = [(*heads, "bytes", "foreign CPU", "ratio")]
    baselines = {row["workers"]: row for row in rows if row["system"] == BASELINE}
    for row in rows:
        rate, latency = row["round_trips_per_s"], row["latency_ms"]
        baseline = baselines.get(row["workers"])
        ratio = f"{rate['median'] / baseline['round_trips_per_s']['median']:.2f}x" if baseline else "-"
        lines.append(
            (
                row["system"],
                str(row["workers"]),
                f"{rate['median']:.0f}",
                f"({rate['min']:.0f}-{rate['max']:.0f})",
                _shown(latency["p50"]),
                _shown(latency["p99"]),
                f"{row['cpu_ms_per_item']:.2f}",
                f"{row['postgres_cpu_ms_per_item']:.2f}",
                str(row["bytes_per_item"]),
                f"{row['foreign_cpu_share']['median']:.0%}",
                ratio,
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(cells))
        for cells in (list(zip(line, widths, strict=True)) for line in lines)
    )


def _spread(values: Sequence[float], digits: int = 1) -> dict[str, float]:
    return {
        "min": round(min(values), digits),
        "median": round(statistics.median(values), digits),
        "max": round(max(values), digits),
    }


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 3)


def _percentile_ms(ordered: Sequence[float], share: float) -> float | None:
    """Nearest rank: a latency that was measured, not one between two."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] * 1000, 1)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
