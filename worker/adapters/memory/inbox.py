"""The inbox and the queues of due work, in memory: leases, postponements and the order in which things are taken up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from worker.adapters.memory.database import ApprovalRow, DeadLetter, InboxRow, IntentRow, MemoryDatabase
from worker.adapters.memory.outbox import Publisher
from worker.adapters.memory.rows import announced
from worker.application.messages import Delivery
from worker.domain.intent import Intent, IntentState
from worker.translation.inbound import Accepted, Record, Rejected, read
from worker.translation.outbound import Announcer, OutgoingMessage


@dataclass(frozen=True, slots=True)
class Work:
    """A delivery, and what it is about: work with the same correlation is done in order."""

    correlation: str
    delivery: Delivery


class MemoryInbox:
    """Rows are held on a lease: while it runs they are this worker's, and anybody's after that."""

    def __init__(
        self,
        database: MemoryDatabase,
        announcer: Announcer,
        *,
        worker: str,
        lease: timedelta,
        publisher: Publisher | None = None,
    ) -> None:
        self._database = database
        self._announcer = announcer
        self._publisher = publisher
        self._worker = worker
        self._lease = lease

    async def receive(self, records: Sequence[Record]) -> list[Work]:
        """Keeps all messages of the records, and what is none as dead letters. Returns the messages that are new."""
        new: list[Work] = []
        letters: list[OutgoingMessage] = []
        for record in records:
            for part in read(record):
                if isinstance(part, Rejected):
                    letters += self._reject(record, part)
                elif (row := self._insert(record, part)) is not None:
                    new.append(self._work(row))
        announced_rows = self._database.announce(letters)
        if self._publisher is not None:
            self._publisher.hand_over(announced_rows, {})
        return new

    async def take_up(self, limit: int) -> list[Work]:
        """Messages whose time has come: postponed ones, early ones, and those of a worker that died."""
        now = self._database.clock()
        due = [row for row in self._database.unfinished.values() if row.available_at <= now]
        taken = sorted(due, key=lambda row: row.available_at)[:limit]
        for row in taken:
            row.leased_by, row.available_at = self._worker, now + self._lease
        return [self._work(row) for row in sorted(taken, key=lambda row: row.inbox_id)]

    async def due_approvals(self, limit: int) -> list[UUID]:
        """Approval requests of which a timer has run out, save those that a message which came in time is about."""
        now = self._database.clock()
        due = [
            (key, row)
            for key, row in self._database.questions.items()
            if row.available_at <= now and not self._is_spoken_of(row)
        ]
        taken = sorted(due, key=lambda found: found[1].available_at)[:limit]
        for _, row in taken:
            row.available_at = now + self._lease
        return [key for key, _ in taken]

    def _is_spoken_of(self, row: ApprovalRow) -> bool:
        names = (str(row.approval_id), row.exception_id)
        return any(
            message.correlation in names and message.received_at <= row.available_at
            for message in self._database.unfinished.values()
        )

    async def abandoned_intents(self, limit: int) -> list[Intent]:
        """Intents that nobody has settled in time. Each counts as tried, so that it is looked up before it is paid."""
        now = self._database.clock()
        due = [row for row in self._database.intents.values() if not row.is_finished and row.available_at <= now]
        taken = sorted(due, key=lambda row: row.available_at)[:limit]
        return [self._taken(row, now) for row in taken]

    def _taken(self, row: IntentRow, now: datetime) -> Intent:
        """A deferred intent was surely not tried; once it is taken up, nobody knows."""
        row.available_at = now + self._lease
        takes, state = row.intent.takes + 1, row.intent.state
        known = IntentState.PENDING if state is IntentState.DEFERRED else state
        row.intent = row.intent.model_copy(update={"takes": takes, "state": known})
        return row.intent.model_copy(update={"attempts": max(1, row.intent.attempts), "state": state})

    async def release(self) -> None:
        """A worker that starts again under its old name need not wait for its own leases to run out."""
        for row in self._database.unfinished.values():
            if row.leased_by == self._worker:
                row.available_at = self._database.clock()

    def _insert(self, record: Record, part: Accepted) -> InboxRow | None:
        """None for one that is there already: it is somebody's work."""
        place = (record.topic, record.partition, record.offset, part.part)
        inbox = self._database.inbox
        if place in self._database.received:
            return None
        self._database.received.add(place)
        now = self._database.clock()
        row = InboxRow(
            inbox_id=len(inbox) + 1,
            place=place,
            correlation=part.correlation,
            payload=part.payload,
            message=part.message,
            received_at=now,
            available_at=now + self._lease,
            leased_by=self._worker,
        )
        inbox[row.inbox_id] = self._database.unfinished[row.inbox_id] = row
        return row

    def _reject(self, record: Record, part: Rejected) -> list[OutgoingMessage]:
        """A dead letter that is there already was announced with it."""
        place = (record.topic, record.partition, record.offset, part.part)
        letters = self._database.dead_letters
        if place in letters:
            return []
        letters[place] = DeadLetter(place, part.reason, part.detail, record.value)
        return [self._announcer.dead_letter(announced(letters[place]), self._database.clock())]

    def _work(self, row: InboxRow) -> Work:
        delivery = Delivery(
            inbox_id=row.inbox_id,
            message=row.message,
            received_at=row.received_at,
            waited_s=(self._database.clock() - row.received_at).total_seconds(),
            attempts=row.attempts,
        )
        return Work(row.correlation, delivery)
