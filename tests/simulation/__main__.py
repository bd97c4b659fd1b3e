"""`python -m tests.simulation --seeds 500`, or `--seed N` to see one again."""

import argparse
import json
import logging
import sys
import time
from collections import Counter
from dataclasses import replace

from tests.simulation.world import FAULTS, Plan, simulate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--json", help="where to write the summary")
    given = parser.parse_args()
    faults = tuple(name for name in given.faults.split(",") if name)
    if set(faults) - set(FAULTS):
        parser.error(f"unknown faults; choose among {', '.join(FAULTS)}")
    logging.getLogger("worker").setLevel(logging.ERROR)
    plan = Plan(given.seed, given.cases, given.workers, given.days, faults)
    began, met = time.monotonic(), Counter[str]()
    for seed in range(given.seed, given.seed + given.seeds):
        try:
            met += simulate(replace(plan, seed=seed)).met
        except AssertionError as error:
            least = shortest(replace(plan, seed=seed))
            print(f"{error}\nseed {seed} fails; the least that fails: python -m tests.simulation {least}")  # noqa: T201
            sys.exit(1)
    summary = {
        "seeds": given.seeds,
        "first_seed": given.seed,
        "violations": 0,
        "simulated_days": given.seeds * given.days,
        "seconds": round(time.monotonic() - began, 1),
        "met": dict(sorted(met.items())),
    }
    text = json.dumps(summary, indent=2)
    print(text)  # noqa: T201
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")


def shortest(plan: Plan) -> Plan:
    """The plan with as few cases and faults as still fail."""
    for name in plan.faults:
        plan = _if_fails(replace(plan, faults=tuple(fault for fault in plan.faults if fault != name)), plan)
    for workers in range(1, plan.workers):
        plan = _if_fails(replace(plan, workers=workers), plan)
    for cases in range(1, plan.cases):
        lesser = _if_fails(replace(plan, cases=cases), plan)
        if lesser is not plan:
            return lesser
    return plan


def _if_fails(candidate: Plan, plan: Plan) -> Plan:
    try:
        simulate(candidate)
    except AssertionError:
        return candidate
    return plan


if __name__ == "__main__":
    main()
