"""`python -m tests.chaos.mutants`: plants each defect in a copy of the code, and tells what catches it.

Exits with 0 when all that were tried are caught, with 1 when one is missed, and with 2 when one does not run.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.chaos.mutants.caught import TABLE, as_markdown, read_findings, write_findings
from tests.chaos.mutants.patches import PROGRAMS, Mutant, UnusablePatch, all_mutants
from tests.chaos.mutants.trials import Finding, Result, Size, by_chaos, by_simulation


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this mutant; may be given again")
    parser.add_argument("--by", choices=PROGRAMS, help="try this program only; else each that can see the mutant")
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds a program may need (default: 10)")
    parser.add_argument("--cases", type=int, default=200, help="of one chaos run (default: 200)")
    parser.add_argument("--faults", type=int, default=40, help="of one chaos run (default: 40)")
    parser.add_argument("--json", type=Path, default=TABLE, metavar="FILE", help=f"the table (default: {TABLE.name})")
    parser.add_argument("--show", action="store_true", help="try nothing, and print the table as Markdown")
    given = parser.parse_args()
    try:
        mutants = all_mutants()
        if given.show:
            print(as_markdown(mutants, read_findings(given.json)))  # noqa: T201 - what this program says
            return
        chosen = _chosen(mutants, given.only, parser)
    except UnusablePatch as error:
        parser.error(str(error))
    results = set[Result]()
    for found in _tried(chosen, given):
        results.add(found.result)
        write_findings(given.json, mutants, [found])
    sys.exit(2 if Result.BROKEN in results else 1 if Result.MISSED in results else 0)


def _chosen(
    mutants: Sequence[Mutant], names: Sequence[str] | None, parser: argparse.ArgumentParser
) -> Sequence[Mutant]:
    if not names:
        return mutants
    if unknown := set(names) - {mutant.name for mutant in mutants}:
        known = ", ".join(mutant.name for mutant in mutants)
        parser.error(f"--only: no mutant {', '.join(sorted(unknown))}; choose among {known}")
    return [mutant for mutant in mutants if mutant.name in names]


def _tried(mutants: Sequence[Mutant], given: argparse.Namespace) -> Iterator[Finding]:
    """Simulations side by side, then chaos runs one after the other: those need the machine for themselves."""
    seeds = range(1, given.seeds + 1)
    simulated = [mutant for mutant in mutants if _may_see(mutant, "simulation", given)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        trials = [pool.submit(by_simulation, mutant, seeds) for mutant in simulated]
        for trial in as_completed(trials):
            yield _told(trial.result())
    for mutant in mutants:
        if _may_see(mutant, "chaos", given):
            yield _told(by_chaos(mutant, seeds, Size(given.cases, given.faults)))


def _may_see(mutant: Mutant, program: str, given: argparse.Namespace) -> bool:
    """Whoever names a mutant and a program wants it tried, whatever is known."""
    if given.only and given.by:
        return bool(given.by == program)
    return given.by in (None, program) and program in mutant.seen_by


def _told(found: Finding) -> Finding:
    said = f"{found.mutant:36} {found.by:10} {found.result} after {found.seconds:.1f} s"
    if found.result == Result.CAUGHT:
        said += f" at seed {found.seed}: {found.invariant}"
    elif found.detail:
        said += f": {found.detail}"
    print(said, flush=True)  # noqa: T201 - what this program says
    return found


if __name__ == "__main__":
    main()
