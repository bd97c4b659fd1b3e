"""What `signoff up` says of an event: a sentence that a person understands without the contract at hand."""

from datetime import UTC, datetime

import pytest

from schemas.events import ApprovalUpdated, ExceptionRaised, MessageRejected, ResolutionOutcome, ReviewDecided
from schemas.values import (
    ActionResult,
    ActionStatus,
    ApprovalChange,
    ExceptionKind,
    Money,
    OutcomeStatus,
    RejectionReason,
    Reviewer,
    Verdict,
)
from worker.cli.up.demo import run_name
from worker.cli.up.narration import tell
from worker.cli.up.scenarios import SCENARIOS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def says(event: object) -> str:
    told = tell(event)  # type: ignore[arg-type]
    assert told is not None
    return f"{told.about} | {told.what} | {told.says}"


def outcome(status: OutcomeStatus, **fields: object) -> ResolutionOutcome:
    return ResolutionOutcome.model_validate(
        {
            "case_id": "c",
            "exception_id": "EXC-1",
            "kind": "refund",
            "status": status,
            "automatic": False,
            "opened_at": NOW,
            "finished_at": NOW,
            **fields,
        }
    )


def test_an_account_change_is_told_without_the_new_address() -> None:
    event = ExceptionRaised(
        exception_id="EXC-1",
        kind=ExceptionKind.ACCOUNT_CHANGE,
        order_id="ORD-1",
        customer_id="CUST-1",
        requested_by="agent:web-chat",
        changes={"delivery_address": "1 Harbour Street"},
    )
    assert says(event) == (
        "EXC-1 | raised | agent:web-chat asks for a change of the account's delivery_address on order ORD-1"
    )


def test_an_action_without_an_order_is_told_by_its_name() -> None:
    event = ExceptionRaised.model_validate(
        {
            "exception_id": "EXC-1",
            "kind": "action_request",
            "requested_by": "agent:mailer",
            "action": {"name": "send_email"},
        }
    )
    assert says(event) == "EXC-1 | raised | agent:mailer asks for leave to send_email"


def test_a_changed_amount_is_told_as_money() -> None:
    decided = ReviewDecided(
        decision_id="d",
        exception_id="EXC-1",
        verdict=Verdict.MODIFY,
        reviewer=Reviewer(id="user:maria"),
        changes={"amount": Money(amount_minor=12000, currency="USD").model_dump()},
        comment="keeps the mug",
    )
    assert says(decided) == 'EXC-1 | decision | user:maria says modify (amount 120.00 USD): "keeps the mug"'


@pytest.mark.parametrize("amount", [{"amount_minor": None, "currency": 7}, {"amount_minor": "x", "currency": "USD"}, 5])
def test_a_change_that_makes_no_sense_is_still_told(amount: object) -> None:
    decided = ReviewDecided(
        decision_id="d",
        exception_id="EXC-1",
        verdict=Verdict.MODIFY,
        reviewer=Reviewer(id="user:maria"),
        changes={"amount": amount},
    )
    assert "user:maria says modify (amount " in says(decided)


@pytest.mark.parametrize("status", list(OutcomeStatus))
def test_every_outcome_has_its_words(status: OutcomeStatus) -> None:
    assert says(outcome(status)).startswith(f"EXC-1 | {status} | ")


def test_of_tool_calls_each_one_is_told_with_what_became_of_it() -> None:
    results = [
        ActionResult(id="0", name="send_email", status=ActionStatus.EXECUTED),
        ActionResult(id="1", name="erase_note", status=ActionStatus.REFUSED),
    ]
    ended = outcome(OutcomeStatus.EXECUTED).model_copy(update={"results": tuple(results)})
    assert says(ended).startswith("EXC-1 | executed | send_email executed, erase_note refused, ")


def test_a_closed_approval_is_left_to_the_receipt_and_the_outcome() -> None:
    closed = ApprovalUpdated(
        approval_id="a", case_id="c", change=ApprovalChange.CLOSED, by="user:maria", at=NOW, exception_id="EXC-1"
    )
    assert tell(closed) is None


def test_a_dead_letter_says_where_the_record_lies() -> None:
    rejected = MessageRejected(
        topic="order-exceptions",
        partition=3,
        offset=17,
        reason=RejectionReason.INVALID_JSON,
        detail="it ends too early",
    )
    assert says(rejected) == ("order-exceptions/3 at offset 17 | dead letter | INVALID_JSON: it ends too early")


def test_the_demo_leaves_at_least_three_cases_to_the_newcomer() -> None:
    automatic = {"small refund", "early cancellation"}
    waiting = [each for each in SCENARIOS if each.answer is None and each.title not in automatic]
    assert len(waiting) >= 3


def test_two_runs_a_second_apart_have_different_names() -> None:
    assert run_name(1_795_235_982) == "1NG284E"
    assert run_name(1_795_235_983) == "1NG284F"
