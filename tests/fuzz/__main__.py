"""`python -m tests.fuzz --records 120000 --instances 500 --decisions 20000 --seed 1 --json FILE`: records are spoilt
from valid ones and from so many instances of each published schema; with each four hostile decisions comes a valid one.
The same numbers send the same."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.fuzz.decisions import fuzz_decisions
from tests.fuzz.hostile import CLASSES
from tests.fuzz.records import INSTANCES, Violation, fuzz_records

REPOSITORY = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--records", type=int, default=2_000, help="malformed records (default %(default)s)")
    parser.add_argument("--instances", type=int, default=INSTANCES, help="of each schema (default %(default)s)")
    parser.add_argument("--decisions", type=int, default=1_000, help="hostile decisions (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="where to write the summary")
    given = parser.parse_args()
    try:
        summary = asyncio.run(_campaign(given))
    except Violation as violation:
        print(violation)  # noqa: T201
        sys.exit(1)
    text = json.dumps(summary, indent=2)
    print(text)  # noqa: T201
    if given.json:
        Path(given.json).write_text(text + "\n", encoding="utf-8")


async def _campaign(given: argparse.Namespace) -> dict[str, Any]:
    """Raises Violation."""
    sizes = ("records", "instances", "decisions", "seed")
    summary: dict[str, Any] = {
        "command": " ".join(["python -m tests.fuzz", *(f"--{size} {getattr(given, size)}" for size in sizes)]),
        "commit": _commit(),
        "machine": {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()},
        "violations": 0,
    }
    if given.records:
        began = time.monotonic()
        counts = vars(await fuzz_records(given.records, given.seed, given.instances))
        summary["records"] = {"seconds": round(time.monotonic() - began, 1), **_sorted(counts)}
    if given.decisions:
        began = time.monotonic()
        counts = vars(await fuzz_decisions(given.decisions, given.seed))
        known = {"seconds": round(time.monotonic() - began, 1), "classes": len(CLASSES)}
        summary["decisions"] = {**known, **_sorted(counts)}
    return summary


def _sorted(counts: dict[str, Any]) -> dict[str, Any]:
    """Counters by name, so that two summaries can be compared."""
    return {name: _by_name(held) if isinstance(held, dict) else held for name, held in counts.items()}


def _by_name(held: dict[str, Any]) -> dict[str, Any]:
    return {str(name): _by_name(inner) if isinstance(inner, dict) else inner for name, inner in sorted(held.items())}


def _commit() -> str:
    asked = ["git", "-C", str(REPOSITORY), "rev-parse", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
