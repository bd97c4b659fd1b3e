"""Where a case goes next, and what it comes to."""

from copy import deepcopy
from typing import Any

import pytest

from schemas.values import Verdict
from tests.threads import PROPOSAL, question
from worker.graph.nodes import execute, reject, with_changes
from worker.graph.routing import UnknownVerdict, after_assessment, after_review
from worker.graph.state import State

COURSES = {Verdict.APPROVE: "execute", Verdict.MODIFY: "execute", Verdict.REJECT: "reject"}


def assessed(asks: dict[str, Any] | None) -> State:
    return {"case": {"facts": {}, "assessment": {"proposal": PROPOSAL, "question": asks}}}


def decided(verdict: str | None, changes: dict[str, Any] | None = None) -> State:
    case = assessed(question())["case"]
    return {"case": {**case, "decision": {"verdict": verdict, "changes": changes}}}


def test_a_case_with_a_question_goes_to_a_person() -> None:
    assert after_assessment(assessed(question())) == "human_review"


def test_a_case_without_a_question_is_executed() -> None:
    assert after_assessment(assessed(None)) == "execute"


@pytest.mark.parametrize(("verdict", "course"), COURSES.items())
def test_a_verdict_takes_its_course(verdict: Verdict, course: str) -> None:
    assert after_review(decided(verdict)) == course


@pytest.mark.parametrize("verdict", [*(set(Verdict) - set(COURSES)), "APPROVE", "yes", "", None])
def test_a_verdict_without_a_course_never_counts_as_an_approval(verdict: str | None) -> None:
    with pytest.raises(UnknownVerdict):
        after_review(decided(verdict))


async def test_an_approval_executes_the_proposal_as_it_was_shown() -> None:
    after = await execute(decided(Verdict.APPROVE))
    assert after["case"]["resolution"] == {"status": "approved", "proposal": PROPOSAL}


async def test_an_approval_that_carries_changes_does_not_apply_them() -> None:
    after = await execute(decided(Verdict.APPROVE, {"method": "store_credit"}))
    assert after["case"]["resolution"]["proposal"] == PROPOSAL


async def test_a_modification_executes_the_changed_proposal() -> None:
    less = {"amount_minor": 12000, "currency": "USD"}
    changes = {"amount": less, "method": None, "customer_message": None}
    after = await execute(decided(Verdict.MODIFY, changes))
    assert after["case"]["resolution"] == {
        "status": "approved",
        "proposal": {**PROPOSAL, "amount": less},
    }


async def test_a_rejection_has_no_proposal_to_execute() -> None:
    after = await reject(decided(Verdict.REJECT))
    assert after["case"]["resolution"] == {"status": "rejected"}


async def test_a_node_changes_nothing_that_it_was_given() -> None:
    state = decided(Verdict.MODIFY, {"method": "store_credit"})
    before = deepcopy(state)
    await execute(state)
    await reject(state)
    assert state == before


def test_only_the_approved_actions_are_kept() -> None:
    actions = [{"name": "send_email"}, {"name": "delete_account"}, {"name": "add_note"}]
    kept = with_changes({"action": "tools", "actions": actions}, {"approved_actions": [0, 2]})
    assert kept == {"action": "tools", "actions": [actions[0], actions[2]]}


def test_approving_no_action_at_all_keeps_none() -> None:
    kept = with_changes({"actions": [{"name": "send_email"}]}, {"approved_actions": []})
    assert kept == {"actions": []}


def test_an_action_that_was_not_proposed_cannot_be_approved() -> None:
    with pytest.raises(IndexError):
        with_changes({"actions": [{"name": "send_email"}]}, {"approved_actions": [1]})
