"""Choosing: another method, an alternative, and cases that confirm the details before the method."""

import pytest

from tests.builders import refund_event, usd
from tests.policies import level, policy, rule
from tests.unit.application.desk import Desk

ONE_LEVEL = policy(level("manager"))
TWO_STEPS = policy(level("manager"), rules=(rule("manager", two_step=True),))


async def test_a_method_is_chosen_by_its_name() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event())
    await desk.says("maria", "choose", choice="store_credit")
    (outcome,) = desk.outcomes()
    assert (outcome["method"], outcome["amount"]["amount_minor"]) == ("store_credit", 15_000)
    assert outcome["decided_by"][0]["verdict"] == "choose"


async def test_an_alternative_is_chosen_by_its_index() -> None:
    desk = Desk(ONE_LEVEL)
    less = {"action": "refund", "method": "bank_transfer", "amount": {"amount_minor": 5_000, "currency": "USD"}}
    await desk.raises(refund_event(alternatives=[{"action": "replacement"}, less]))
    await desk.says("maria", "choose", choice=1)
    (outcome,) = desk.outcomes()
    assert (outcome["method"], outcome["amount"]["amount_minor"]) == ("bank_transfer", 5_000)


async def test_an_alternative_that_pays_nothing_moves_no_money_and_says_so() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event(alternatives=[{"action": "replacement"}]))
    await desk.says("maria", "choose", choice="0")
    (outcome,) = desk.outcomes()
    assert (outcome["status"], outcome["action"], outcome["amount"]) == ("executed", "replacement", None)
    assert desk.payments.paid_minor("ORD-1") == 0


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (2, "there are 1 alternatives, counted from 0"),
        ("cash", "choose among original_method, store_credit, bank_transfer"),
        (0, "must be above zero and not above 150.00 USD"),
    ],
)
async def test_a_choice_that_was_not_offered_is_refused(choice: int | str, says: str) -> None:
    desk = Desk(ONE_LEVEL)
    more = {"action": "refund", "amount": usd(16_000).model_dump()}
    await desk.raises(refund_event(alternatives=[more]))
    receipt = await desk.says("maria", "choose", choice=choice)
    assert receipt["code"] == "INVALID_CHANGES"
    assert says in receipt["message"]
    assert desk.outcomes() == []


async def test_an_account_change_offers_no_method() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event(kind="account_change", amount=None, changes={"email": "x@example.com"}))
    assert (await desk.says("maria", "choose", choice="store_credit"))["code"] == "INVALID_CHANGES"


async def test_a_two_step_level_confirms_the_details_and_then_the_method() -> None:
    desk = Desk(TWO_STEPS)
    await desk.raises(refund_event())

    details = desk.asked()[-1]
    assert (details["part"], "choose" in details["allowed_verdicts"]) == ("details", False)
    await desk.says("maria", "modify", changes={"amount": {"amount_minor": 12_000, "currency": "USD"}})
    method = desk.asked()[-1]
    assert (method["part"], method["level"]) == ("method", {"name": "manager", "number": 1, "of": 1})
    assert "modify" not in method["allowed_verdicts"]
    await desk.says("maria", "choose", choice="store_credit")

    (outcome,) = desk.outcomes()
    assert (outcome["amount"]["amount_minor"], outcome["method"]) == (12_000, "store_credit")


async def test_the_details_escalated_are_confirmed_in_two_steps_above() -> None:
    desk = Desk(
        policy(level("manager", escalates_to="director"), level("director"), rules=(rule("manager", two_step=True),))
    )
    await desk.raises(refund_event())
    await desk.says("maria", "escalate")
    await desk.says("dora")
    await desk.says("dora", "choose", choice="bank_transfer")
    assert [(asked["level"]["name"], asked["part"]) for asked in desk.asked()] == [
        ("manager", "details"),
        ("director", "details"),
        ("director", "method"),
    ]
    assert desk.outcomes()[0]["method"] == "bank_transfer"


async def test_a_reviewers_words_to_the_customer_win_over_the_draft() -> None:
    desk = Desk(policy(level("manager"), level("director")))
    await desk.raises(refund_event())
    await desk.says("maria", "modify", changes={"customer_message": "Keep the mug."})
    await desk.says("dora", "modify", changes={"amount": {"amount_minor": 12_000, "currency": "USD"}})
    assert desk.outcomes()[0]["customer_message"] == "Keep the mug."


async def test_a_reject_may_say_what_the_customer_is_told_and_nothing_else() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event())
    amount = {"amount_minor": 1, "currency": "USD"}
    assert (await desk.says("maria", "reject", changes={"amount": amount}))["code"] == "INVALID_CHANGES"
    await desk.says("maria", "reject", changes={"customer_message": "It was used."})
    (outcome,) = desk.outcomes()
    assert (outcome["status"], outcome["customer_message"], outcome["amount"]) == ("rejected", "It was used.", None)


async def test_a_screen_that_answered_one_of_three_tool_calls_has_approved_none() -> None:
    desk = Desk(ONE_LEVEL)
    actions = [{"name": "send_email"}, {"name": "buy_stock"}, {"name": "add_note"}]
    await desk.raises(
        {"exception_id": "EXC-1", "kind": "action_request", "requested_by": "agent:x", "actions": actions}
    )
    reviewer = {"id": "user:maria", "roles": ["manager"]}
    answer = {"decision_id": "D-1", "exception_id": "EXC-1", "reviewer": reviewer}

    await desk.decides({**answer, "response": {"decisions": [{"type": "approve"}]}})
    assert (desk.receipt()["code"], desk.outcomes()) == ("INVALID", [])
    await desk.decides({**answer, "decision_id": "D-2", "response": {"decisions": [{"type": "approve"}] * 3}})

    assert desk.receipt()["code"] == "ACCEPTED"
    assert desk.outcomes()[0]["status"] == "executed"


async def test_of_several_tool_calls_those_are_run_that_were_approved() -> None:
    desk = Desk(ONE_LEVEL)
    actions = [{"name": "send_email"}, {"name": "buy_stock"}, {"name": "add_note"}]
    await desk.raises(
        {"exception_id": "EXC-1", "kind": "action_request", "requested_by": "agent:x", "actions": actions}
    )
    beyond = await desk.says("maria", "modify", changes={"approved_actions": [3]})
    assert (beyond["code"], "there are 3 actions" in beyond["message"]) == ("INVALID_CHANGES", True)
    await desk.says("maria", "modify", changes={"approved_actions": [2, 0]})
    assert [action.name for action in desk.case().proposal.actions or ()] == ["send_email", "add_note"]


async def test_a_screen_that_sends_the_draft_back_has_not_written_it() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event())
    shown = desk.asked()[0]["proposal"]["customer_message"]
    less = {"amount_minor": 12_000, "currency": "USD"}
    await desk.says("maria", "modify", changes={"amount": less, "customer_message": shown})
    assert desk.outcomes()[0]["customer_message"] == "Your refund of 120.00 USD is on its way."


async def test_the_outcome_says_which_tool_calls_were_approved() -> None:
    desk = Desk(ONE_LEVEL)
    actions = [{"name": "send_email", "args": {"to": "x"}}, {"name": "buy_stock", "args": {}}]
    await desk.raises(
        {"exception_id": "EXC-1", "kind": "action_request", "requested_by": "agent:x", "actions": actions}
    )
    await desk.says("maria", "modify", changes={"approved_actions": [0]})
    outcome = desk.outcomes()[0]
    assert outcome["actions"] == [{**actions[0], "id": "0"}]
    assert [(result["name"], result["status"]) for result in outcome["results"]] == [
        ("send_email", "approved"),
        ("buy_stock", "refused"),
    ]
