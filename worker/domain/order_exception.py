"""An order exception: something about an order that asks for action."""

from datetime import datetime
from typing import Any

from pydantic import Field

from schemas.values import (
    Action,
    Alternative,
    Customer,
    ExceptionKind,
    LineItem,
    Money,
    Order,
    Proposal,
    Value,
)
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


class Facts(Value):
    """The exception together with what the shop knows: all that a policy may look at.

    `available` is what is left to refund of the order: captured less all refunds, ours and others'. What brings a
    case back to a person is here too: `failure` says why an approved resolution could not be executed, `difference`
    what changed about the order since it was shown, `feedback` what reviewers asked to be changed. `round` counts
    how often the case was put to its first level.
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
