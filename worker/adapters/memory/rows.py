"""Writes the rows of a unit of work that has been let through: nothing here can fail or refuse."""

from datetime import datetime, timedelta

from worker.adapters.memory.database import DeadLetter, IntentRow, MemoryDatabase, OutboxRow
from worker.application.announcements import MessageRefused
from worker.application.unit_of_work import Postponement, UnitOfWork
from worker.domain.intent import Intent, IntentState
from worker.translation.outbound import Announcer, OutgoingMessage


def write(
    database: MemoryDatabase, unit: UnitOfWork, announcer: Announcer, lease: timedelta, stamped: datetime
) -> list[OutboxRow]:
    """Receipts and other announcements go to the outbox in the order in which the unit says them; `stamped` is their
    time by the clock of the worker. Returns the rows of the outbox."""
    _write_subject(database, unit, lease)
    if unit.finishes is not None:
        _write_inbox(database, unit.finishes, unit.postponed)
    if unit.case is not None and unit.case.version == 1:
        _wake(database, unit.case.exception.exception_id)
    if unit.forget_thread is not None:
        database.threads.forget(str(unit.forget_thread))
    if unit.thread is not None:
        database.threads.store(unit.thread)
    messages = [announcer.message(said, stamped) for said in unit.announcements]
    if unit.refusal is not None:
        messages += _refuse(database, unit.refusal, announcer, stamped)
    return database.announce(messages)


def _write_subject(database: MemoryDatabase, unit: UnitOfWork, lease: timedelta) -> None:
    """The case and what is recorded about it."""
    if unit.case is not None:
        database.keep_case(unit.case)
    for approval in unit.changed_approvals:
        database.keep_approval(approval)
    if unit.new_approval is not None:
        database.keep_approval(unit.new_approval)
    if unit.decision is not None:
        database.keep_decision(*unit.decision, unit.signed)
    if unit.intent is not None:
        _write_intent(database, unit.intent, unit, lease)
    if unit.booking is not None:
        database.ledger[unit.booking.intent.idempotency_key] = unit.booking
    if unit.audit is not None:
        database.audit.append(unit.audit)
    for watch in unit.watched:
        database.watches[watch.key] = watch.version + 1
    for key in unit.moves:
        database.watches[key] = database.watches.get(key, 0) + 1


def _write_intent(database: MemoryDatabase, intent: Intent, unit: UnitOfWork, lease: timedelta) -> None:
    """A finished intent stays as it is."""
    now = database.clock()
    known = database.intents.get(intent.idempotency_key)
    if known is None:
        if intent.state is IntentState.PENDING:
            database.intents[intent.idempotency_key] = IntentRow(intent, now + lease)
        return
    if known.is_finished:
        return
    known.intent = intent
    if unit.postponed is not None:
        known.available_at = now + timedelta(seconds=unit.postponed.seconds)
        known.problem = unit.postponed.problem
    else:
        known.is_finished, known.reference = True, unit.payment_reference
        known.problem = unit.case.reason if unit.case and intent.state is IntentState.FAILED else None


def _write_inbox(database: MemoryDatabase, inbox_id: int, postponed: Postponement | None) -> None:
    row = database.inbox[inbox_id]
    row.leased_by = None
    if postponed is None:
        row.is_finished = True
        del database.unfinished[inbox_id]
        return
    row.attempts += 1
    row.problem = postponed.problem
    row.available_at = database.clock() + timedelta(seconds=postponed.seconds)


def _wake(database: MemoryDatabase, exception_id: str) -> None:
    """Messages that came before their case need not wait any longer."""
    for row in database.unfinished.values():
        if row.correlation == exception_id and row.leased_by is None:
            row.available_at = database.clock()


def _refuse(
    database: MemoryDatabase, refusal: MessageRefused, announcer: Announcer, stamped: datetime
) -> list[OutgoingMessage]:
    row = database.inbox.get(refusal.inbox_id)
    if row is None or row.place in database.dead_letters:
        return []
    letter = DeadLetter(row.place, refusal.reason, refusal.detail, row.payload.encode())
    database.dead_letters[row.place] = letter
    return [announcer.dead_letter(announced(letter), stamped)]


def announced(letter: DeadLetter) -> dict[str, object]:
    """What the world is told of a dead letter."""
    topic, partition, offset, _ = letter.place
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "value": letter.value,
    }
