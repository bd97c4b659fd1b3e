"""`python -m tests.chaos.checker DIR`: 0 all invariants hold, 1 violations, 2 the folder cannot be judged."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.checker.folder import Incomplete
from tests.chaos.checker.judgement import judge

_SHOWN = 50


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.checker", description="Judges the folder of a run.")
    parser.add_argument("folder", type=Path, help="what `python -m tests.chaos --dir` wrote")
    parser.add_argument("--json", type=Path, help="write the verdict there as well as to FOLDER/verdict.json")
    asked = parser.parse_args(arguments)
    try:
        verdict = judge(asked.folder)
    except Incomplete as incomplete:
        if incomplete.__cause__ is not None:
            traceback.print_exception(incomplete.__cause__)
        sys.stderr.write(f"{incomplete}\n")
        return 2
    for file in filter(None, (asked.folder / "verdict.json", asked.json)):
        verdict.write(file)
    out = sys.stdout
    for violation in verdict.violations[:_SHOWN]:
        out.write(f"{violation}\n")
    if len(verdict.violations) > _SHOWN:
        out.write(f"and {len(verdict.violations) - _SHOWN} more, in {asked.folder / 'verdict.json'}\n")
    states = ", ".join(f"{number} {state}" for state, number in verdict.counts["cases_by_state"].items())
    found = len(verdict.violations)
    out.write(f"{verdict.counts['cases']} cases ({states}): {found} violations {verdict.by_invariant or ''}".rstrip())
    out.write("\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
