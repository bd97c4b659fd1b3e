"""`python -m tests.simulation --seeds 500` simulates one seed after the other, `--seed N` one of them again.

Exits with 1 when something did not hold: each such seed is told with the shortest schedule that still fails, and the
command that repeats it.
"""

import argparse
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from tests.simulation.plan import FAULTS, Plan
from tests.simulation.shrinking import shortest
from tests.simulation.world import simulate

MOST_VIOLATIONS = 5
"""A run that found so many is over: there is something to mend first."""

CHUNK = 20
COMMAND = "python -m tests.simulation"


@dataclass(slots=True)
class Tally:
    """Of some seeds: what they met, and each violation with its plan."""

    seeds: int = 0
    steps: int = 0
    met: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[Plan, str]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.seeds += other.seeds
        self.steps += other.steps
        self.met += other.met
        self.violations += other.violations


def main() -> None:
    given = _arguments()
    logging.getLogger("worker").setLevel(logging.ERROR)
    logging.getLogger("worker").propagate = False
    cases = given.cases or max(12, round(given.days))
    plan = Plan(given.seed, cases, given.workers, given.days, given.faults, given.trouble)
    began, tally = time.monotonic(), Tally()
    for part in _tallies(plan, given.seeds, given.processes):
        tally.add(part)
        if len(tally.violations) >= MOST_VIOLATIONS or (given.until and datetime.now().astimezone() >= given.until):
            break
    summary = _summary(plan, tally, time.monotonic() - began)
    print(json.dumps(summary, indent=2))  # noqa: T201
    if given.json:
        given.json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if tally.violations else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    parser.add_argument("--cases", type=int, help="of one seed; 12, or one a day")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--days", type=float, default=3.0, help="of trouble, before all must come to its end")
    parser.add_argument("--faults", type=_faults, default=FAULTS, help=f"of {','.join(FAULTS)}")
    parser.add_argument("--trouble", type=float, default=Plan(1).trouble, help="the share of steps that bring a fault")
    parser.add_argument("--processes", type=int, default=1, help="to simulate side by side")
    parser.add_argument("--until", type=_moment, metavar="HH:MM", help="begin no more seeds after that time of today")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the summary")
    return parser.parse_args()


def _faults(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(",")))
    if unknown := set(names) - set(FAULTS):
        raise argparse.ArgumentTypeError(f"no such faults: {', '.join(unknown)}; choose among {', '.join(FAULTS)}")
    return names


def _moment(text: str) -> datetime:
    try:
        hour, minute = map(int, text.split(":"))
        return datetime.now().astimezone().replace(hour=hour, minute=minute, second=0)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of the day such as 15:30") from error


def _tallies(plan: Plan, seeds: int, processes: int) -> Iterator[Tally]:
    """A chunk of seeds after the other; in several processes no more is begun than is waited for."""
    firsts = range(plan.seed, plan.seed + seeds, CHUNK)
    chunks = iter([(first, min(CHUNK, plan.seed + seeds - first)) for first in firsts])
    if processes == 1:
        yield from (_simulated(plan, chunk) for chunk in chunks)
        return
    with ProcessPoolExecutor(processes) as pool:
        while several := list(islice(chunks, processes)):
            yield from pool.map(partial(_simulated, plan), several)


def _simulated(plan: Plan, chunk: tuple[int, int]) -> Tally:
    logging.getLogger("worker").setLevel(logging.ERROR)
    logging.getLogger("worker").propagate = False
    tally, (first, count) = Tally(), chunk
    for seed in range(first, first + count):
        tally.seeds += 1
        try:
            world = simulate(replace(plan, seed=seed))
        except AssertionError as error:
            least = shortest(replace(plan, seed=seed))
            tally.violations.append((least, str(error)))
            print(_told(seed, error, least), file=sys.stderr)  # noqa: T201
        else:
            tally.steps += world.steps
            tally.met += world.met
    return tally


def _told(seed: int, error: AssertionError, least: Plan) -> str:
    return f"seed {seed} fails: {error}\nthe least that fails: {COMMAND} {least}"


def _summary(plan: Plan, tally: Tally, seconds: float) -> dict[str, Any]:
    """`ended` counts cases by state, `faults` by kind, `met` whatever else happened."""
    met = dict(sorted(tally.met.items()))
    ended = {name.removeprefix("ended "): number for name, number in met.items() if name.startswith("ended ")}
    faults = {name: met[name] for name in plan.faults if name in met}
    return {
        "first_seed": plan.seed,
        "seeds": tally.seeds,
        "simulated_days": round(tally.seeds * plan.days, 2),
        "workers": plan.workers,
        "cases": sum(ended.values()),
        "ended": ended,
        "steps": tally.steps,
        "faults": faults,
        "met": {name: number for name, number in met.items() if name not in faults and not name.startswith("ended ")},
        "violations": len(tally.violations),
        "violated": [
            {"what": what, "command": f"python -m tests.simulation {least}"} for least, what in tally.violations
        ],
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    main()
