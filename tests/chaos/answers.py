"""What a person says to a question: any verdict that it allows, with what belongs to it."""

from random import Random
from typing import Any

from producer_scripts.envelopes import Mode, outgoing
from schemas.catalogue import REVIEW_DECISIONS
from schemas.events import ApprovalCommanded, ReviewDecided
from tests.builders import Event
from tests.chaos.mail import Letter
from tests.chaos.screens import Question
from tests.chaos.shop import CANARIES

VERDICTS = {"approve": 56, "reject": 8, "modify": 13, "choose": 7, "escalate": 8, "request_changes": 8}
WHEN_IN_A_HURRY = {"approve": 85, "reject": 15}

LEAST_MINOR = 200
"""Nobody lowers an amount below it: whoever may sign for next to nothing must not become able to sign."""


def verdict_for(question: Question, dice: Random, *, in_a_hurry: bool) -> str:
    weights = WHEN_IN_A_HURRY if in_a_hurry else VERDICTS
    fitting = [verdict for verdict in weights if verdict in question.allowed and _fits(verdict, question)]
    return dice.choices(fitting, [weights[verdict] for verdict in fitting])[0]


def what_belongs_to(verdict: str, question: Question, dice: Random) -> Event:
    """The fields of a decision that a verdict needs, and perhaps a word."""
    fields: Event = {}
    if dice.random() < 0.2 or verdict == "request_changes":
        fields["comment"] = f"I spoke with {dice.choice(CANARIES)}"
    match verdict:
        case "modify":
            fields["changes"] = _changes(question, dice)
        case "choose":
            fields["choice"] = _choice(question, dice)
    return fields


def letter(event: Event, key: str, dice: Random, *, command: bool = False) -> Letter:
    """In any of the forms that the contract knows."""
    type_ = ApprovalCommanded.TYPE if command else ReviewDecided.TYPE
    record = outgoing(type_, event, key=key, mode=dice.choice(list(Mode)))
    assert record.key is not None
    return Letter(REVIEW_DECISIONS.name, record.key, record.value, record.headers)


def as_a_screen_says_it(decision: Event, question: Question) -> Event:
    """The same answer in the shape of LangChain's middleware, for verdicts that it knows."""
    asked = len(question.proposal["actions"] or [0])
    said = {name: value for name, value in decision.items() if name != "verdict"}
    return {**said, "response": {"decisions": [{"type": decision["verdict"]}] * asked}}


def _fits(verdict: str, question: Question) -> bool:
    proposal = question.proposal
    if verdict == "modify":
        return bool(proposal["actions"]) or (
            proposal["amount"] is not None and proposal["amount"]["amount_minor"] > LEAST_MINOR
        )
    if verdict == "choose":
        return proposal["method"] is not None
    return True


def _changes(question: Question, dice: Random) -> Event:
    """Less money, or fewer actions than were asked for, or other arguments for one that has a schema."""
    proposal = question.proposal
    if not proposal["actions"]:
        amount: dict[str, Any] = proposal["amount"]
        lower = dice.randint(LEAST_MINOR, amount["amount_minor"] - 1)
        return {"amount": {"amount_minor": lower, "currency": amount["currency"]}}
    indexes = range(len(proposal["actions"]))
    editable = [index for index in indexes if proposal["actions"][index]["name"] != "buy_stock"]
    if editable and dice.random() < 0.5:
        return {"edited_actions": [{"index": dice.choice(editable), "args": {"to": "bob"}}]}
    return {"approved_actions": sorted(dice.sample(indexes, dice.randint(1, len(indexes))))}


def _choice(question: Question, dice: Random) -> str | int:
    """Another method of payment, or the first alternative where some were offered."""
    if question.needed["alternatives"] and dice.random() < 0.4:
        return 0
    return dice.choice(["store_credit", "bank_transfer", "original_method"])
