"""An order exception: something about an order that asks for action."""

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
    Value,
)


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


class Facts(Value):
    """The exception together with what the shop knows: all that a policy may look at.

    `available` is what is left to refund of the order: captured less all refunds, ours and others'. `failure` says
    why an approved resolution could not be executed, when that is what brings the case back to a person.
    """

    exception: OrderException
    order: Order | None
    customer: Customer | None
    available: Money | None = None
    failure: str | None = None
    round: int = 1
