"""A case goes where its state leads, and nowhere else."""

from datetime import UTC, datetime

import pytest

from schemas.values import OutcomeStatus
from tests.builders import an_unopened_case
from worker.domain.errors import IllegalTransition
from worker.domain.exception_case import TERMINAL, Case, CaseState

DAWN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def a_case_in(state: CaseState) -> Case:
    return an_unopened_case(DAWN, state=state, version=1)


@pytest.mark.parametrize("state", sorted(TERMINAL))
@pytest.mark.parametrize("target", list(CaseState))
def test_an_outcome_is_the_end(state: CaseState, target: CaseState) -> None:
    with pytest.raises(IllegalTransition, match=f"is {state} and cannot become {target}"):
        a_case_in(state).moved_to(target)


@pytest.mark.parametrize("state", list(CaseState))
def test_nothing_becomes_opened(state: CaseState) -> None:
    with pytest.raises(IllegalTransition):
        a_case_in(state).moved_to(CaseState.OPENED)


@pytest.mark.parametrize("target", [CaseState.REJECTED, CaseState.EXPIRED, CaseState.WITHDRAWN])
def test_a_payment_that_is_under_way_is_neither_rejected_nor_expired_nor_withdrawn(target: CaseState) -> None:
    with pytest.raises(IllegalTransition):
        a_case_in(CaseState.EXECUTING).moved_to(target)


@pytest.mark.parametrize("target", [CaseState.EXECUTING, CaseState.EXECUTED])
def test_a_stuck_case_moves_no_money(target: CaseState) -> None:
    with pytest.raises(IllegalTransition):
        a_case_in(CaseState.STUCK).moved_to(target)


def test_each_step_is_a_new_version_and_the_old_one_stays_as_it_was() -> None:
    waiting = a_case_in(CaseState.WAITING)
    executing = waiting.moved_to(CaseState.EXECUTING, reason="signed")
    assert (executing.state, executing.version, executing.reason) == (CaseState.EXECUTING, 2, "signed")
    assert (waiting.state, waiting.version, waiting.reason) == (CaseState.WAITING, 1, "")


def test_a_note_is_a_version_too() -> None:
    assert a_case_in(CaseState.EXECUTED).noted().version == 2


def test_the_end_states_are_the_outcomes_of_the_contract() -> None:
    assert {state.value for state in TERMINAL} == {status.value for status in OutcomeStatus}


def test_the_idempotency_key_is_of_the_case_and_its_round() -> None:
    case = a_case_in(CaseState.WAITING)
    assert case.idempotency_key == f"signoff:{case.case_id}:1"
    again = case.facts.model_copy(update={"round": 2})
    assert case.noted(facts=again).idempotency_key == f"signoff:{case.case_id}:2"
