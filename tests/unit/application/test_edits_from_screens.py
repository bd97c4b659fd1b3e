"""Tool calls edited on the screens of LangChain and Agent Inbox, from the card to what runs."""

from typing import Any
from uuid import uuid4

import pytest

from tests.builders import Event, refund_event
from tests.policies import level, policy
from tests.unit.application.desk import Desk
from worker.application.ports.executors import OnUnknown
from worker.domain.analysis import Opinion
from worker.domain.approval_policy import ActionTerms

MAIL: Event = {"name": "send_email", "args": {"to": "ann"}}
NOTE: Event = {"name": "add_note", "args": {"to": "file"}}
STOCK: Event = {"name": "buy_stock", "args": {"symbol": "ACME", "count": 10}}
STOCK_SCHEMA = {
    "type": "object",
    "properties": {"symbol": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["symbol", "count"],
}


@pytest.fixture
def desk() -> Desk:
    """Mail and notes are run here; stock is bought by the agent, and the policy knows its arguments."""
    desk = Desk(policy(level("manager"), actions={"buy_stock": ActionTerms(args_schema=STOCK_SCHEMA)}))
    desk.executors.names |= {"send_email": OnUnknown.ASK, "add_note": OnUnknown.ASK}
    return desk


async def requested(desk: Desk, *actions: Event) -> Event:
    """The `hitl` block of the question."""
    await desk.raises(
        {"exception_id": "EXC-1", "kind": "action_request", "requested_by": "agent:desk", "actions": list(actions)}
    )
    block: Event = desk.asked()[-1]["hitl"]
    return block


async def answered(desk: Desk, response: object) -> Event:
    reviewer = {"id": "user:maria", "roles": ["manager"]}
    await desk.decides(
        {"decision_id": str(uuid4()), "exception_id": "EXC-1", "reviewer": reviewer, "response": response}
    )
    return desk.receipt()


def edit(name: str, **args: Any) -> Event:
    return {"type": "edit", "edited_action": {"name": name, "args": args}}


def edit_in_inbox(name: str, **args: Any) -> list[Event]:
    return [{"type": "edit", "args": {"action": name, "args": args}}]


def statuses(desk: Desk) -> list[tuple[str, str]]:
    [outcome] = desk.outcomes()
    return [(result["name"], result["status"]) for result in outcome["results"]]


async def test_a_card_that_is_edited_runs_as_edited(desk: Desk) -> None:
    block = await requested(desk, MAIL)
    [config] = block["review_configs"]
    assert "edit" in config["allowed_decisions"]
    assert config["args_schema"]["required"] == ["to"]
    assert (await answered(desk, {"decisions": [edit("send_email", to="bob")]}))["accepted"]
    assert [action.args for action in desk.executors.effects.values()] == [{"to": "bob"}]


async def test_one_is_approved_one_edited_and_one_rejected(desk: Desk) -> None:
    await requested(desk, MAIL, NOTE, STOCK)
    said = [{"type": "approve"}, edit("add_note", to="archive"), {"type": "reject", "message": "no money"}]
    assert (await answered(desk, {"decisions": said}))["accepted"]
    assert statuses(desk) == [("send_email", "executed"), ("add_note", "executed"), ("buy_stock", "refused")]
    assert [action.args for action in desk.executors.effects.values()] == [{"to": "ann"}, {"to": "archive"}]


async def test_a_number_typed_into_agent_inbox_is_a_number(desk: Desk) -> None:
    await requested(desk, STOCK)
    assert (await answered(desk, edit_in_inbox("buy_stock", symbol="ACME", count="5")))["accepted"]
    assert desk.outcomes()[0]["actions"][0]["args"] == {"symbol": "ACME", "count": 5}


async def test_a_text_that_is_no_number_is_refused_by_the_schema() -> None:
    def needs_a_count(args: Any) -> str | None:
        return None if isinstance(args["count"], int) else "args.count: must be of type integer"

    terms = ActionTerms(args_schema=STOCK_SCHEMA, problem_with=needs_a_count)
    desk = Desk(policy(level("manager"), actions={"buy_stock": terms}))
    await requested(desk, STOCK)
    receipt = await answered(desk, edit_in_inbox("buy_stock", symbol="ACME", count="a few"))
    assert (receipt["code"], desk.case().state) == ("INVALID_CHANGES", "waiting")
    assert "args.count: must be of type integer" in receipt["message"]


@pytest.mark.parametrize(("actions", "said"), [([MAIL], []), ([NOTE, MAIL], [{"type": "approve"}])])
async def test_an_edit_cannot_make_another_action_of_the_one_that_was_shown(
    desk: Desk, actions: list[Event], said: list[Event]
) -> None:
    await requested(desk, *actions)
    receipt = await answered(desk, {"decisions": [*said, edit("delete_everything", to="bob")]})
    assert (receipt["code"], desk.case().state, desk.executors.calls) == ("INVALID_CHANGES", "waiting", [])
    assert f"action {len(said)} was shown as send_email" in receipt["message"]


@pytest.mark.parametrize("action", [MAIL, STOCK, {"name": "tweet", "args": {"text": "hello"}}])
async def test_a_card_sent_back_as_it_was_shown_signs_it_as_it_stands(desk: Desk, action: Event) -> None:
    await requested(desk, action)
    receipt = await answered(desk, edit_in_inbox(action["name"], **action["args"]))
    assert receipt["message"] == "approved: it is being done"
    [outcome] = desk.outcomes()
    assert outcome["actions"][0]["args"] == action["args"]
    assert [one["verdict"] for one in outcome["decided_by"]] == ["approve"]


async def test_a_card_sent_back_as_it_was_shown_counts_with_the_votes_before_it() -> None:
    desk = Desk(policy(level("manager", quorum=2)))
    desk.executors.names["send_email"] = OnUnknown.ASK
    await requested(desk, MAIL)
    assert (await desk.says("otto"))["code"] == "RECORDED"
    assert (await answered(desk, edit_in_inbox("send_email", to="ann")))["code"] == "ACCEPTED"
    assert statuses(desk) == [("send_email", "executed")]


async def test_an_edit_makes_the_votes_before_it_void() -> None:
    desk = Desk(policy(level("manager", quorum=2)))
    desk.executors.names["send_email"] = OnUnknown.ASK
    await requested(desk, MAIL)
    await desk.says("otto")
    await answered(desk, edit("send_email", to="bob"))
    assert (desk.case().state, len(desk.approval().votes)) == ("waiting", 1)
    await desk.says("otto")
    assert [action.args for action in desk.executors.effects.values()] == [{"to": "bob"}]


async def test_a_refund_sent_back_as_it_was_shown_keeps_the_draft_that_was_read() -> None:
    desk = Desk(policy(level("manager")))
    desk.analyst.opinion = Opinion(by="model:test", customer_message="Wir erstatten Ihnen 150,00 USD.")
    await desk.raises(refund_event())
    [card] = desk.asked()[-1]["hitl"]["action_requests"]
    assert (await answered(desk, edit(card["name"], **card["args"])))["accepted"]
    [outcome] = desk.outcomes()
    assert outcome["customer_message"] == "Wir erstatten Ihnen 150,00 USD."
    assert [one["verdict"] for one in outcome["decided_by"]] == ["approve"]


async def test_an_edit_of_an_action_whose_arguments_nobody_knows_is_not_offered_and_refused(desk: Desk) -> None:
    block = await requested(desk, {"name": "tweet", "args": {"text": "hello"}})
    assert "edit" not in block["review_configs"][0]["allowed_decisions"]
    receipt = await answered(desk, edit("tweet", text="goodbye"))
    assert (receipt["code"], desk.case().state) == ("INVALID_CHANGES", "waiting")
    assert "no JSON Schema" in receipt["message"]


async def test_an_answer_to_one_of_several_actions_decides_none(desk: Desk) -> None:
    await requested(desk, MAIL, NOTE)
    receipt = await answered(desk, edit("send_email", to="bob"))
    assert (receipt["code"], desk.case().state) == ("INVALID", "waiting")
    assert "answers 1 of 2 actions" in receipt["message"]


async def test_a_tool_call_named_like_a_refund_is_never_run_in_a_form_that_nobody_saw(desk: Desk) -> None:
    desk.executors.names["refund"] = OnUnknown.ASK
    block = await requested(desk, {"name": "refund", "args": {"to": "ann", "amount_minor": 5, "currency": "USD"}})
    assert "edit" not in block["review_configs"][0]["allowed_decisions"]
    receipt = await answered(desk, edit("refund", amount_minor=1, currency="USD"))
    assert (receipt["code"], desk.executors.calls) == ("INVALID_CHANGES", [])
    assert "moves no money" in receipt["message"]
