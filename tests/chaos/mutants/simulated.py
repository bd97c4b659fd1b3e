"""`python -m tests.chaos.mutants.simulated SEED…`, run in a copy of the code that holds a defect.

Simulates one seed after the other until an invariant does not hold, and prints one line of JSON: `caught`, `missed` or
`broken`. Broken is a mutant that does not run: what it raises is a mistake of its own and says nothing of the oracle.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from typing import Any

import worker
from tests.simulation.world import Plan, simulate

MISTAKES = ("NameError(", "ImportError(", "ModuleNotFoundError(", "AttributeError(", "UnboundLocalError(")
"""The simulation asserts that the worker has logged no error; these are errors of a patch, not defects it plants."""


def main() -> None:
    here = Path.cwd()
    if not Path(worker.__file__).is_relative_to(here):
        raise SystemExit(f"the worker is imported from {worker.__file__}, not from {here}: nothing is planted in it")
    logging.getLogger("worker").setLevel(logging.ERROR)
    logging.getLogger("worker").propagate = False
    began = monotonic()
    found = _tried(map(int, sys.argv[1:]))
    print(json.dumps({**found, "seconds": round(monotonic() - began, 1)}))  # noqa: T201 - what this program says


def _tried(seeds: Iterable[int]) -> dict[str, Any]:
    for seed in seeds:
        try:
            simulate(Plan(seed))
        except AssertionError as error:
            is_own_mistake = any(mistake in str(error) for mistake in MISTAKES)
            return {"result": "broken" if is_own_mistake else "caught", "seed": seed, **_invariant(error)}
        except Exception as error:
            return {"result": "broken", "seed": seed, "detail": "".join(traceback.format_exception(error)[-2:])}
    return {"result": "missed"}


def _invariant(error: AssertionError) -> dict[str, str]:
    """The function that asserts it by its name, which is a sentence, and what it asserts."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return {
        "invariant": place.name.strip("_").replace("_", " "),
        "detail": (place.line or "").removeprefix("assert "),
    }


if __name__ == "__main__":
    main()
