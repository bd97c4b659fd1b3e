"""The file and the table of an endurance run."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.endurance_judgement import WARM_UP_SHARE, Judgement, bytes_a_case
from benchmarks.endurance_samples import Sample
from benchmarks.report import QUIET_SHARE

MEBIBYTE = 2**20
TIME, CASES = "at_s", "cases"
LATENCIES = [f"{name}_{share}" for name in ("automatic", "question", "decision") for share in ("p50", "p99")]


def write(
    path: Path,
    run: dict[str, Any],
    samples: Sequence[Sample],
    cases: Sequence[int],
    judgements: Sequence[Judgement],
) -> None:
    """`run` is what is known besides: machine, command, rate, totals. A series is one line, from the first sample to
    the last. Tables that were empty throughout are left out.
    """
    foreign = [sample.numbers["foreign_cpu_share"] for sample in samples]
    result = {
        **run,
        "foreign_cpu_share": {"median": round(statistics.median(foreign), 3), "max": max(foreign)},
        "quiet": max(foreign) <= QUIET_SHARE,
        "load_average": _spread(samples, "load_average"),
        "latency_ms": {
            name: _spread(samples, f"{name}_ms")
            for name in (
                "automatic_p50",
                "automatic_p99",
                "question_p50",
                "question_p99",
                "decision_p50",
                "decision_p99",
            )
        },
        "warm_up_share": WARM_UP_SHARE,
        "judgements": [judged.as_row() for judged in judgements],
        "kept_bytes_a_case": bytes_a_case(samples, cases),
        "series": {
            TIME: [sample.at for sample in samples],
            CASES: list(cases),
            **{name: [sample.numbers[name] for sample in samples] for name in samples[0].numbers},
        },
        "tables": _tables(samples),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_with_series_on_a_line(result) + "\n")


def read(path: Path) -> tuple[list[Sample], float]:
    """The samples of a file that `write` made, and the run's rate. Raises ValueError when it is no such file."""
    try:
        found = json.loads(path.read_text())
        series, tables, rate = found["series"], found["tables"], float(found["rate_per_s"])
    except (OSError, ValueError, KeyError) as problem:
        raise ValueError(f"{path} is no result of an endurance run: {problem!r}") from problem
    numbers = {name: values for name, values in series.items() if name not in (TIME, CASES)}
    return [
        Sample(
            at,
            {name: values[turn] for name, values in numbers.items()},
            {name: {column: values[turn] for column, values in columns.items()} for name, columns in tables.items()},
        )
        for turn, at in enumerate(series[TIME])
    ], rate


def table(judgements: Sequence[Judgement]) -> str:
    """Markdown, as the page about benchmarks cites it."""
    return table_of_rows([judged.as_row() for judged in judgements])


def table_of_rows(rows: Sequence[dict[str, Any]]) -> str:
    lines = ["| series | level | slope an hour (95 %) | allowed | verdict |", "|---|--:|--:|--:|---|"]
    return "\n".join([*lines, *(markdown_row(row) for row in rows)])


def markdown_row(row: dict[str, Any]) -> str:
    """One judgement as it stands in the file."""
    show = _shown_as(row["series"])
    low, high = row["interval_95"]
    slope = f"{show(row['slope_per_hour'])} ({show(low)} to {show(high)})"
    note = "" if row["required"] else ", told only"
    cells = (row["series"], show(row["level"]), slope, show(row["allowed_per_hour"]), row["verdict"] + note)
    return f"| {' | '.join(cells)} |"


def progress(sample: Sample, cases: int) -> str:
    numbers = sample.numbers
    return (
        f"{sample.at / 60:5.1f} min  {cases} cases  {numbers['outcomes_per_s']:.0f}/s  "
        f"worker {numbers['worker_rss_bytes'] / MEBIBYTE:.1f} MiB, {numbers['worker_handles']:.0f} handles  "
        f"lag {numbers['consumer_lag']:.0f}  owed {numbers['owed_cases']:.0f}  "
        f"decision p50 {numbers['decision_p50_ms']:.0f} ms  load {numbers['load_average']:.1f}"
    )


def _shown_as(series: str) -> Any:
    if series.endswith("a row"):
        return lambda value: f"{value:.0f} B"
    if series.endswith("bytes"):
        return lambda value: f"{value / MEBIBYTE:.2f} MiB"
    if "share" in series:
        return lambda value: f"{value:.1%}"
    return lambda value: f"{value:.4g}"


def _tables(samples: Sequence[Sample]) -> dict[str, dict[str, list[float]]]:
    used = [name for name, last in samples[-1].tables.items() if last["live"] or last["dead"] or last["autovacuums"]]
    return {
        name: {column: [sample.tables[name][column] for sample in samples] for column in samples[-1].tables[name]}
        for name in sorted(used)
    }


def _spread(samples: Sequence[Sample], name: str) -> dict[str, float]:
    values = [sample.numbers[name] for sample in samples]
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def _with_series_on_a_line(result: dict[str, Any]) -> str:
    """JSON that a diff and an eye can read: lists of numbers do not take a line for each number."""
    kept: dict[str, str] = {}

    def held(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: held(inner) for name, inner in value.items()}
        if isinstance(value, list) and value and not isinstance(value[0], dict):
            kept[name := f"@series {len(kept)}"] = json.dumps(value)
            return name
        return [held(inner) for inner in value] if isinstance(value, list) else value

    text = json.dumps(held(result), indent=2)
    for name, line in kept.items():
        text = text.replace(f'"{name}"', line)
    return text
