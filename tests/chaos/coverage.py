"""`python -m tests.chaos.coverage DIR…`: what the failpoints of these runs met, and under which other faults.

A failpoint says, as it strikes, in which states the cases were that its worker held; the history says which other
faults lasted at that moment.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.history import read
from worker.application import failpoints

ENOUGH = 20
"""Hits of a failpoint without which a campaign is not done."""

LINGERS_S = 2.0
"""For so long after its end a fault still counts as there: what it interrupted is being mended."""

STRIKES = {"kill-at-failpoint", "stop-at-failpoint", "kill"}
"""Faults that are the failpoint itself, or the death before it was armed."""


_PREFIX = re.compile(r"^chaos-\d+-")
"""Each run has topics of its own."""


class Hit(NamedTuple):
    failpoint: str
    fault: str
    state: str
    beside: str
    """Another fault that lasted then, or `alone`."""


def hits_of(history: Iterable[dict[str, Any]]) -> Counter[Hit]:
    """Each strike once for each state that it met and each fault beside it."""
    said = list(history)
    lasted = _faults(said)
    hits: Counter[Hit] = Counter()
    for line in said:
        if line["event"] == "failpoint":
            beside = {kind for kind, began, over in lasted if began <= line["at"] <= over} or {"alone"}
            for state in line["states"] or ["any"]:
                met = _PREFIX.sub("", state)
                hits.update(Hit(line["failpoint"], line["fault"], met, kind) for kind in beside)
    return hits


def strikes_of(history: Iterable[dict[str, Any]]) -> Counter[str]:
    """How often each failpoint struck."""
    return Counter(line["failpoint"] for line in history if line["event"] == "failpoint")


def _faults(said: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    began = {line["id"]: line for line in said if line["event"] == "fault-began"}
    over = {line["id"]: line["at"] for line in said if line["event"] == "fault-ended"}
    return [
        (line["fault"], line["at"], over.get(number, line["at"]) + LINGERS_S)
        for number, line in began.items()
        if line["fault"] not in STRIKES
    ]


def table(hits: Counter[Hit]) -> str:
    """Markdown: a line for each failpoint, fault and state, a column for each group of faults beside it."""
    groups = ["alone", "worker", "broker", "database", "wire", "payments", "clock"]
    rows: dict[tuple[str, str, str], Counter[str]] = {}
    for hit, times in hits.items():
        rows.setdefault(hit[:3], Counter())[group_of(hit.beside)] += times
    lines = [
        "| failpoint | fault | state | " + " | ".join(groups) + " |",
        "|---|---|---|" + "---:|" * len(groups),
    ]
    for (failpoint, fault, state), met in sorted(rows.items()):
        counts = " | ".join(str(met[group]) if met[group] else "" for group in groups)
        lines.append(f"| `{failpoint}` | {fault} | {state} | {counts} |")
    return "\n".join(lines)


def group_of(kind: str) -> str:
    """Where a kind of fault belongs: the part that suffers it."""
    if kind in {"stop", "terminate", "terminate-and-kill"}:
        return "worker"
    if kind in {"rebalances", "offsets-reset"}:
        return "broker"
    prefix = kind.partition("-")[0]
    if prefix in {"connections", "relay", "commit", "commits", "disk", "tables"}:
        return "database"
    return prefix


def missing(strikes: Counter[str]) -> dict[str, int]:
    """Failpoints that were not met often enough, and how often they were."""
    return {name: strikes[name] for name in sorted(failpoints.NAMES) if strikes[name] < ENOUGH}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.coverage", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    histories = [read(run / "history" / "harness.jsonl") for run in parser.parse_args().runs]
    print(table(sum((hits_of(history) for history in histories), Counter())))  # noqa: T201
    strikes = sum((strikes_of(history) for history in histories), Counter[str]())
    for name, times in missing(strikes).items():
        print(f"{name}: met {times} times, {ENOUGH} are wanted")  # noqa: T201


if __name__ == "__main__":
    main()
