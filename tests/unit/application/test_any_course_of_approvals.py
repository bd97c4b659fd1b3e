"""Whatever an organisation does with approvals, the witness finds nothing wrong; and it would, if there were."""

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from schemas.values import OutcomeStatus
from tests.unit.application.any_course_of_approvals import AnyCourseOfApprovals
from worker.application import authority, next_question
from worker.application.examine_decision import Examined
from worker.application.refusal import Refusal
from worker.domain.approval import ApprovalRequest
from worker.domain.exception_case import Case
from worker.domain.reviewers import Standing

REACHED = (
    *("quorum of two", "second level", "executed after four levels", "method of a two-step level", "structuring"),
    *("on behalf of somebody", "escalated by system", "escalated by a reviewer", "after a declined payment"),
    *("sixth round by changes", "stale: order changed", "over the cap", "votes made void", "reassigned by system"),
    *("command delegate", "reassigned by a reviewer", "executed automatically"),
    *("ACCEPTED", "RECORDED", "DUPLICATE", "ALREADY_DECIDED", "EXPIRED", "STALE", "UNKNOWN_APPROVAL", "NOT_AUTHORISED"),
    *("SELF_APPROVAL", "SAME_REVIEWER", "VERDICT_NOT_ALLOWED", "INVALID_CHANGES"),
    *(f"outcome {status}" for status in OutcomeStatus if status is not OutcomeStatus.FAILED),
)
"""What every run comes by, most of it dozens of times."""

IN_FULL = settings(max_examples=200, stateful_step_count=40, deadline=None, report_multiple_bugs=False)
UNTIL_FOUND = settings(IN_FULL, phases=(Phase.generate,), derandomize=True, database=None, print_blob=False)


def explore(how: settings) -> Counter[str]:
    """Returns how often what was met."""
    met: Counter[str] = Counter()

    class Counted(AnyCourseOfApprovals):
        seen: ClassVar[Counter[str]] = met

    run_state_machine_as_test(Counted, settings=how)
    return met


def test_nothing_is_wrong_in_any_course_of_approvals_and_every_sort_of_course_is_met() -> None:
    met = explore(IN_FULL)
    assert [state for state in REACHED if met[state] == 0] == []


def count_one_person_twice(patch: pytest.MonkeyPatch) -> None:
    real = authority._not_this_person

    def without_votes(standing: Standing, case: Case, approval: ApprovalRequest) -> Refusal | None:
        return real(standing, case, approval.model_copy(update={"votes": ()}))

    patch.setattr(authority, "_not_this_person", without_votes)


def keep_votes_after_a_change(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Examined, "signatures", property(lambda self: (*self.approval.votes, self.signature)))


def ask_for_changes_without_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(next_question, "allowed_verdicts", lambda level, rounds: level.allowed_verdicts)


@pytest.mark.parametrize(
    "break_it",
    [
        count_one_person_twice,
        keep_votes_after_a_change,
        ask_for_changes_without_end,
    ],
)
def test_the_witness_notices_code_that_would(
    break_it: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    with pytest.raises(AssertionError):
        explore(UNTIL_FOUND)
