"""What reaches us, in the domain's words. `translation.inbound` makes these from events."""

from dataclasses import dataclass
from datetime import datetime

from schemas.values import Customer, Order, ReceiptCode
from worker.domain.approval import ApprovalCommand, Decision
from worker.domain.order_exception import OrderException


@dataclass(frozen=True, slots=True)
class Raised:
    """`order` and `customer` are the sender's snapshots, if there are any."""

    exception: OrderException
    content_hash: str
    order: Order | None = None
    customer: Customer | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    exception_id: str
    requested_by: str


@dataclass(frozen=True, slots=True)
class PaymentReported:
    """A provider says that a payment which counted as made has failed. `payment_reference` is its own id of it."""

    idempotency_key: str
    payment_reference: str
    reason: str
    provider: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """An operator wants a stuck case to be put before a person again. `reason` is their own words, if any."""

    recovery_id: str
    exception_id: str
    requested_by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    decision: Decision


@dataclass(frozen=True, slots=True)
class Commanded:
    command: ApprovalCommand


@dataclass(frozen=True, slots=True)
class IllegibleDecision:
    """Its `decision_id` could be read and the rest could not: it is owed a receipt all the same, with this code."""

    decision_id: str
    problem: str
    code: ReceiptCode = ReceiptCode.INVALID


@dataclass(frozen=True, slots=True)
class Outdated:
    """Accepted by another release, and not by this one; `problem` names the fields."""

    problem: str


Message = Raised | Withdrawn | PaymentReported | Recovery | Decided | Commanded | IllegibleDecision | Outdated


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and the inbox row that holds it. `received_at` and `waited_s` are in the database's time."""

    inbox_id: int
    message: Message
    received_at: datetime
    waited_s: float = 0.0
    attempts: int = 0
