"""A unit of work: everything one use case wants written, and what it was computed from.

A use case touches nothing. It returns one of these, and the store commits many of them in one transaction: all
rows of a unit appear together or not at all, and only when the case still has the version it was computed from.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from schemas.values import ExceptionKind, Money
from worker.application.announcements import Announcement, MessageRefused
from worker.application.threads import ThreadWrites
from worker.domain.approval import ApprovalCommand, ApprovalRequest, Decision, Receipt
from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case
from worker.domain.intent import Intent, PaymentIntent


@dataclass(frozen=True, slots=True)
class Reservation:
    """`amount` of what the order `captured` is set aside for a refund, or (`release`) given back. When the order is
    known to have captured another amount, the lesser one counts."""

    order_id: str
    amount: Money
    captured: Money
    already_refunded: int
    release: bool = False


@dataclass(frozen=True, slots=True)
class Booking:
    """A payment that is a row of our own store: it is written by the commit that decides it, or not at all."""

    intent: PaymentIntent
    reference: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Figures that were looked at, and their version then: `order:ORD-1`, `customer:CUST-7`, `reviewer:user:maria`.

    Who commits a unit that watches them raises their version, so that of two units that looked at the same figures
    the second is computed anew.
    """

    key: str
    version: int


@dataclass(frozen=True, slots=True)
class Postponement:
    """The message or the intent is taken up again after `seconds`."""

    seconds: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """`finishes` is the inbox row that is done with this unit. `case.version` is the one that will be written: 1 opens
    a case, any other replaces the one below it. A case has one open approval request at a time: the one it had is
    among `changed_approvals`, closed, when there is a `new_approval`. `signed` is the amount that an accepted decision
    signed for. With `forget_thread` and a `thread` the new one takes the place of the old. `moves` are figures that
    this unit changes without having looked at them: whoever looked is computed anew."""

    finishes: int | None = None
    case: Case | None = None
    changed_approvals: tuple[ApprovalRequest, ...] = ()
    new_approval: ApprovalRequest | None = None
    decision: tuple[Decision | ApprovalCommand, Receipt] | None = None
    signed: Money | None = None
    watched: tuple[Watch, ...] = ()
    moves: tuple[str, ...] = ()
    intent: Intent | None = None
    payment_reference: str | None = None
    booking: Booking | None = None
    reservation: Reservation | None = None
    audit: AuditEntry | None = None
    announcements: tuple[Announcement, ...] = ()
    refusal: MessageRefused | None = None
    thread: ThreadWrites | None = None
    forget_thread: UUID | None = None
    postponed: Postponement | None = None

    def finishing(self, inbox_id: int) -> "UnitOfWork":
        return replace(self, finishes=inbox_id)


NOTHING = UnitOfWork()
"""There is nothing to write, and the message is done."""


class Commit(StrEnum):
    """What became of a unit.

    CONFLICT: the case, or a figure that was looked at, has moved on; compute the unit anew. OVERDRAWN: likewise, the
    order has less left than the unit wanted to reserve. GONE: another worker has finished the message, or has taken
    the intent up; there is nothing left to do.
    """

    DONE = "done"
    CONFLICT = "conflict"
    OVERDRAWN = "overdrawn"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which case a use case wants to see; the store reads many of these at once.

    `reviewer` asks for what the register says of this person, and for what they have signed lately where the level
    caps it; `also` for what the register says of another one, whom the reviewer hands the question to. `others` asks
    for what else was asked for the same customer and order, and how far back.
    """

    exception_id: str | None = None
    approval_id: str | None = None
    case_id: UUID | None = None
    decision_id: str | None = None
    order_id: str | None = None
    reviewer: str | None = None
    also: str | None = None
    others: "OthersQuery | None" = None


@dataclass(frozen=True, slots=True)
class OthersQuery:
    """Other cases than `exception_id`'s that were opened less than `window` ago. Near-duplicates are those of the same
    order, kind and amount that are unfinished or were executed."""

    exception_id: str
    kind: ExceptionKind
    window: timedelta
    order_id: str | None = None
    customer_id: str | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What an order captured, and how much of it is refunded or reserved to be, over all its cases (minor units)."""

    captured: Money
    refunded_minor: int

    @property
    def available(self) -> Money:
        return self.captured.model_copy(update={"amount_minor": self.captured.amount_minor - self.refunded_minor})
