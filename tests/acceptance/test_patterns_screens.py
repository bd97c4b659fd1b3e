"""Screens that were made for other products: they are shown the question and answer it in their own words."""

from tests.acceptance.house import House, signatures
from tests.acceptance.people import JONAS, MARIA, Reviewer

TOOL_CALLS = [
    {"name": "send_email", "args": {"to": "customer@example.com"}},
    {"name": "erase_note", "args": {"note": 7}},
    {"name": "add_note", "args": {"text": "called back"}},
]


async def answers(house: House, who: Reviewer, decision_id: str, about: str, response: object) -> str:
    """A screen puts its answer into `response`, as it is; the code of the receipt."""
    decision = {"decision_id": decision_id, "exception_id": about, "reviewer": who, "response": response}
    await house.send("review-decisions", decision)
    return str((await house.receipt_of(decision_id))["code"])


async def test_a_langchain_screen_edits_a_refund_and_approves_two_tool_calls_of_three(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    await house.send(
        "order-exceptions",
        {"exception_id": "E-2", "kind": "action_request", "requested_by": "agent:desk", "actions": TOOL_CALLS},
    )

    (shown,) = (await house.question("E-1", "manager"))["hitl"]["action_requests"]
    edited = {"name": shown["name"], "args": {**shown["args"], "amount_minor": 12_000}}
    edit = {"decisions": [{"type": "edit", "edited_action": edited}]}
    assert await answers(house, MARIA, "D-1", "E-1", edit) == "ACCEPTED"

    calls = (await house.question("E-2", "manager"))["hitl"]["action_requests"]
    assert [{"name": call["name"], "args": call["args"]} for call in calls] == TOOL_CALLS
    yes, no = {"type": "approve"}, {"type": "reject", "message": "keep the note"}
    assert await answers(house, MARIA, "D-2", "E-2", {"decisions": [yes]}) == "INVALID"
    assert await answers(house, MARIA, "D-3", "E-2", {"decisions": [yes, no, yes]}) == "ACCEPTED"

    refunded = await house.outcome_of("E-1")
    assert (refunded["amount"]["amount_minor"], house.paid("E-1")) == (12_000, [12_000])
    assert "120.00 USD" in refunded["customer_message"]
    assert signatures(refunded) == signatures(await house.outcome_of("E-2")) == [("manager", "user:maria", "modify")]
    ((kept,),) = [list(row.values()) for row in house.rows("select body from cases where exception_id = 'E-2'")]
    assert [action["name"] for action in kept["proposal"]["actions"]] == ["send_email", "add_note"]


async def test_an_agent_inbox_asks_back_and_then_edits_in_text_fields(house: House) -> None:
    await house.start_worker(hitl_shape="agent-inbox")
    await house.raise_exception("E-1", 15_000)
    card = (await house.question("E-1", "manager", round=1))["hitl"]
    assert card["config"]["allow_respond"]

    asked_back = [{"type": "response", "args": "Was there a photo?"}]
    assert await answers(house, MARIA, "D-1", "E-1", asked_back) == "ACCEPTED"
    question = await house.question("E-1", "manager", round=2)
    assert question["context"]["history"][0]["comment"] == "Was there a photo?"
    action = question["hitl"]["action_request"]
    fields = {name: str(value) for name, value in {**action["args"], "amount_minor": 12_000}.items()}
    edit = [{"type": "edit", "args": {"action": action["action"], "args": fields}}]
    wrong = [{"type": "edit", "args": {"action": action["action"], "args": {**fields, "amount_minor": "120.00"}}}]
    assert await answers(house, MARIA, "D-2", "E-1", wrong) == "INVALID_CHANGES"
    assert await answers(house, MARIA, "D-3", "E-1", edit) == "ACCEPTED"
    assert await answers(house, JONAS, "D-4", "E-1", [{"type": "ignore", "args": None}]) == "ALREADY_DECIDED"

    outcome = await house.outcome_of("E-1")
    assert (outcome["status"], outcome["amount"]["amount_minor"]) == ("executed", 12_000)
    assert house.paid("E-1") == [12_000]
