"""What the in-memory adapters keep: the rows of the tables that the schema of PostgreSQL has, and their constraints.

Cases, approval requests and receipts are kept as JSON, so that what is read is never the object that was written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from schemas.values import Money, ReceiptCode, RejectionReason
from worker.adapters.memory.threads import ThreadShelf
from worker.application.messages import Message
from worker.application.notices import Notification
from worker.application.unit_of_work import Balance, Booking
from worker.domain.approval import ApprovalCommand, ApprovalRequest, Decision, Receipt
from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case
from worker.domain.intent import Intent
from worker.domain.reviewers import person_key
from worker.translation.outbound import OutgoingMessage

Clock = Callable[[], datetime]


@dataclass(slots=True)
class CaseRow:
    """`known` is for those who only look: it is read once."""

    version: int
    exception_id: str
    order_id: str | None
    customer_id: str | None
    opened_at: datetime
    body: str

    _known: Case | None = None

    @property
    def case(self) -> Case:
        return Case.model_validate_json(self.body)

    @property
    def known(self) -> Case:
        self._known = self._known or self.case
        return self._known


@dataclass(slots=True)
class ApprovalRow:
    """`available_at` is the next timer, and after it the end of the lease on which it was taken up."""

    approval_id: UUID
    case_id: UUID
    exception_id: str
    available_at: datetime
    is_open: bool
    body: str

    @property
    def approval(self) -> ApprovalRequest:
        return ApprovalRequest.model_validate_json(self.body)


@dataclass(slots=True)
class DecisionRow:
    """What a reviewer said, and how it was answered; `amount` is what they signed for by it."""

    said: Decision | ApprovalCommand
    receipt: Receipt
    amount: Money | None
    received_at: datetime


@dataclass(slots=True)
class IntentRow:
    intent: Intent
    available_at: datetime
    reference: str | None = None
    problem: str | None = None
    is_finished: bool = False


@dataclass(slots=True)
class BalanceRow:
    """Minor units; `refunded_minor` is never above `captured.amount_minor`, and never below zero."""

    captured: Money
    refunded_minor: int

    @property
    def balance(self) -> Balance:
        return Balance(captured=self.captured, refunded_minor=self.refunded_minor)


Effect = tuple[str, str]
"""An approval request, and the key of the person who decided it with effect: once for each."""

WITH_EFFECT = frozenset({ReceiptCode.ACCEPTED, ReceiptCode.RECORDED})


def effect_of(said: Decision | ApprovalCommand, receipt: Receipt) -> Effect | None:
    """A command decides nothing."""
    if isinstance(said, ApprovalCommand) or receipt.approval_id is None or receipt.code not in WITH_EFFECT:
        return None
    return receipt.approval_id, person_key(said.reviewer.id)


Place = tuple[str, int, int, int]
"""Topic, partition, offset, and which part of the record."""


@dataclass(slots=True)
class InboxRow:
    inbox_id: int
    place: Place
    correlation: str
    payload: str
    message: Message
    received_at: datetime
    available_at: datetime
    leased_by: str | None
    attempts: int = 0
    problem: str | None = None
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetter:
    place: Place
    reason: RejectionReason
    detail: str
    value: bytes | None


@dataclass(slots=True)
class OutboxRow:
    """`published_at` is when the broker had it, as the publisher or the relay marked it."""

    outbox_id: int
    message: OutgoingMessage
    created_at: datetime
    published_at: datetime | None = None


@dataclass(slots=True)
class NotificationRow:
    """What is told to one endpoint. `available_at` is when it is tried next, or the end of a lease."""

    told: Notification
    state: str
    available_at: datetime
    attempts: int = 0
    problem: str | None = None


@dataclass(slots=True)
class EndpointRow:
    failing_since: datetime | None = None
    problem: str | None = None
    disabled_because: str | None = None


@dataclass(slots=True)
class MemoryDatabase:
    """All rows. `outbox` is every event that was announced, in the order of the commits, `unsent` the rows of those
    that nobody has published yet; `questions` are the approval requests that are open, `unfinished` the inbox rows that
    somebody still owes work to, `received` the places of all of them; `effects` who has decided what with effect,
    `watches` the versions of figures.

    `outbox_ids` gives a commit as many ids as it announces events: a sequence of PostgreSQL does not give them out in
    the order in which commits become visible.
    """

    clock: Clock
    cases: dict[UUID, CaseRow] = field(default_factory=dict)
    approvals: dict[UUID, ApprovalRow] = field(default_factory=dict)
    questions: dict[UUID, ApprovalRow] = field(default_factory=dict)
    decisions: dict[str, DecisionRow] = field(default_factory=dict)
    intents: dict[str, IntentRow] = field(default_factory=dict)
    balances: dict[str, BalanceRow] = field(default_factory=dict)
    ledger: dict[str, Booking] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    inbox: dict[int, InboxRow] = field(default_factory=dict)
    unfinished: dict[int, InboxRow] = field(default_factory=dict)
    received: set[Place] = field(default_factory=set)
    effects: set[Effect] = field(default_factory=set)
    watches: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[Place, DeadLetter] = field(default_factory=dict)
    outbox: list[OutgoingMessage] = field(default_factory=list)
    unsent: dict[int, OutboxRow] = field(default_factory=dict)
    outbox_ids: Callable[[Sequence[OutgoingMessage]], Sequence[int]] | None = None
    notifications: list[NotificationRow] = field(default_factory=list)
    endpoints: dict[str, EndpointRow] = field(default_factory=dict)
    threads: ThreadShelf = field(default_factory=ThreadShelf)
    _case_of: dict[str, UUID] = field(default_factory=dict)
    _approvals_of: dict[UUID, list[UUID]] = field(default_factory=dict)

    def announce(self, messages: Sequence[OutgoingMessage]) -> list[OutboxRow]:
        """Without `outbox_ids` they are numbered as they come."""
        first = len(self.outbox) + 1
        ids = self.outbox_ids(messages) if self.outbox_ids else range(first, first + len(messages))
        rows = [OutboxRow(number, message, self.clock()) for number, message in zip(ids, messages, strict=True)]
        self.outbox += messages
        self.unsent |= {row.outbox_id: row for row in rows}
        return rows

    def knows(self, exception_id: str) -> bool:
        return exception_id in self._case_of

    def case_of_exception(self, exception_id: str) -> Case | None:
        case_id = self._case_of.get(exception_id)
        return self.cases[case_id].case if case_id else None

    def keep_decision(self, said: Decision | ApprovalCommand, receipt: Receipt, amount: Money | None) -> None:
        self.decisions[receipt.decision_id] = DecisionRow(said, receipt, amount, self.clock())
        if (effect := effect_of(said, receipt)) is not None:
            self.effects.add(effect)

    def approvals_of(self, case_id: UUID) -> list[ApprovalRow]:
        """In the order in which they were opened; only the last can be open."""
        return [self.approvals[approval_id] for approval_id in self._approvals_of.get(case_id, [])]

    def keep_case(self, case: Case) -> None:
        exception = case.exception
        self.cases[case.case_id] = CaseRow(
            case.version,
            exception.exception_id,
            exception.order_id,
            exception.customer_id,
            case.opened_at,
            case.model_dump_json(),
        )
        self._case_of[case.exception.exception_id] = case.case_id

    def keep_approval(self, approval: ApprovalRequest) -> None:
        is_new = approval.approval_id not in self.approvals
        due = approval.timers[0].at if approval.timers else approval.due_at
        row = self.approvals[approval.approval_id] = ApprovalRow(
            approval.approval_id,
            approval.case_id,
            approval.exception_id,
            due,
            approval.is_open,
            approval.model_dump_json(),
        )
        self.questions.pop(approval.approval_id, None)
        if row.is_open:
            self.questions[approval.approval_id] = row
        if is_new:
            self._approvals_of.setdefault(approval.case_id, []).append(approval.approval_id)
