"""The question of an approval request as screens of other products show it: the `hitl` block of approval.needed.

`langchain` is the `HITLRequest` of LangChain's human-in-the-loop middleware, `agent-inbox` the `HumanInterrupt` of
Agent Inbox. What comes back from them is read by `hitl_inbound`.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from schemas.values import Action, Proposal, Verdict
from worker.domain.approval import ApprovalRequest, Question
from worker.domain.resolution import MOVES_MONEY
from worker.translation.hitl_description import Findings, description, description_of_a_further_action, findings_of

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
    found = findings_of(question)
    return {
        "action_requests": [
            {"name": card.name, "args": card.args, "description": told}
            for card, told in zip(cards, _descriptions(approval, found), strict=True)
        ],
        "review_configs": _review_configs(question, cards, found),
    }


def _descriptions(approval: ApprovalRequest, found: Findings) -> Iterator[str]:
    """One for each card; the first tells what all of them are for."""
    actions = approval.question.proposal.actions or ()
    yield description(approval, actions[:1], found)
    for number, action in enumerate(actions[1:], start=2):
        yield description_of_a_further_action(action, found, number, len(actions))


def _review_configs(question: Question, cards: Sequence[Action], found: Findings) -> list[Block]:
    allowed = _decisions(question)
    if len(cards) > 1:
        # Each action is answered by itself, so there is no answer that speaks for all of them.
        allowed = [decision for decision in allowed if decision in ("approve", "reject")]
    schemas = [_schema_to_edit_by(question, card, found) for card in cards]
    return [
        {
            "action_name": card.name,
            "allowed_decisions": [*allowed, "edit"] if schema is not None else allowed,
            **({"args_schema": schema} if schema else {}),
        }
        for card, schema in zip(cards, schemas, strict=True)
    ]


def _human_interrupt(approval: ApprovalRequest) -> Block:
    """Agent Inbox shows one card and gives one answer, so that several actions stand on one card."""
    question = approval.question
    actions = question.proposal.actions or ()
    card = actions[0] if len(actions) == 1 else _card(question)
    allowed = _decisions(question)
    found = findings_of(question)
    return {
        "action_request": {"action": card.name, "args": card.args},
        "config": {
            "allow_ignore": "reject" in allowed,
            "allow_respond": "respond" in allowed,
            "allow_edit": "edit" in allowed or (len(actions) == 1 and _fits_a_form(question, card, found)),
            "allow_accept": "approve" in allowed,
        },
        "description": description(approval, actions, found),
    }


def _fits_a_form(question: Question, card: Action, found: Findings) -> bool:
    """The form of Agent Inbox has a field for each argument, and fails on one that is null."""
    return _schema_to_edit_by(question, card, found) is not None and None not in card.args.values()


def _schema_to_edit_by(question: Question, card: Action, found: Findings) -> Block | None:
    """The JSON Schema of a tool call's arguments, where they may be edited: only by it can an edit be checked. An empty
    one stands for one that is too large to be shown.

    A tool call that is named like something that pays is not edited here: coming back, it could not be told from the
    card of a proposal.
    """
    if Verdict.MODIFY not in question.allowed_verdicts or card.name in MOVES_MONEY or card.id is None:
        return None
    finding = found.get(card.id)
    return finding.args_schema if finding else None


def _decisions(question: Question) -> list[str]:
    """The middleware's words for the verdicts that are allowed; it has none for choose and escalate."""
    word_of = {Verdict.APPROVE: "approve", Verdict.REJECT: "reject", Verdict.REQUEST_CHANGES: "respond"}
    edit = _edits_as(question)
    if edit is not None:
        word_of[edit] = "edit"
    return [word_of[verdict] for verdict in question.allowed_verdicts if verdict in word_of]


def _edits_as(question: Question) -> Verdict | None:
    """What an edit of the arguments means here: a modify verdict, else the choice of the method, else nothing.

    Of a proposal only what is paid can be edited: a reviewer who edits an address would see it carried out in its
    first form. For the arguments of a tool call see `_schema_to_edit_by`.
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
