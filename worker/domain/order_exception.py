"""An order exception: something about an order that asks for action."""

from datetime import datetime
from typing import Any

from pydantic import Field

from schemas.values import (
    Action,
    ActionResult,
    Alternative,
    Customer,
    ExceptionKind,
    LineItem,
    Money,
    Order,
    Proposal,
    Value,
)
from worker.domain.analysis import Opinion
from worker.domain.exposure import Exposure


class OrderException(Value):
    """What somebody asked for, as they sent it. What they said of the order and the customer is among the facts."""

    exception_id: str
    kind: ExceptionKind
    order_id: str | None = None
    customer_id: str | None = None
    requested_by: str
    reason: str = ""
    reason_code: str | None = None
    amount: Money | None = None
    items: tuple[LineItem, ...] = ()
    confidence: float | None = None
    customer_requests_human: bool = False
    failed_attempts: int = 0
    irreversible: bool = False
    compliance_flags: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    changes: dict[str, Any] = Field(default_factory=dict)
    actions: tuple[Action, ...] = ()


class Feedback(Value):
    """What a reviewer asked to be changed in one round, and what they were shown."""

    round: int
    level: str
    reviewer: str
    at: datetime
    comment: str
    proposal: Proposal


class ActionFindings(Value):
    """What is known of one action before anybody signs it: the JSON Schema of its arguments, what its executor found
    out (`shown`), and what `kind` of thing it does. `executed_here`: this worker runs it, and not the agent."""

    id: str
    executed_here: bool = False
    args_schema: dict[str, Any] | None = None
    shown: dict[str, Any] = Field(default_factory=dict)
    kind: str | None = None


class Facts(Value):
    """The exception together with what the shop knows: all that a policy may look at.

    `available` is what is left to refund of the order: captured less all refunds, ours and others'. What brings a
    case back to a person is here too: `failure` says why an approved resolution could not be executed, `difference`
    what changed about the order since it was shown, `feedback` what reviewers asked to be changed. `round` counts
    how often the case was put to its first level.

    `opinion` is the analyst's. Of an action request, `findings` are what is known of each action besides its
    arguments, `remaining` the actions that are left to run when some came to nothing, in their last approved form,
    `approved` all that were approved in any round, in the form that was approved last, and `results` what became of
    them so far.
    """

    exception: OrderException
    order: Order | None
    customer: Customer | None
    available: Money | None = None
    exposure: Exposure = Exposure()
    failure: str | None = None
    failures: int = 0
    difference: str | None = None
    feedback: tuple[Feedback, ...] = ()
    round: int = 1
    opinion: Opinion | None = None
    findings: tuple[ActionFindings, ...] = ()
    remaining: tuple[Action, ...] | None = None
    approved: tuple[Action, ...] = ()
    results: tuple[ActionResult, ...] = ()

    @property
    def as_sent(self) -> "Facts":
        """These facts without anybody's opinion of them."""
        return self if self.opinion is None else self.model_copy(update={"opinion": None})

    @property
    def doubted(self) -> "Facts":
        """These facts with every doubt that the requester or the analyst has, and the lesser confidence.

        A policy judges them beside the facts as they were sent, never in their place: an opinion may ask for more
        care and never for less.
        """
        exception, opinion = self.exception, self.opinion
        if opinion is None:
            return self
        concerns = [*opinion.concerns]
        if opinion.intent is not None and opinion.intent is not exception.kind:
            concerns.append("intent-differs")
        flags = dict.fromkeys((*exception.compliance_flags, *concerns))
        confidences = [known for known in (exception.confidence, opinion.confidence) if known is not None]
        doubted = {
            "confidence": min(confidences, default=None),
            "customer_requests_human": exception.customer_requests_human or opinion.wants_human,
            "compliance_flags": tuple(flags),
            "alternatives": exception.alternatives + opinion.alternatives,
        }
        if all(getattr(exception, name) == value for name, value in doubted.items()):
            return self
        return self.model_copy(update={"exception": exception.model_copy(update=doubted)})
