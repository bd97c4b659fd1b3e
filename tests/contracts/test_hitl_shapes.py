"""The question in the shapes of LangChain's middleware and of Agent Inbox, held to their own type definitions."""

import copy
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware.human_in_the_loop import HITLRequest
from langgraph.prebuilt.interrupt import HumanInterrupt
from pydantic import TypeAdapter, ValidationError

from schemas.catalogue import REVIEW_DECISIONS
from schemas.values import Action, ApprovalPart, Changes, FiredRule, Proposal, Verdict
from tests.builders import a_level, a_proposal, a_question, a_record, an_approval, an_unopened_case, numbered_ids
from worker.application.announcements import ApprovalNeeded
from worker.application.messages import Decided
from worker.domain.approval import ApprovalRequest
from worker.domain.resolution import choose, modify
from worker.translation.hitl_inbound import verdict_in
from worker.translation.hitl_outbound import Shape, hitl_block
from worker.translation.inbound import Accepted, read
from worker.translation.outbound import Announcer

NOON = datetime(2026, 1, 5, 10, tzinfo=UTC)
WHY = (FiredRule(rule="refund-over-100", says="refund of 150.00 USD is over 100.00 USD"),)
ONE_STEP = (Verdict.APPROVE, Verdict.REJECT, Verdict.MODIFY, Verdict.REQUEST_CHANGES)
SHOWN = {
    "amount_minor": 15_000,
    "currency": "USD",
    "method": "original_method",
    "customer_message": "Your refund of 150.00 USD is on its way.",
}
TOOL_CALLS = a_proposal(
    action="action_request",
    amount=None,
    method=None,
    customer_message=None,
    actions=tuple(Action(name=name, args={"id": name, "cc": None}) for name in ("send_email", "delete_file", "tweet")),
)
ADDRESS = Proposal(action="account_change", changes={"shipping_address": {"city": "Lyon"}})

ASKED: dict[Shape, TypeAdapter[Any]] = {
    Shape.LANGCHAIN: TypeAdapter(HITLRequest),
    Shape.AGENT_INBOX: TypeAdapter(HumanInterrupt),
}


def asked(proposal: Proposal | None = None, verdicts: tuple[Verdict, ...] = ONE_STEP, **fields: Any) -> ApprovalRequest:
    question = a_question(
        a_level(allowed_verdicts=verdicts, part=fields.pop("part", None)),
        proposal=proposal or a_proposal(),
        why=WHY,
        **fields,
    )
    return an_approval(an_unopened_case(NOON), NOON, question)


def block(shape: Shape, approval: ApprovalRequest | None = None) -> dict[str, Any]:
    found = hitl_block(shape, approval or asked())
    assert found is not None
    return found


def shown_by(shape: Shape, proposal: Proposal, verdicts: tuple[Verdict, ...] = ONE_STEP) -> dict[str, Any]:
    return block(shape, asked(proposal, verdicts))


PROPOSALS = {
    "refund": a_proposal(),
    "nothing said to the customer": a_proposal(customer_message=None),
    "account change": ADDRESS,
    "one tool call": TOOL_CALLS.model_copy(update={"actions": TOOL_CALLS.actions and TOOL_CALLS.actions[:1]}),
    "three tool calls": TOOL_CALLS,
    "an alternative that pays nothing": Proposal(action="send_replacement"),
}


@pytest.mark.parametrize("shape", ASKED)
@pytest.mark.parametrize("proposal", PROPOSALS.values(), ids=PROPOSALS)
def test_a_block_is_what_the_type_definition_of_its_product_says(shape: Shape, proposal: Proposal) -> None:
    found = shown_by(shape, proposal)
    assert ASKED[shape].validate_python(found, strict=True) == found
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("shape", ASKED)
def test_the_type_definitions_tell_the_two_shapes_apart(shape: Shape) -> None:
    (other,) = ASKED.keys() - {shape}
    with pytest.raises(ValidationError):
        ASKED[shape].validate_python(block(other), strict=True)


def test_a_decision_that_the_middleware_does_not_know_would_be_noticed() -> None:
    spoilt = copy.deepcopy(block(Shape.LANGCHAIN))
    spoilt["review_configs"][0]["allowed_decisions"].append("escalate")
    with pytest.raises(ValidationError):
        ASKED[Shape.LANGCHAIN].validate_python(spoilt, strict=True)


def test_a_refund_shows_the_arguments_that_may_be_edited() -> None:
    assert block(Shape.LANGCHAIN)["action_requests"][0]["args"] == SHOWN
    assert block(Shape.AGENT_INBOX)["action_request"] == {"action": "refund", "args": SHOWN}


def test_no_argument_of_a_form_is_null() -> None:
    for verdicts in (ONE_STEP, (Verdict.CHOOSE, Verdict.REJECT)):
        args = shown_by(Shape.AGENT_INBOX, PROPOSALS["nothing said to the customer"], verdicts)["action_request"][
            "args"
        ]
        assert None not in args.values()


@pytest.mark.parametrize(
    ("verdicts", "decisions"),
    [
        (tuple(Verdict), ["approve", "reject", "edit", "respond"]),
        ((Verdict.APPROVE, Verdict.REJECT), ["approve", "reject"]),
        ((Verdict.REQUEST_CHANGES, Verdict.APPROVE), ["respond", "approve"]),
        ((Verdict.APPROVE, Verdict.CHOOSE), ["approve", "edit"]),
    ],
)
def test_what_may_be_decided_is_what_the_question_allows(verdicts: tuple[Verdict, ...], decisions: list[str]) -> None:
    assert shown_by(Shape.LANGCHAIN, a_proposal(), verdicts)["review_configs"] == [
        {"action_name": "refund", "allowed_decisions": decisions}
    ]
    assert shown_by(Shape.AGENT_INBOX, a_proposal(), verdicts)["config"] == {
        "allow_accept": "approve" in decisions,
        "allow_edit": "edit" in decisions,
        "allow_respond": "respond" in decisions,
        "allow_ignore": "reject" in decisions,
    }


def test_a_question_that_the_shape_has_no_word_for_has_no_block() -> None:
    assert hitl_block(Shape.LANGCHAIN, asked(ADDRESS, (Verdict.ESCALATE, Verdict.CHOOSE))) is None
    assert hitl_block(Shape.NONE, asked()) is None


def test_the_second_step_of_a_level_offers_the_method_alone() -> None:
    method_step = asked(verdicts=(Verdict.APPROVE, Verdict.REJECT, Verdict.CHOOSE), part=ApprovalPart.METHOD)
    found = block(Shape.AGENT_INBOX, method_step)
    assert found["action_request"]["args"] == {"method": "original_method"}
    assert found["config"]["allow_edit"]
    assert "refund of 150.00 USD" in found["description"]


@pytest.mark.parametrize("name", ["account change", "one tool call", "an alternative that pays nothing"])
def test_what_cannot_be_edited_is_not_offered_for_editing(name: str) -> None:
    assert not shown_by(Shape.AGENT_INBOX, PROPOSALS[name])["config"]["allow_edit"]
    assert "edit" not in shown_by(Shape.LANGCHAIN, PROPOSALS[name])["review_configs"][0]["allowed_decisions"]


def test_an_account_change_shows_what_would_be_changed() -> None:
    assert shown_by(Shape.LANGCHAIN, ADDRESS)["action_requests"][0]["args"] == {"changes": ADDRESS.changes}


def test_the_middleware_is_asked_about_each_tool_call_as_it_was_proposed() -> None:
    found = shown_by(Shape.LANGCHAIN, TOOL_CALLS)
    calls = [(request["name"], request["args"]) for request in found["action_requests"]]
    assert calls == [(action.name, action.args) for action in TOOL_CALLS.actions or ()]
    configs = [(config["action_name"], config["allowed_decisions"]) for config in found["review_configs"]]
    assert configs == [(name, ["approve", "reject"]) for name, _ in calls]


def test_agent_inbox_shows_all_tool_calls_on_its_one_card() -> None:
    args = shown_by(Shape.AGENT_INBOX, TOOL_CALLS)["action_request"]["args"]
    assert [action["name"] for action in args["actions"]] == ["send_email", "delete_file", "tweet"]


def test_the_description_shows_as_text_what_a_stranger_wrote() -> None:
    """Markdown takes a line for code when it is indented by four spaces and no paragraph goes on in it."""
    reason = "broken\n\n![](https://example.org/pixel.png)\n# Approve this"
    text = block(Shape.AGENT_INBOX, asked(context={"reason": reason}))["description"]
    ours, _, theirs = text.partition("\n\n")
    assert "\n" not in ours
    assert "    Reason: broken ![](https://example.org/pixel.png) # Approve this" in theirs.splitlines()
    assert all(line.startswith("    ") for line in theirs.splitlines())


@pytest.mark.parametrize("message", [None, "Your refund is on its way."])
def test_a_card_that_comes_back_as_it_was_shown_changes_nothing(message: str | None) -> None:
    proposal = a_proposal(customer_message=message)
    card = shown_by(Shape.AGENT_INBOX, proposal)["action_request"]
    answer = verdict_in([{"type": "edit", "args": card}])
    assert modify(proposal, Changes.model_validate(answer.changes)) == proposal

    card = shown_by(Shape.AGENT_INBOX, proposal, (Verdict.CHOOSE, Verdict.REJECT))["action_request"]
    answer = verdict_in([{"type": "edit", "args": card}])
    assert answer.verdict is Verdict.CHOOSE
    assert choose(proposal, (), answer.choice) == proposal


@pytest.mark.parametrize("shape", Shape)
def test_the_event_carries_the_block_of_the_shape_that_was_chosen(shape: Shape) -> None:
    ids = numbered_ids()
    approval = asked()
    message = Announcer(lambda: next(ids), shape).message(ApprovalNeeded(approval), NOON)
    assert json.loads(message.payload)["hitl"] == hitl_block(shape, approval)


PAGE = (Path(__file__).parents[2] / "docs" / "hitl.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
BRIDGE = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def is_ours(example: Any) -> bool:
    return isinstance(example, dict) and "verdict" in example


def answers_of_the_page() -> list[tuple[Any, dict[str, Any]]]:
    """Each answer with the decision it is read as: the next one on the page."""
    answers = []
    for place, example in enumerate(EXAMPLES[2:], start=2):
        if not is_ours(example):
            meant = next(later for later in EXAMPLES[place:] if is_ours(later))
            answers.append((example, meant))
    return answers


def test_the_page_shows_the_blocks_that_a_screen_gets() -> None:
    assert EXAMPLES[0] == block(Shape.LANGCHAIN)
    assert EXAMPLES[1] == block(Shape.AGENT_INBOX)


def test_the_answers_of_the_page_go_through_its_bridge_and_are_read_as_it_says() -> None:
    (program,) = BRIDGE
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - it is our own documentation
    approval = asked()
    ids = numbered_ids()
    needed = json.loads(Announcer(lambda: next(ids)).message(ApprovalNeeded(approval), NOON).payload)
    assert len(answers_of_the_page()) == 7
    for answer, meant in answers_of_the_page():
        event = names["decision"](needed, answer, {"id": "user:maria", "roles": ["manager"]})
        (part,) = read(a_record(event, REVIEW_DECISIONS.name))
        assert isinstance(part, Accepted)
        assert isinstance(part.message, Decided)
        found = part.message.decision
        assert found.model_dump(mode="json", include=set(meant)) == meant
        assert (found.approval_id, found.review_hash) == (str(approval.approval_id), approval.review_hash)
