"""The one terminal event of a case."""

from typing import Any, ClassVar

from schemas.events.event import Event, Time
from schemas.values import (
    Action,
    ActionResult,
    ExceptionKind,
    Identifier,
    Money,
    OutcomeStatus,
    PayoutMethod,
    Signature,
)


class ResolutionOutcome(Event):
    """How a case ended. Exactly one for each case; a redelivery has the same CloudEvents id and
    bytes.

    `amount` is what was moved, not what was asked for; `automatic` says that no person was needed. `changes` are
    those of an account change, for whoever keeps the account to apply; `actions` the tool calls that were
    approved. `results` says of each tool call that was asked for what became of it: the agent runs those that are
    `approved`, and no others.
    """

    TYPE: ClassVar[str] = "signoff.resolution.outcome.v1"

    case_id: Identifier
    exception_id: Identifier
    order_id: Identifier | None = None
    kind: ExceptionKind
    status: OutcomeStatus
    automatic: bool
    action: Identifier | None = None
    amount: Money | None = None
    method: PayoutMethod | None = None
    changes: dict[str, Any] | None = None
    actions: tuple[Action, ...] | None = None
    results: tuple[ActionResult, ...] | None = None
    payment_reference: str | None = None
    decided_by: tuple[Signature, ...] = ()
    reason: str | None = None
    customer_message: str | None = None
    opened_at: Time
    finished_at: Time
