"""The question of an approval request as screens of other products show it: the `hitl` block of approval.needed.

`langchain` is the `HITLRequest` of LangChain's human-in-the-loop middleware, `agent-inbox` the `HumanInterrupt` of
Agent Inbox. What comes back from them is read by `hitl_inbound`.
"""

from collections.abc import Iterator
from datetime import UTC
from enum import StrEnum
from typing import Any

from schemas.values import Action, Proposal, Verdict
from worker.domain.approval import ApprovalRequest, Question
from worker.domain.resolution import MOVES_MONEY

Block = dict[str, Any]


class Shape(StrEnum):
    """Which shape the `hitl` block has; NONE leaves it out."""

    LANGCHAIN = "langchain"
    AGENT_INBOX = "agent-inbox"
    NONE = "none"


def hitl_block(shape: Shape, approval: ApprovalRequest) -> Block | None:
    """None when the shape has no word for any of the verdicts that are allowed, as for an empty choice."""
    question = approval.question
    if shape is Shape.NONE or not _decisions(question):
        return None
    return _hitl_request(approval) if shape is Shape.LANGCHAIN else _human_interrupt(approval)


def _hitl_request(approval: ApprovalRequest) -> Block:
    """One action request for each action that wants a signature, with a review configuration at the same index."""
    question = approval.question
    cards = question.proposal.actions or (_card(question),)
    allowed = _decisions(question)
    if len(cards) > 1:
        # Each action is answered by itself, so there is no answer that speaks for all of them.
        allowed = [decision for decision in allowed if decision in ("approve", "reject")]
    descriptions = [_description(approval)]
    descriptions += [
        f"Action {number} of {len(cards)}; the first one says what they are for." for number in range(2, len(cards) + 1)
    ]
    return {
        "action_requests": [
            {"name": card.name, "args": card.args, "description": description}
            for card, description in zip(cards, descriptions, strict=True)
        ],
        "review_configs": [{"action_name": card.name, "allowed_decisions": allowed} for card in cards],
    }


def _human_interrupt(approval: ApprovalRequest) -> Block:
    """Agent Inbox shows one card and gives one answer, so that several actions stand on one card."""
    question = approval.question
    actions = question.proposal.actions or ()
    card = actions[0] if len(actions) == 1 else _card(question)
    allowed = _decisions(question)
    return {
        "action_request": {"action": card.name, "args": card.args},
        "config": {
            "allow_ignore": "reject" in allowed,
            "allow_respond": "respond" in allowed,
            "allow_edit": "edit" in allowed,
            "allow_accept": "approve" in allowed,
        },
        "description": _description(approval),
    }


def _decisions(question: Question) -> list[str]:
    """The middleware's words for the verdicts that are allowed; it has none for choose and escalate."""
    word_of = {Verdict.APPROVE: "approve", Verdict.REJECT: "reject", Verdict.REQUEST_CHANGES: "respond"}
    edit = _edits_as(question)
    if edit is not None:
        word_of[edit] = "edit"
    return [word_of[verdict] for verdict in question.allowed_verdicts if verdict in word_of]


def _edits_as(question: Question) -> Verdict | None:
    """What an edit of the arguments means here: a modify verdict, else the choice of the method, else nothing.

    Only what is paid can be edited. A reviewer who edits the arguments of a tool call, or an address, would see them
    carried out in their first form.
    """
    proposal = question.proposal
    if proposal.action not in MOVES_MONEY or proposal.amount is None:
        return None
    return next((edit for edit in (Verdict.MODIFY, Verdict.CHOOSE) if edit in question.allowed_verdicts), None)


def _card(question: Question) -> Action:
    """The proposal as a call with arguments.

    No argument is null: the form of Agent Inbox fails on it. An empty text stands for "nothing yet", and coming back
    it means "unchanged".
    """
    proposal = question.proposal
    return Action(name=proposal.action, args=_arguments(proposal, _edits_as(question)))


def _arguments(proposal: Proposal, edits_as: Verdict | None) -> Block:
    shown: Block = {"customer_message": proposal.customer_message} if proposal.customer_message else {}
    if proposal.method is not None:
        shown = {"method": proposal.method.value, **shown}
    if edits_as is Verdict.CHOOSE:
        return {"method": shown["method"]} if "method" in shown else {}
    if proposal.amount is not None:
        shown = {**proposal.amount.model_dump(), **shown}
    if edits_as is Verdict.MODIFY:
        return {**shown, "customer_message": proposal.customer_message or ""}
    if proposal.changes:
        shown["changes"] = proposal.changes
    if proposal.actions:
        shown["actions"] = [action.model_dump(mode="json") for action in proposal.actions]
    return shown


def _description(approval: ApprovalRequest) -> str:
    """What a reviewer reads above the arguments.

    Customers and agents wrote some of it, and screens render it as Markdown, where their text could be a link or
    fetch an image. Indented by four spaces it is shown as it was written.
    """
    lines = (f"    {label}: {' '.join(text.split())}" for label, text in _told(approval))
    return "A person has to decide this.\n\n" + "\n".join(lines)


def _told(approval: ApprovalRequest) -> Iterator[tuple[str, str]]:
    question, proposal = approval.question, approval.question.proposal
    level = question.level
    yield "Proposed", f"{proposal.action} of {proposal.amount}" if proposal.amount else proposal.action
    if approval.order_id:
        yield "Order", approval.order_id
    yield "Exception", approval.exception_id
    yield "Requested by", approval.requested_by
    if question.context.get("reason"):
        yield "Reason", str(question.context["reason"])
    for fired in question.why:
        yield "Why a person is asked", fired.says
    for signature in question.signed_by:
        yield "Signed already", f"{signature.reviewer} as {signature.level}, {signature.verdict}"
    yield "Asked", f"{level.name}, level {level.number} of {level.of}"
    yield "Risk", question.risk
    yield "Answer by", f"{approval.due_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, then: {question.on_timeout}"
