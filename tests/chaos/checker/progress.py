"""A run in which nothing succeeded says nothing: it fails."""

from collections.abc import Iterator

from tests.chaos.checker.run import Run
from tests.chaos.checker.violation import SUCCESS, Violation

ENOUGH = 10
"""From so many cases on a run must show one of each: something executed, paid, approved, a hostile decision refused."""


def check(run: Run) -> Iterator[Violation]:
    planned = int(run.plan["cases"])
    executed = sum(case.state == "executed" for case in run.cases.values())
    approved = sum(each.code == "ACCEPTED" and each.agrees for each in run.decisions.values())
    yield from _at_least("cases were opened", len(run.cases), (planned + 1) // 2)
    yield from _at_least("cases were executed", executed, max(1, planned // 10))
    if planned < ENOUGH:
        return
    yield from _at_least("payments were made", len(run.movements_of), 1)
    yield from _at_least("decisions were accepted", approved, 1)
    if any(answer.is_hostile for answer in run.answers):
        answered = sum(answer.is_hostile and answer.decision_id in run.published.receipts for answer in run.answers)
        yield from _at_least("hostile decisions were answered", answered, 1)
    if run.plan.get("faults"):
        befell = sum(row["event"] == "fault-began" for row in run.harness)
        yield from _at_least("faults befell it", befell, max(1, int(run.plan["faults"]) // 2))


def _at_least(what: str, number: int, wanted: int) -> Iterator[Violation]:
    if number < wanted:
        yield Violation(SUCCESS, f"{number} {what}, and a run of this size wants {wanted}")
