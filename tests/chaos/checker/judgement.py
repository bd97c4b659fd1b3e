"""All that is judged, in the order of the invariants."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.checker import (
    actions,
    audit_chain,
    authority,
    fulfilment,
    intake,
    outcomes,
    payments,
    personal_data,
    progress,
    publishing,
    receipts,
    replay,
    told_as_recorded,
)
from tests.chaos.checker.counts import counts
from tests.chaos.checker.folder import Folder, Incomplete
from tests.chaos.checker.run import Run
from tests.chaos.checker.violation import Violation

CHECKS: tuple[Callable[[Run], Iterator[Violation]], ...] = (
    progress.check,
    outcomes.check,
    intake.check,
    receipts.check,
    payments.check,
    actions.check,
    fulfilment.check,
    authority.check,
    publishing.check,
    told_as_recorded.check,
    audit_chain.check,
    replay.check,
    personal_data.check,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    violations: list[Violation]
    counts: dict[str, Any]

    @property
    def by_invariant(self) -> dict[int, int]:
        return dict(sorted(Counter(each.invariant for each in self.violations).items()))

    def write(self, file: Path) -> None:
        told = {"violations": [each.as_json for each in self.violations], "counts": self.counts}
        file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def judge(path: Path) -> Verdict:
    """Raises Incomplete where the folder does not hold what a run leaves behind."""
    folder = Folder(path)
    folder.check()
    run = Run(folder)
    try:
        violations = [violation for check in CHECKS for violation in check(run)]
        return Verdict(violations, counts(run))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Incomplete(f"{path}: a row is not of the form that is documented: {error!r}") from error
