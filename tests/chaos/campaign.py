"""`python -m tests.chaos.campaign --seeds 1-10 --cases 5000 --faults 200 --into docs/reliability`: many runs, one sum.

Each run leaves `chaos-seed-N.json` there; all that are there make up `chaos-campaign.json`, which `--show` prints as
Markdown. A run whose invariants did not hold ends the campaign, and its folder stays.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.chaos.coverage import Hit, hits_of, missing, strikes_of, table
from tests.chaos.history import read

WANTED = {
    "cases": 50_000,
    "kills": 1_000,
    "faults": 2_000,
    "payments_ambiguous": 5_000,
    "database_restarts": 200,
    "broker_restarts": 100,
}
"""Counts of all runs together without which a campaign is not done, as the checker names them."""


def summary(folder: Path) -> dict[str, Any]:
    """What one run comes to: its plan, the verdict, and what its faults met."""
    history = read(folder / "history" / "harness.jsonl")
    hits = hits_of(history)
    return {
        "plan": json.loads((folder / "plan.json").read_text()),
        **json.loads((folder / "verdict.json").read_text()),
        "seconds": round(history[-1]["at"] - history[0]["at"]),
        "failpoints": dict(sorted(strikes_of(history).items())),
        "coverage": [[*hit, times] for hit, times in sorted(hits.items())],
    }


def total(runs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sums of all runs, and how far they are from a whole campaign."""
    runs = list(runs)
    counts: Counter[str] = Counter()
    failpoints: Counter[str] = Counter()
    coverage: Counter[Hit] = Counter()
    for run in runs:
        counts.update({name: value for name, value in run["counts"].items() if isinstance(value, int)})
        failpoints.update(run["failpoints"])
        for *hit, times in run["coverage"]:
            coverage[Hit(*hit)] += times
    return {
        "runs": len(runs),
        "seconds": sum(run["seconds"] for run in runs),
        "violations": sum(len(run["violations"]) for run in runs),
        "counts": dict(sorted(counts.items())),
        "failpoints": dict(sorted(failpoints.items())),
        "still wanted": {name: least - counts[name] for name, least in WANTED.items() if counts[name] < least},
        "not met often enough": missing(failpoints),
        "coverage": [[*hit, times] for hit, times in sorted(coverage.items())],
    }


SHOWN = {
    "cases": "cases",
    "faults": "faults",
    "kills": "kills",
    "database_restarts": "database restarts",
    "broker_restarts": "broker restarts",
    "payments_ambiguous": "payments in doubt",
    "decisions_valid": "decisions",
    "decisions_hostile": "hostile ones",
}


def shown(campaign: dict[str, Any]) -> str:
    """Markdown: what it came to, how often each failpoint struck, and the matrix of what they met."""
    sums = [f"{campaign['counts'][name]:,}" for name in SHOWN]
    hits = Counter({Hit(*hit): times for *hit, times in campaign["coverage"]})
    strikes = [f"| `{name}` | {times} |" for name, times in campaign["failpoints"].items()]
    return "\n".join(
        [
            "| runs | " + " | ".join(SHOWN.values()) + " | violations |",
            "|---:|" + "---:|" * len(SHOWN) + "---:|",
            f"| {campaign['runs']} | " + " | ".join(sums) + f" | {campaign['violations']} |",
            "",
            "| failpoint | strikes |",
            "|---|---:|",
            *strikes,
            "",
            table(hits),
        ]
    )


AFTER = {"kill": "a kill", "database": "a restart of the database", "broker": "a restart of the broker"}


def recoveries(run: dict[str, Any]) -> str:
    """Markdown: how long a run took to recover, in seconds."""
    times = {name: run["counts"]["recovery_s"][kind] for kind, name in AFTER.items()}
    rows = [
        f"| {name} | {each['count']} | {each['p50']:.1f} s | {each['p99']:.1f} s | {each['max']:.1f} s |"
        for name, each in times.items()
    ]
    return "\n".join(["| after | measured | p50 | p99 | max |", "|---|---:|---:|---:|---:|", *rows])


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.campaign", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=_seeds("1-10"), help="FIRST-LAST")
    parser.add_argument("--into", type=Path, default=Path("docs/reliability"))
    parser.add_argument("--show", action="store_true", help="run nothing, and print the sum as Markdown")
    given, others = parser.parse_known_args()
    if given.show:
        print(shown(json.loads((given.into / "chaos-campaign.json").read_text())))  # noqa: T201
        print("", recoveries(json.loads((given.into / "recovery.json").read_text())), sep="\n")  # noqa: T201
        return
    for seed in given.seeds:
        folder = Path(tempfile.mkdtemp(prefix=f"signoff-chaos-{seed}-"))
        run = [sys.executable, "-m", "tests.chaos", "--seed", str(seed), "--dir", str(folder), *others]
        if subprocess.run(run, check=False).returncode:
            sys.exit(f"seed {seed} did not hold; everything is in {folder}")
        _write(given.into / f"chaos-seed-{seed}.json", summary(folder))
        shutil.rmtree(folder)
    _write(given.into / "chaos-campaign.json", total(runs_in(given.into)))


def runs_in(folder: Path) -> list[dict[str, Any]]:
    """The summaries that are there."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("chaos-seed-*.json"))]


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
