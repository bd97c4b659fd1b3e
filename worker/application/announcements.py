"""What we tell the world, in the domain's words. `translation.outbound` makes events of these."""

from dataclasses import dataclass
from datetime import datetime

from schemas.values import ApprovalChange, RejectionReason
from worker.domain.approval import ApprovalRequest, Receipt
from worker.domain.exception_case import Case


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    approval: ApprovalRequest


@dataclass(frozen=True, slots=True)
class ApprovalUpdated:
    approval: ApprovalRequest
    change: ApprovalChange
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptGiven:
    receipt: Receipt
    order_id: str | None


@dataclass(frozen=True, slots=True)
class OutcomeReached:
    case: Case


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """A message that passed the door but cannot be acted on; its inbox row says where it came from."""

    inbox_id: int
    reason: RejectionReason
    detail: str


Announcement = ApprovalNeeded | ApprovalUpdated | ReceiptGiven | OutcomeReached
