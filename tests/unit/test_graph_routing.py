"""Where a case goes next, and what it comes to."""

from copy import deepcopy
from typing import Any

import pytest

from schemas.values import Verdict
from tests.threads import PROPOSAL, question
from worker.graph.nodes import execute, reject
from worker.graph.routing import UnknownVerdict, after_assessment, after_review
from worker.graph.state import State

LAST_ANSWER = {
    Verdict.APPROVE: "execute",
    Verdict.MODIFY: "execute",
    Verdict.CHOOSE: "execute",
    Verdict.REJECT: "reject",
    Verdict.REQUEST_CHANGES: "assess",
}
"""Where an answer leads when nobody else is to be asked."""

ANOTHER_QUESTION = {verdict: "human_review" for verdict in Verdict} | {
    Verdict.REJECT: "reject",
    Verdict.REQUEST_CHANGES: "assess",
}


def assessed(asks: dict[str, Any] | None) -> State:
    return {"case": {"facts": {}, "assessment": {"proposal": PROPOSAL, "question": asks, "rest": []}}}


def answered(verdict: str | None, asks_next: dict[str, Any] | None = None) -> State:
    case = assessed(asks_next)["case"]
    return {"case": {**case, "decision": {"verdict": verdict}}}


def test_a_case_with_a_question_goes_to_a_person() -> None:
    assert after_assessment(assessed(question())) == "human_review"


def test_a_case_without_a_question_is_executed() -> None:
    assert after_assessment(assessed(None)) == "execute"


@pytest.mark.parametrize(("verdict", "course"), LAST_ANSWER.items())
def test_the_last_answer_takes_its_course(verdict: Verdict, course: str) -> None:
    assert after_review(answered(verdict)) == course


@pytest.mark.parametrize(("verdict", "course"), ANOTHER_QUESTION.items())
def test_a_case_with_another_question_goes_back_to_people(verdict: Verdict, course: str) -> None:
    assert after_review(answered(verdict, question())) == course


@pytest.mark.parametrize("verdict", [Verdict.ESCALATE, "APPROVE", "yes", "", None])
def test_a_verdict_without_a_course_never_counts_as_an_approval(verdict: str | None) -> None:
    with pytest.raises(UnknownVerdict):
        after_review(answered(verdict))


async def test_an_execution_freezes_the_proposal_as_it_was_signed() -> None:
    after = await execute(answered(Verdict.APPROVE))
    assert after["case"]["resolution"] == {"status": "approved", "proposal": PROPOSAL}


async def test_a_rejection_has_no_proposal_to_execute() -> None:
    after = await reject(answered(Verdict.REJECT))
    assert after["case"]["resolution"] == {"status": "rejected"}


async def test_a_node_changes_nothing_that_it_was_given() -> None:
    state = answered(Verdict.MODIFY)
    before = deepcopy(state)
    await execute(state)
    await reject(state)
    assert state == before
