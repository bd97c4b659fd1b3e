"""Falsified runs: money and actions, and what is told of them (invariants 3 and 4)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.falsified import Lie, Lies, assert_seen_through
from tests.chaos.told_files import iso, usd
from tests.chaos.told_run import Told

lies = Lies()


@pytest.mark.parametrize("lie", lies, ids=str)
def test_the_checker_sees_through(lie: Lie, tmp_path: Path) -> None:
    assert_seen_through(lie, tmp_path)


def _never_decided(told: Told, row: dict[str, Any]) -> None:
    """As if nobody had sent it and nothing had come of it."""
    told.first.tables["decisions"].remove(row)


# 3, money


@lies.about(3, "money moved without its approval: level manager has 0 of 1")
def money_that_moved_without_a_signature(told: Told) -> None:
    _never_decided(told, told.first.row("decisions", case_id=told.case(2)["case_id"], code="ACCEPTED"))


@lies.about(3, "money moved without its approval: level director has 0 of 1")
def money_that_moved_after_the_first_of_two_levels(told: Told) -> None:
    _never_decided(told, told.of("decisions", 3)[1])


@lies.about(3, "money moved without its approval: level director has 0 of 1")
def money_that_moved_before_its_last_signature(told: Told) -> None:
    told.of("decisions", 3)[1]["received_at"] = iso(told.movement(3)["at"] + 0.01)


@lies.about(3, "money moved without its approval: level board has 1 of 2")
def money_that_moved_with_half_a_quorum(told: Told) -> None:
    _never_decided(told, told.of("decisions", 4)[0])


@lies.about(3, "money moved without its approval: level board has 1 of 2")
def a_quorum_of_one_person_under_two_spellings(told: Told) -> None:
    told.of("decisions", 4)[1]["reviewer"] = "User:Bea"


@lies.about(3, "money moved without its approval: level board has 1 of 2")
def a_quorum_that_signed_before_the_amount_was_changed(told: Told) -> None:
    told.of("decisions", 4)[1] |= {"verdict": "modify"}
    told.of("approvals", 4)[0]["body"]["closed_as"] = "modified"


@lies.about(3, "money moved without its approval: nobody signed round 2")
def a_declined_payment_that_was_tried_again_without_asking(told: Told) -> None:
    _never_decided(told, told.of("decisions", 8)[0])


@lies.about(3, "money moved without its approval: level manager has 0 of 1")
def an_escalation_that_counts_as_a_signature(told: Told) -> None:
    _never_decided(told, told.of("decisions", 11)[1])


@lies.about(3, "money moved without its approval: level manager has 0 of 1")
def somebody_below_who_stands_in_for_the_level_above(told: Told) -> None:
    told.of("approvals", 11)[1]["body"]["question"]["level"]["name"] = "intern"


@lies.about(3, "money moved 2 times")
def a_payment_that_was_made_twice_under_two_keys(told: Told) -> None:
    told.payments.append({**told.movement(1), "idempotency_key": f"signoff:{told.case(1)['case_id']}:2"})


@lies.about(3, "money moved 2 times")
def a_payment_that_was_made_twice_under_one_key(told: Told) -> None:
    told.payments.append({**told.movement(1)})


@lies.about(3, "a payment was tried again 1 times without a look")
def a_payment_that_was_tried_again_without_a_look(told: Told) -> None:
    asked = next(line for line in told.payments if line["event"] == "asked")
    looked = {"event": "looked-up", "at": told.now, "idempotency_key": asked["idempotency_key"], "found": False}
    told.payments += [looked, asked, asked]


@lies.about(3, "money moved for what nobody asked for")
def a_payment_under_a_key_of_nobody(told: Told) -> None:
    told.movement(1)["idempotency_key"] = "0d5f6c1e"


@lies.about(3, "money moved without an intent on record")
def a_payment_without_an_intent(told: Told) -> None:
    told.first.tables["intents"].remove(told.of("intents", 1)[0])


@lies.about(3, "money moved before its intent was on record")
def a_payment_before_its_intent(told: Told) -> None:
    told.of("intents", 1)[0]["created_at"] = iso(told.movement(1)["at"] + 0.01)


@lies.about(3, "money moved otherwise than its intent says")
def a_payment_of_another_amount_than_was_intended(told: Told) -> None:
    told.of("intents", 2)[0]["body"]["amount"] = usd(11_000)


@lies.about(3, "money moved otherwise than its intent says")
def a_payment_by_another_method_than_was_intended(told: Told) -> None:
    told.movement(2)["method"] = "store_credit"


@lies.about(3, "more than the 12000 USD that was approved")
def a_payment_of_what_was_asked_for_and_not_of_what_was_approved(told: Told) -> None:
    told.movement(2)["amount"] = 15_000


@lies.about(3, "more than the 5000 USD that was asked for")
def a_payment_of_more_than_was_asked_for(told: Told) -> None:
    told.movement(1)["amount"] = 5_001


@lies.about(3, "more than the 4999 USD that was captured")
def a_payment_of_more_than_was_captured(told: Told) -> None:
    told.orders["ORD-1"]["captured_minor"] = 4_999


@lies.about(3, "moved of the 100000 USD that were captured")
def payments_of_two_cases_that_are_more_than_was_captured(told: Told) -> None:
    told.movement(1)["order_id"] = told.movement(11)["order_id"] = "ORD-3"


@lies.about(3, "money moved for another order")
def a_payment_for_another_order(told: Told) -> None:
    told.movement(1)["order_id"] = "ORD-2"


@lies.about(3, "another currency")
def a_payment_in_another_currency(told: Told) -> None:
    told.movement(1)["currency"] = "EUR"


@lies.about(3, "money moved for an order that the shop does not know")
def a_payment_for_an_order_that_nobody_knows(told: Told) -> None:
    del told.orders["ORD-1"]


@lies.about(3, "money moved for a case that does not exist")
def a_payment_for_no_case(told: Told) -> None:
    told.movement(1)["case_id"] = "no such case"


@lies.about(3, "and no payment was approved")
def a_payment_of_what_a_reviewer_turned_into_a_replacement(told: Told) -> None:
    row = told.of("decisions", 3)[1]
    row["verdict"], row["body"]["choice"] = "choose", 0
    told.retell(told.questions(3)[1], alternatives=[{"action": "replacement", "amount": None}])


@lies.about(3, "more than the 3000 USD that was approved")
def a_payment_of_more_than_the_alternative_that_was_chosen(told: Told) -> None:
    row = told.of("decisions", 3)[1]
    row["verdict"], row["body"]["choice"] = "choose", "0"
    told.retell(told.questions(3)[1], alternatives=[{"action": "refund", "amount": usd(3_000)}])


# 3, actions


@lies.about(3, "an action ran without its approval")
def an_action_that_ran_without_a_signature(told: Told) -> None:
    _never_decided(told, told.of("decisions", 7)[0])


@lies.about(3, "an action ran that was not approved: add_note")
def an_action_that_ran_though_it_was_left_out(told: Told) -> None:
    told.ran(told.case(7), told.of("intents", 7)[0], "1", "add_note", {"to": "ann"})


@lies.about(3, "an action ran in another form than was approved")
def an_action_that_ran_in_its_first_form(told: Told) -> None:
    told.effects[0]["args"] = {"to": "ann"}


@lies.about(3, "an action ran in another form than was approved")
def an_action_that_ran_as_another(told: Told) -> None:
    told.effects[0]["name"] = "buy_stock"


@lies.about(3, "an action ran 2 times")
def an_action_that_ran_twice(told: Told) -> None:
    told.effects.append(dict(told.effects[0]))


@lies.about(3, "an action ran without an intent on record")
def an_action_without_an_intent(told: Told) -> None:
    told.first.tables["intents"].remove(told.of("intents", 7)[0])


@lies.about(3, "an action ran before its intent was on record")
def an_action_before_its_intent(told: Told) -> None:
    told.of("intents", 7)[0]["created_at"] = iso(told.effects[0]["at"] + 0.01)


@lies.about(3, "an action ran without its approval")
def an_action_that_was_signed_after_its_intent(told: Told) -> None:
    told.of("decisions", 7)[0]["received_at"] = iso(told.effects[0]["at"])


@lies.about(3, "an action ran for a case that does not exist")
def an_action_of_no_case(told: Told) -> None:
    told.effects[0]["case_id"] = "no such case"


@lies.about(3, "executed without its approval: level director has 0 of 1")
def an_account_change_that_nobody_signed(told: Told) -> None:
    _never_decided(told, told.of("decisions", 12)[0])


@lies.about(3, "the outcome lets send_email run in another form than was approved")
def an_outcome_that_lets_an_action_run_in_its_first_form(told: Told) -> None:
    told.retell(told.outcome(7), actions=[{"id": "0", "name": "send_email", "args": {"to": "ann"}}])


@lies.about(3, "the outcome lets run what was not approved: add_note")
def an_outcome_that_lets_an_action_run_that_was_left_out(told: Told) -> None:
    told.retell(told.outcome(7), actions=[{"id": "1", "name": "add_note", "args": {"to": "ann"}}])


@lies.about(3, "the outcome calls add_note approved, and does not name it")
def an_outcome_that_approves_an_action_without_its_arguments(told: Told) -> None:
    told.retell(told.outcome(7), results=[{"id": "1", "name": "add_note", "status": "approved"}])


@lies.about(3, "the outcome carries other changes than were approved")
def an_outcome_that_changes_another_account(told: Told) -> None:
    told.retell(told.outcome(12), changes={"email": "eve@example.org"})


# 4


@lies.about(4, "were never paid")
def a_payment_that_was_told_and_never_made(told: Told) -> None:
    told.payments.remove(told.movement(1))


@lies.about(4, "the outcome tells of 4000 USD")
def an_outcome_of_another_amount(told: Told) -> None:
    told.retell(told.outcome(1), amount=usd(4_000))


@lies.about(4, "the outcome tells of")
def an_outcome_with_the_reference_of_another_payment(told: Told) -> None:
    told.retell(told.outcome(1), payment_reference="pay-99")


@lies.about(4, "the outcome says nothing of it")
def an_outcome_that_keeps_quiet_about_a_payment(told: Told) -> None:
    told.retell(told.outcome(1), amount=None)


@lies.about(4, "paid, and the case is failed")
def a_payment_that_was_taken_for_a_failure(told: Told) -> None:
    told.case(1)["state"] = "failed"


@lies.about(4, "paid, and on record as failed")
def a_payment_that_is_on_record_as_declined(told: Told) -> None:
    told.of("intents", 1)[0]["state"] = "failed"


@lies.about(4, "an intent was concluded as forgotten")
def an_intent_that_ended_as_nothing(told: Told) -> None:
    told.of("intents", 7)[0]["state"] = "forgotten"


@lies.about(4, "its last intent is failed, the case executed")
def a_case_that_was_executed_though_its_actions_failed(told: Told) -> None:
    told.of("intents", 7)[0]["state"] = "failed"


@lies.about(4, "an intent of a case that does not exist")
def an_intent_of_no_case(told: Told) -> None:
    told.of("intents", 7)[0]["case_id"] = "no such case"


@lies.about(4, "on record as paid, and nothing moved")
def a_payment_that_is_on_record_and_was_never_made(told: Told) -> None:
    told.payments.remove(told.movement(2))


@lies.about(4, "on record under reference")
def a_payment_under_another_reference(told: Told) -> None:
    told.of("intents", 1)[0]["reference"] = "pay-99"


@lies.about(4, "were never paid")
def a_pending_payment_that_failed_after_it_was_told(told: Told) -> None:
    told.payments.append({**told.movement(1), "event": "settled", "status": "failed"})


@lies.about(4, "12000 USD were approved, 11000 USD paid")
def a_payment_of_less_than_was_approved(told: Told) -> None:
    told.movement(2)["amount"] = 11_000
    told.retell(told.outcome(2), amount=usd(11_000))


@lies.about(4, "failed, and nobody is told why")
def a_failure_without_a_reason(told: Told) -> None:
    told.retell(told.outcome(5), status="failed")


@lies.about(4, "its last question is approved, the case rejected")
def an_approved_case_that_was_rejected(told: Told) -> None:
    told.of("approvals", 5)[0]["body"]["closed_as"] = "approved"


@lies.about(4, "its last question is expired, the case executed")
def a_case_that_was_executed_because_nobody_answered(told: Told) -> None:
    told.case(6)["state"] = "executed"


@lies.about(4, "send_email is said to have run, and did not")
def an_action_that_is_said_to_have_run(told: Told) -> None:
    told.ran(told.case(1), told.of("intents", 1)[0], "0", "send_email", {"to": "eve"})
    del told.effects[0]


@lies.about(4, "send_email ran, and is said to be failed")
def an_action_that_is_said_to_have_failed(told: Told) -> None:
    results = json.loads(told.outcome(7)["payload"])["results"]
    told.retell(told.outcome(7), results=[{**results[0], "status": "failed"}, results[1]])


@lies.about(4, "set aside for the order")
def a_reservation_that_was_kept_without_a_payment(told: Told) -> None:
    told.first.row("order_balances", order_id="ORD-8")["refunded_minor"] = 8_000


@lies.about(4, "a balance of 200000, where 100000 USD were captured")
def a_balance_of_more_than_was_captured(told: Told) -> None:
    told.first.row("order_balances", order_id="ORD-8")["captured_minor"] = 200_000


@lies.about(4, "withdrawn, and nobody withdrew it")
def a_case_that_nobody_withdrew(told: Told) -> None:
    told.case(5)["state"] = "withdrawn"
