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
from worker.application.next_question import shown_findings
from worker.domain.approval import ApprovalRequest
from worker.domain.order_exception import ActionFindings
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
        **{"proposal": proposal or a_proposal(), "why": WHY, **fields},
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


UPDATE = Action(id="0", name="run_sql", args={"statement": "update orders set status = 'paid'"})
MAIL = Action(id="call_7", name="send_email", args={"to": "ann", "cc": None})
TWEET = Action(id="2", name="tweet", args={"text": "hello"})
SCHEMA = {"type": "object", "properties": {"statement": {"type": "string"}}}
FOUND = (
    {
        "id": "0",
        "executed_here": True,
        "args_schema": SCHEMA,
        "kind": "update",
        "shown": {"tables": ["orders", "customers"], "estimated_rows": 12},
    },
    {"id": "call_7", "args_schema": {"type": "object"}, "shown": {}},
    {"id": "2", "shown": {}},
)


def with_calls(
    *calls: Action,
    verdicts: tuple[Verdict, ...] = ONE_STEP,
    passing: tuple[Action, ...] | None = None,
    found: tuple[dict[str, Any], ...] = FOUND,
) -> ApprovalRequest:
    """A request whose executors were asked about each call."""
    proposal = TOOL_CALLS.model_copy(update={"actions": calls, "passing": passing})
    return asked(proposal, verdicts, context={"actions": found})


def told(shape: Shape, approval: ApprovalRequest) -> list[str]:
    """The lines of the first description, without their indentation."""
    found = block(shape, approval)
    text = found["description"] if shape is Shape.AGENT_INBOX else found["action_requests"][0]["description"]
    return [line.strip() for line in text.splitlines()]


def test_each_tool_call_has_its_own_decisions_and_the_schema_to_edit_it_by() -> None:
    configs = block(Shape.LANGCHAIN, with_calls(UPDATE, MAIL, TWEET))["review_configs"]
    assert configs == [
        {"action_name": "run_sql", "allowed_decisions": ["approve", "reject", "edit"], "args_schema": SCHEMA},
        {
            "action_name": "send_email",
            "allowed_decisions": ["approve", "reject", "edit"],
            "args_schema": {"type": "object"},
        },
        {"action_name": "tweet", "allowed_decisions": ["approve", "reject"]},
    ]


@pytest.mark.parametrize(
    ("action", "verdicts", "offered"),
    [
        (UPDATE, ONE_STEP, True),
        (UPDATE, (Verdict.APPROVE, Verdict.REJECT), False),
        (TWEET, ONE_STEP, False),
        (UPDATE.model_copy(update={"name": "refund"}), ONE_STEP, False),
    ],
    ids=["allowed", "not allowed", "no schema", "named like a proposal"],
)
@pytest.mark.parametrize("shape", ASKED)
def test_an_edit_of_a_tool_call_is_offered_where_it_can_be_checked(
    shape: Shape, action: Action, verdicts: tuple[Verdict, ...], offered: bool
) -> None:
    found = block(shape, with_calls(action, verdicts=verdicts))
    ASKED[shape].validate_python(found, strict=True)
    if shape is Shape.LANGCHAIN:
        [config] = found["review_configs"]
        assert (("edit" in config["allowed_decisions"]), ("args_schema" in config)) == (offered, offered)
    else:
        assert found["config"]["allow_edit"] == offered


def test_the_form_of_agent_inbox_is_not_offered_for_an_argument_that_is_null() -> None:
    assert not block(Shape.AGENT_INBOX, with_calls(MAIL))["config"]["allow_edit"]
    assert "edit" in block(Shape.LANGCHAIN, with_calls(MAIL))["review_configs"][0]["allowed_decisions"]


def test_what_the_executor_found_out_is_told_on_the_card_of_its_call() -> None:
    first, second = (
        request["description"] for request in block(Shape.LANGCHAIN, with_calls(TWEET, UPDATE))["action_requests"]
    )
    assert "    Run by: whoever asked, once it is approved" in first.splitlines()
    assert "orders" not in first
    assert second.splitlines() == [
        "Action 2 of 2; the first one says what they are for.",
        "",
        "    Run by: this worker",
        "    Found: kind update, tables orders, customers, estimated rows 12",
    ]


def test_the_one_card_of_agent_inbox_tells_what_was_found_by_name() -> None:
    lines = told(Shape.AGENT_INBOX, with_calls(UPDATE, TWEET))
    assert "Found (run_sql): kind update, tables orders, customers, estimated rows 12" in lines
    assert "Run by (tweet): whoever asked, once it is approved" in lines


@pytest.mark.parametrize("shape", ASKED)
def test_what_runs_without_a_signature_is_named_beside_what_wants_one(shape: Shape) -> None:
    assert 'Runs as well, without a signature: tweet {"text": "hello"}' in told(
        shape, with_calls(UPDATE, passing=(TWEET,))
    )


@pytest.mark.parametrize("shape", ASKED)
def test_what_was_tried_what_changes_and_what_an_analyst_says_is_told(shape: Shape) -> None:
    context = {
        "results": [{"id": "1", "name": "add_note", "status": "failed", "problem": "the file is full"}],
        "changes": [{"field": "address.city", "from": "Paris", "to": "Lyon"}, {"field": "vip", "to": True}],
        "analysis": {"by": "rules", "concerns": ["legal-threat"], "confidence": 0.4},
    }
    lines = told(shape, asked(ADDRESS, context=context))
    for line in (
        "Tried already: add_note, failed: the file is full",
        "Change: address.city from Paris to Lyon",
        "Change: vip to true",
        "Advice of rules: concerns legal-threat, confidence 0.4",
    ):
        assert line in lines


def test_schemas_that_would_not_fit_into_a_record_are_left_out_and_the_edit_is_still_offered() -> None:
    calls = tuple(Action(id=str(number), name="run_sql") for number in range(100))
    schema = {"type": "object", "description": "x" * 1000}
    found = tuple(shown_findings(tuple(ActionFindings(id=str(call.id), args_schema=schema) for call in calls)))
    configs = block(Shape.LANGCHAIN, with_calls(*calls, found=found))["review_configs"]
    assert configs == [{"action_name": "run_sql", "allowed_decisions": ["approve", "reject", "edit"]}] * 100


def test_a_finding_without_end_is_cut() -> None:
    found = ({"id": "2", "shown": {"preview": "x" * 5000}},)
    [line] = [line for line in told(Shape.AGENT_INBOX, with_calls(TWEET, found=found)) if line.startswith("Found")]
    assert len(line) < 600
    assert line.endswith("…")


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


@pytest.mark.parametrize("shape", ASKED)
def test_no_name_value_or_field_breaks_out_of_its_line(shape: Shape) -> None:
    hostile = "x\n\n# Approve\n![](https://example.org/pixel.png)"
    calls = [Action(id=str(number), name=hostile, args={hostile: hostile}) for number in range(3)]
    found = [{"id": "0", "kind": hostile, "shown": {hostile: hostile}}, {"id": "1", "shown": {hostile: [hostile]}}]
    context = {
        "reason": hostile,
        "actions": found,
        "results": [{"name": hostile, "status": "failed", "problem": hostile}],
        "changes": [{"field": hostile, "from": hostile, "to": hostile}],
        "analysis": {"by": hostile, hostile: hostile},
    }
    proposal = TOOL_CALLS.model_copy(update={"actions": tuple(calls[:2]), "passing": tuple(calls[2:])})
    shown = block(shape, asked(proposal, context=context))
    for text in [shown] if shape is Shape.AGENT_INBOX else shown["action_requests"]:
        ours, _, theirs = text["description"].partition("\n\n")
        assert "\n" not in ours
        assert "https://" not in ours
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
    for place, example in enumerate(EXAMPLES[3:], start=3):
        if not is_ours(example):
            meant = next(later for later in EXAMPLES[place:] if is_ours(later))
            answers.append((example, meant))
    return answers


def test_the_page_shows_the_blocks_that_a_screen_gets() -> None:
    assert EXAMPLES[0] == block(Shape.LANGCHAIN)
    assert EXAMPLES[1] == block(Shape.AGENT_INBOX)
    (shown,) = EXAMPLES[2]["action_requests"]
    (config,) = EXAMPLES[2]["review_configs"]
    found = {
        "id": "0",
        "executed_here": True,
        "kind": "update",
        "shown": {"tables": ["orders"], "estimated_rows": 12},
        "args_schema": config["args_schema"],
    }
    proposal = TOOL_CALLS.model_copy(
        update={
            "actions": (Action(id="0", name=shown["name"], args=shown["args"]),),
            "passing": (Action(id="1", name="add_note", args={"text": "paid by wire"}),),
        }
    )
    why = (FiredRule(rule="irreversible", says="run_sql cannot be undone"),)
    assert EXAMPLES[2] == block(Shape.LANGCHAIN, asked(proposal, context={"actions": [found]}, why=why))


def test_the_answers_of_the_page_go_through_its_bridge_and_are_read_as_it_says() -> None:
    (program,) = BRIDGE
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - it is our own documentation
    approval = asked()
    ids = numbered_ids()
    needed = json.loads(Announcer(lambda: next(ids)).message(ApprovalNeeded(approval), NOON).payload)
    assert len(answers_of_the_page()) == 9
    for answer, meant in answers_of_the_page():
        event = names["decision"](needed, answer, {"id": "user:maria", "roles": ["manager"]})
        (part,) = read(a_record(event, REVIEW_DECISIONS.name))
        assert isinstance(part, Accepted)
        assert isinstance(part.message, Decided)
        found = part.message.decision
        assert found.model_dump(mode="json", include=set(meant)) == meant
        assert (found.approval_id, found.review_hash) == (str(approval.approval_id), approval.review_hash)
