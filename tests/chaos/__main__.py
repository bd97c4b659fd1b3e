"""`python -m tests.chaos --seed 1 --cases 300 --faults 30`: one run of chaos, and its verdict."""

import argparse
import asyncio
import logging
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import WEIGHTS, Plan
from tests.chaos.quiet import Standstill
from tests.chaos.run import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=Plan.cases, help="exceptions that are raised")
    parser.add_argument("--faults", type=int, default=Plan.faults, help="faults, besides those of the payment service")
    parser.add_argument("--workers", type=int, default=Plan.workers)
    parser.add_argument("--side-by-side", type=int, default=Plan.side_by_side, help="faults that last at a time")
    parser.add_argument("--apart", action="store_true", help="each fault waits until the one before is recovered from")
    parser.add_argument(
        "--payment-faults", type=float, default=Plan.payment_faults, help="share of the calls they meet"
    )
    parser.add_argument("--kinds", default=",".join(WEIGHTS), help=f"of {', '.join(WEIGHTS)}")
    parser.add_argument(
        "--dir", type=Path, help="where the run leaves everything; else a folder that goes when all held"
    )
    parser.add_argument("--json", type=Path, help="where to write the verdict too")
    given = parser.parse_args()
    kinds = tuple(kind for kind in given.kinds.split(",") if kind)
    try:
        plan = Plan(
            given.seed,
            given.cases,
            given.faults,
            given.workers,
            given.side_by_side,
            apart=given.apart,
            payment_faults=given.payment_faults,
            kinds=kinds,
        )
    except ValueError as error:
        parser.error(str(error))
    folder = given.dir or Path(tempfile.mkdtemp(prefix="signoff-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} holds something; a run needs a folder of its own")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    code = _run_and_judge(plan, folder, given.json)
    if code == 0 and given.dir is None:
        shutil.rmtree(folder)
    else:
        print(f"seed {given.seed}: everything is in {folder}")  # noqa: T201
    sys.exit(code)


def _run_and_judge(plan: Plan, folder: Path, report: Path | None) -> int:
    """1 when an invariant does not hold, or the run stood still."""
    try:
        asyncio.run(run(plan, folder))
    except Standstill as stood:
        print(stood)  # noqa: T201
        return 1
    judged = subprocess.run([sys.executable, "-m", "tests.chaos.checker", str(folder)], check=False)
    if report is not None:
        shutil.copyfile(folder / "verdict.json", report)
    return judged.returncode


if __name__ == "__main__":
    main()
