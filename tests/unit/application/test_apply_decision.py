"""A reviewer decides: each decision is answered with exactly one receipt, and at most one takes effect."""

import asyncio
from typing import Any

import pytest

from schemas.values import Verdict
from tests.builders import Event, an_order, decision_event, refund_event, usd
from tests.policies import level, policy
from tests.unit.application.desk import Desk

EARLY_S = 300
DUE_S = 86_400


@pytest.fixture
async def asked(desk: Desk) -> Desk:
    """EXC-1 waits for a manager to decide about 150.00 USD."""
    await desk.raises(refund_event())
    return desk


async def test_an_approval_is_accepted_and_the_money_goes_back(asked: Desk) -> None:
    await asked.decides(decision_event())
    receipt = asked.receipt()
    assert (receipt["code"], receipt["accepted"], receipt["decided_by"]) == ("ACCEPTED", True, "user:maria")
    [outcome] = asked.outcomes()
    assert outcome["status"] == "executed"
    assert [(signed["reviewer"], signed["verdict"]) for signed in outcome["decided_by"]] == [("user:maria", "approve")]
    assert asked.payments.paid_minor("ORD-1") == 15_000


async def test_a_decision_may_name_the_approval_request_by_our_id(asked: Desk) -> None:
    approval_id = str(asked.approval().approval_id)
    await asked.decides(decision_event(exception_id=None, approval_id=approval_id))
    assert asked.receipt()["code"] == "ACCEPTED"


async def test_a_rejection_ends_the_case_without_a_payment(asked: Desk) -> None:
    await asked.decides(decision_event("reject", comment="the mug was fine"))
    [outcome] = asked.outcomes()
    assert (outcome["status"], outcome["reason"], outcome["amount"]) == ("rejected", "the mug was fine", None)
    assert asked.payments.calls == []


async def test_a_screen_is_told_that_its_card_is_closed(asked: Desk) -> None:
    await asked.decides(decision_event())
    updated = asked.approvals()[-1]
    assert (updated["change"], updated["by"], updated["reason"]) == ("closed", "user:maria", "approved")


async def test_the_same_decision_twice_is_a_duplicate(asked: Desk) -> None:
    decision = decision_event()
    await asked.decides(decision)
    await asked.decides(decision)
    assert [receipt["code"] for receipt in asked.receipts()] == ["ACCEPTED", "DUPLICATE"]
    assert len(asked.payments.entries) == 1


async def test_a_decision_that_was_refused_stays_answered(asked: Desk) -> None:
    decision = decision_event(reviewer={"id": "user:otto", "roles": ["clerk"]})
    await asked.decides(decision)
    await asked.decides({**decision, "reviewer": {"id": "user:otto", "roles": ["manager"]}})
    assert [receipt["code"] for receipt in asked.receipts()] == ["NOT_AUTHORISED", "DUPLICATE"]
    assert asked.case().state == "waiting"


async def test_a_second_reviewer_is_told_who_decided_first_and_when(asked: Desk) -> None:
    await asked.decides(decision_event())
    await asked.decides(decision_event("reject", reviewer={"id": "user:omar", "roles": ["manager"]}))
    receipt = asked.receipt()
    assert receipt["code"] == "ALREADY_DECIDED"
    assert (receipt["decided_by"], receipt["decided_at"]) == ("user:maria", "2026-01-05T09:00:00Z")
    assert "user:maria" in receipt["message"]
    assert "2026-01-05 09:00:00Z" in receipt["message"]
    assert asked.outcomes()[0]["status"] == "executed"


async def test_of_two_decisions_at_once_one_wins_and_the_other_is_told_so(asked: Desk) -> None:
    await asyncio.gather(
        asked.decides(decision_event()),
        asked.decides(decision_event("reject", reviewer={"id": "user:omar", "roles": ["manager"]})),
    )
    receipts = {receipt["code"]: receipt for receipt in asked.receipts()}
    assert set(receipts) == {"ACCEPTED", "ALREADY_DECIDED"}
    assert receipts["ALREADY_DECIDED"]["decided_by"] == receipts["ACCEPTED"]["decided_by"]
    assert len(asked.outcomes()) == 1


async def test_a_decision_about_a_case_that_needed_none_is_told_so(desk: Desk) -> None:
    await desk.raises(refund_event(amount_minor=100))
    await desk.decides(decision_event("reject"))
    assert desk.receipt()["code"] == "ALREADY_DECIDED"
    assert desk.outcomes()[0]["status"] == "executed"


async def test_a_decision_after_the_deadline_is_too_late_even_before_the_timer_fires(asked: Desk) -> None:
    asked.clock.advance(DUE_S + 1)
    await asked.decides(decision_event())
    assert asked.receipt()["code"] == "EXPIRED"
    assert asked.payments.calls == []


async def test_a_decision_at_the_deadline_is_in_time(asked: Desk) -> None:
    asked.clock.advance(DUE_S)
    await asked.decides(decision_event())
    assert asked.receipt()["code"] == "ACCEPTED"


async def test_a_decision_after_the_expiry_learns_of_the_deadline() -> None:
    asked = Desk(policy(level("manager")))
    await asked.raises(refund_event())
    await asked.passes(DUE_S)
    await asked.decides(decision_event())
    receipt = asked.receipt()
    assert receipt["code"] == "EXPIRED"
    assert "2026-01-06 09:00:00Z" in receipt["message"]


async def test_a_decision_on_what_is_no_longer_shown_is_stale(asked: Desk) -> None:
    await asked.decides(decision_event(review_hash="0" * 64))
    assert asked.receipt()["code"] == "STALE"
    await asked.decides(decision_event(review_hash=asked.approval().review_hash))
    assert asked.receipt()["code"] == "ACCEPTED"


async def test_an_approval_is_stale_when_too_little_is_left_of_the_order(asked: Desk) -> None:
    await asked.raises(refund_event("EXC-2", 7_500))
    await asked.decides(decision_event())
    receipt = asked.receipt()
    assert receipt["code"] == "STALE"
    assert "125.00 USD" in receipt["message"]
    await asked.decides(decision_event("modify", changes={"amount": {"amount_minor": 12_500, "currency": "USD"}}))
    assert asked.receipt()["code"] == "ACCEPTED"
    assert asked.payments.paid_minor("ORD-1") == 20_000


async def test_rejecting_needs_nothing_to_be_left(asked: Desk) -> None:
    await asked.raises(refund_event("EXC-2", 10_000))
    await asked.decides(decision_event("reject"))
    assert asked.receipt()["code"] == "ACCEPTED"


async def test_an_approval_is_stale_when_the_order_turns_out_to_be_in_another_currency(desk: Desk) -> None:
    """Two snapshots of one order disagree; the first that money was set aside from is the one that counts."""
    paid_in_euro: Event = {"order": {"captured": {"amount_minor": 20_000, "currency": "EUR"}}}
    await desk.raises(refund_event("EXC-1", 5_000))
    in_euro = {"amount_minor": 5_000, "currency": "EUR"}
    await desk.raises(refund_event("EXC-2", amount=in_euro, **paid_in_euro))
    await desk.decides(decision_event(exception_id="EXC-2"))
    receipt = desk.receipt()
    assert receipt["code"] == "STALE"
    assert "USD" in receipt["message"]
    assert desk.case("EXC-2").state == "waiting"


async def test_an_early_decision_waits_for_its_case(desk: Desk) -> None:
    await desk.decides(decision_event())
    assert desk.receipts() == []
    await desk.raises(refund_event())
    await desk.passes(0)
    assert desk.receipt()["code"] == "ACCEPTED"


async def test_a_decision_whose_case_never_comes_is_answered_after_the_wait(desk: Desk) -> None:
    await desk.decides(decision_event())
    for _ in range(9):
        await desk.passes(30)
    assert desk.receipts() == []
    await desk.passes(30)
    assert desk.receipt()["code"] == "UNKNOWN_APPROVAL"


@pytest.mark.parametrize("approval_id", ["not one of ours", "{00000000-0000-0000-0000-000000000009}"])
async def test_an_id_that_we_did_not_make_is_unknown_after_the_wait(asked: Desk, approval_id: str) -> None:
    await asked.decides(decision_event(exception_id=None, approval_id=approval_id))
    await asked.passes(EARLY_S)
    assert asked.receipt()["code"] == "UNKNOWN_APPROVAL"


async def test_a_decision_for_a_level_that_does_not_ask_is_unknown(asked: Desk) -> None:
    await asked.decides(decision_event(level="finance"))
    receipt = asked.receipt()
    assert receipt["code"] == "UNKNOWN_APPROVAL"
    assert "manager" in receipt["message"]


async def test_a_reviewer_without_the_role_is_not_authorised(asked: Desk) -> None:
    await asked.decides(decision_event(reviewer={"id": "user:otto", "roles": ["clerk"]}))
    receipt = asked.receipt()
    assert receipt["code"] == "NOT_AUTHORISED"
    assert "manager" in receipt["message"]
    assert asked.case().state == "waiting"


@pytest.mark.parametrize("spelling", ["agent:web-chat", "Agent:Web-Chat", " agent:web-chat\t", "AGENT:WEB-CHAT"])
async def test_who_requested_it_cannot_decide_it_under_any_spelling(asked: Desk, spelling: str) -> None:
    await asked.decides(decision_event(reviewer={"id": spelling, "roles": ["manager"]}))
    assert asked.receipt()["code"] == "SELF_APPROVAL"
    assert asked.case().state == "waiting"


@pytest.mark.parametrize("verdict", [{"verdict": "escalate"}, {"verdict": "choose", "choice": 0}])
async def test_a_verdict_that_was_not_offered_is_refused(verdict: dict[str, Any]) -> None:
    few = (Verdict.APPROVE, Verdict.REJECT, Verdict.MODIFY)
    asked = Desk(policy(level("manager", allowed_verdicts=few)))
    await asked.raises(refund_event())
    await asked.decides(decision_event(**verdict))
    receipt = asked.receipt()
    assert receipt["code"] == "VERDICT_NOT_ALLOWED"
    assert "approve, reject, modify" in receipt["message"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"amount": {"amount_minor": 15_001, "currency": "USD"}}, "not above 150.00 USD"),
        ({"amount": {"amount_minor": 0, "currency": "USD"}}, "above zero"),
        ({"amount": {"amount_minor": 100, "currency": "EUR"}}, "in USD"),
        ({"amount": {"amount_minor": -1, "currency": "USD"}}, "changes.amount.amount_minor"),
        ({"amount": {"amount_minor": "100", "currency": "USD"}}, "changes.amount.amount_minor"),
        ({"amount": 100}, "changes.amount"),
        ({"ammount": {"amount_minor": 100, "currency": "USD"}}, "changes.ammount"),
        ({"method": "cash"}, "changes.method"),
        ({"approved_actions": [0]}, "approved_actions"),
        ({"amount": None}, "needs `changes`"),
    ],
)
async def test_changes_that_do_not_fit_are_refused_by_name(
    asked: Desk, changes: dict[str, Any], complaint: str
) -> None:
    await asked.decides(decision_event("modify", changes=changes))
    receipt = asked.receipt()
    assert receipt["code"] == "INVALID_CHANGES"
    assert complaint in receipt["message"]
    assert asked.case().state == "waiting"


async def test_an_approval_that_carries_changes_is_not_taken_for_one_without(asked: Desk) -> None:
    """Else the whole amount would be paid against what the reviewer typed."""
    await asked.decides(decision_event("approve", changes={"amount": {"amount_minor": 100, "currency": "USD"}}))
    receipt = asked.receipt()
    assert receipt["code"] == "INVALID_CHANGES"
    assert "modify" in receipt["message"]
    assert asked.payments.calls == []


async def test_money_cannot_be_given_to_what_moves_none(desk: Desk) -> None:
    await desk.raises(refund_event(kind="account_change", amount=None, changes={"email": "new@example.org"}))
    await desk.decides(decision_event("modify", changes={"amount": {"amount_minor": 100, "currency": "USD"}}))
    assert desk.receipt()["code"] == "INVALID_CHANGES"
    await desk.decides(decision_event("modify", changes={"method": "store_credit"}))
    assert desk.receipt()["code"] == "INVALID_CHANGES"


async def test_a_decision_of_which_only_the_id_can_be_read_is_answered(asked: Desk) -> None:
    await asked.decides({"decision_id": "d1", "exception_id": "EXC-1", "verdict": "perhaps", "reviewer": {"id": "u"}})
    receipt = asked.receipt()
    assert (receipt["decision_id"], receipt["code"]) == ("d1", "INVALID")
    assert "verdict" in receipt["message"]
    assert asked.case().state == "waiting"


async def test_a_modify_verdict_without_changes_is_answered_as_such(asked: Desk) -> None:
    await asked.decides(decision_event("modify"))
    assert asked.receipt()["code"] == "INVALID_CHANGES"
    assert asked.case().state == "waiting"


@pytest.mark.parametrize("batch", [[], "all of them", [{}] * 1001])
async def test_a_batch_that_is_none_is_a_dead_letter_and_does_not_vanish(asked: Desk, batch: object) -> None:
    await asked.decides({"decisions": batch})
    [letter] = asked.dead_letters()
    assert letter["reason"] == "SCHEMA_INVALID"


async def test_a_modified_amount_is_what_is_paid_and_what_the_customer_is_told(asked: Desk) -> None:
    await asked.decides(decision_event("modify", changes={"amount": {"amount_minor": 12_000, "currency": "USD"}}))
    [outcome] = asked.outcomes()
    assert outcome["amount"] == {"amount_minor": 12_000, "currency": "USD"}
    assert outcome["customer_message"] == "Your refund of 120.00 USD is on its way."
    assert asked.payments.paid_minor("ORD-1") == 12_000


async def test_a_reviewers_own_words_reach_the_customer(asked: Desk) -> None:
    changes = {"method": "store_credit", "customer_message": "A credit is waiting for you."}
    await asked.decides(decision_event("modify", changes=changes))
    [outcome] = asked.outcomes()
    assert (outcome["method"], outcome["customer_message"]) == ("store_credit", "A credit is waiting for you.")


async def test_two_cases_of_one_order_never_pay_back_more_than_it_captured(desk: Desk) -> None:
    await desk.raises(refund_event("EXC-1", 15_000))
    await desk.raises(refund_event("EXC-2", 15_000))
    await asyncio.gather(
        desk.decides(decision_event(exception_id="EXC-1")), desk.decides(decision_event(exception_id="EXC-2"))
    )
    assert sorted(receipt["code"] for receipt in desk.receipts()) == ["ACCEPTED", "STALE"]
    assert desk.payments.paid_minor("ORD-1") == 15_000


async def test_what_was_refunded_before_us_counts(desk: Desk) -> None:
    desk.orders.orders["ORD-1"] = an_order(usd(20_000), refunded=usd(15_000))
    await desk.raises(refund_event(amount_minor=9_000))
    await desk.decides(decision_event())
    assert desk.receipt()["code"] == "STALE"
    assert desk.payments.calls == []


async def test_a_refused_decision_is_on_record_without_a_word_of_its_content(asked: Desk) -> None:
    await asked.decides(decision_event(decision_id="d1", reviewer={"id": "u", "roles": []}, comment="canary"))
    entry = asked.trail()[-1]
    assert (entry.action, entry.detail["code"], entry.detail["decision_id"]) == (
        "decision refused",
        "NOT_AUTHORISED",
        "d1",
    )
    assert "canary" not in entry.model_dump_json()
