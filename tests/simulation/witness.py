"""Judges each step from what it changed: the audit trail, the events, the topics and the provider's ledger.

What is wrong is remembered and not raised: whoever committed would take it for a fault of their message. The numbers
are those of the project's list of invariants.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.catalogue import DEAD_LETTERS, DECISION_RECEIPTS, ORDER_OUTCOMES
from tests.builders import Event
from tests.simulation.kafka import StoredRecord
from worker.adapters.memory.database import MemoryDatabase, OutboxRow
from worker.adapters.memory.executors import MemoryExecutors
from worker.adapters.memory.payments import MemoryPayments
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import Decision
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import PaymentIntent
from worker.domain.reviewers import person_key
from worker.translation.outbound import OutgoingMessage

TERMINAL = frozenset(state.value for state in CaseState if state.is_terminal)
PAYS_IN = frozenset({CaseState.EXECUTING, CaseState.EXECUTED})


@dataclass(slots=True)
class Trail:
    """Of one case, as far as it has been read."""

    entries: int = 0
    head: str = ""
    state: str = CaseState.OPENED.value
    outcome: str | None = None
    open_request: UUID | None = None


class Witness:
    """`found` is the first thing that was wrong."""

    def __init__(self, database: MemoryDatabase, payments: MemoryPayments, executors: MemoryExecutors) -> None:
        self._database, self._payments, self._executors = database, payments, executors
        self.found: AssertionError | None = None
        self.trails: dict[UUID, Trail] = {}
        self._entries_read = self._events_read = self._payments_read = self._bookings_read = 0
        self._events: dict[str, tuple[int, OutgoingMessage]] = {}
        self._published: set[str] = set()
        self._last_published: dict[tuple[str, str], int] = {}
        self._effects: set[tuple[str, str]] = set()
        self._paid: dict[UUID, str] = {}
        self._ran: set[str] = set()

    def judge(self, look: Callable[[], None]) -> None:
        try:
            look()
        except (AssertionError, LookupError) as error:
            if self.found is None:
                self.found = error if isinstance(error, AssertionError) else AssertionError(repr(error))

    # What is committed

    def announced(self, rows: Sequence[OutboxRow]) -> None:
        self._read_audit()
        for row in rows:
            self._announced(row)

    def committed(self, unit: UnitOfWork) -> None:
        """7, 1 and 5: what the commit of this unit changed."""
        self._read_audit()
        case = unit.case
        if case is not None:
            self._check_case(case)
        if unit.decision is not None and isinstance(unit.decision[0], Decision):
            said, receipt = unit.decision
            if receipt.accepted:
                effect = (receipt.approval_id or "", person_key(unit.decision[0].reviewer.id))
                assert effect not in self._effects, f"{said.decision_id} is the second of {effect} with effect"
                self._effects.add(effect)
        self.moved()

    def _read_audit(self) -> None:
        entries = self._database.audit
        while self._entries_read < len(entries):
            entry = entries[self._entries_read]
            self._entries_read += 1
            trail = self.trails.setdefault(entry.case_id, Trail())
            was = (entry.number, entry.previous_hash, entry.from_state)
            assert was == (trail.entries + 1, trail.head, trail.state), f"{entry} does not follow {trail}"
            assert entry.computed_hash() == entry.hash, entry
            assert trail.state not in TERMINAL or entry.to_state == trail.state, f"{entry} after the end"
            trail.entries, trail.head, trail.state = entry.number, entry.hash, entry.to_state

    def _check_case(self, case: Case) -> None:
        """It is what its trail says; a case that waits has its one open question, and no other has any."""
        trail = self.trails.get(case.case_id, Trail())
        is_on_record = (case.version, case.audit_head, case.state.value)
        assert is_on_record == (trail.entries, trail.head, trail.state), f"{case} is not what {trail} says"
        asked = [row for row in self._database.approvals_of(case.case_id) if row.is_open]
        assert len(asked) == (1 if case.state is CaseState.WAITING else 0), case
        if case.state is CaseState.EXECUTING:
            row = self._database.intents.get(case.idempotency_key) or self._any_intent(case)
            assert row is not None, f"{case} is executed by nobody"

    def _any_intent(self, case: Case) -> object:
        intents = self._database.intents.values()
        return next((row for row in intents if row.intent.case_id == case.case_id and not row.is_finished), None)

    def _announced(self, row: OutboxRow) -> None:
        message = row.message
        event_id = str(message.event_id)
        assert event_id not in self._events, f"the event id {event_id} was used before"
        self._events[event_id] = (row.outbox_id, message)
        if message.topic == ORDER_OUTCOMES.name:
            event: Event = json.loads(message.payload)
            trail = self.trails[UUID(event["case_id"])]
            assert trail.outcome is None, f"a second outcome: {event}"
            assert event["status"] == trail.state, f"{event} tells of a case that is {trail.state}"
            trail.outcome = event["status"]

    # Money and actions

    def moved(self) -> None:
        """3: each payment belongs to a case that may pay, is the amount on record, and is its only one."""
        entries = self._payments.entries
        if len(entries) > self._payments_read:
            for intent in list(entries.values())[self._payments_read :]:
                self._paid_by(intent)
            self._payments_read = len(entries)
        ledger = self._database.ledger
        if len(ledger) > self._bookings_read:
            for booking in list(ledger.values())[self._bookings_read :]:
                self._paid_by(booking.intent)
            self._bookings_read = len(ledger)

    def _paid_by(self, intent: PaymentIntent) -> None:
        case_id, key = intent.case_id, intent.idempotency_key
        assert self._paid.setdefault(case_id, key) == key, f"{case_id} paid under {key} and {self._paid[case_id]}"
        case = self._database.cases[case_id].case
        assert case.state in PAYS_IN, f"{intent} is paid while {case.exception.exception_id} is {case.state}"
        assert key == case.idempotency_key, f"{key} is no key of {case}"
        proposed = (case.exception.order_id, case.proposal.amount)
        assert (intent.order_id, intent.amount) == proposed, f"{intent} is not what was approved: {proposed}"

    def ran(self) -> None:
        """3, of actions: each belongs to a case that executes, in the arguments that were approved."""
        for key, action in list(self._executors.effects.items())[len(self._ran) :]:
            self._ran.add(key)
            case = self._database.cases[UUID(key.split(":")[1])].case
            known = self._database.intents.get(case.idempotency_key)
            assert known is not None, f"{key} ran, and nothing of it was on record"
            signed = [(one.name, one.args) for one in getattr(known.intent, "actions", ())]
            assert (action.name, action.args) in signed, f"{action} ran, and {signed} was signed for"

    # What is published

    def published(self, record: StoredRecord) -> None:
        """6: what is on a topic is a row of the outbox, byte for byte, in the order of its case."""
        event_id = record.event_id
        assert event_id in self._events, f"{record} was published, and the database knows nothing of it"
        number, message = self._events[event_id]
        headers = [(name, text.encode()) for name, text in message.headers.items()]
        assert (record.topic, record.key, record.value, list(record.headers)) == (
            message.topic,
            message.key.encode(),
            message.payload.encode(),
            headers,
        ), f"{record} is not {message}"
        if event_id in self._published:
            return
        self._published.add(event_id)
        if message.topic in {DEAD_LETTERS.name, DECISION_RECEIPTS.name}:
            return  # dead letters and receipts tell of one message each; nothing says in which order
        place = (message.topic, message.ordering)
        assert self._last_published.get(place, 0) < number, f"{message} was published after a later event of its case"
        self._last_published[place] = number

    def marked(self, rows: Sequence[OutboxRow]) -> None:
        """6: what counts as published is on its topic."""
        missing = [row for row in rows if str(row.message.event_id) not in self._published]
        assert not missing, f"marked as published, and on no topic: {missing}"

    def not_published(self) -> list[OutgoingMessage]:
        return [message for event_id, (_, message) in self._events.items() if event_id not in self._published]

    def states(self) -> dict[UUID, str]:
        return {case_id: trail.state for case_id, trail in self.trails.items()}
