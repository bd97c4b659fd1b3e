"""Two houses that keep cases: one in memory, one in PostgreSQL. What is promised of a store is tried on both."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from psycopg.rows import dict_row

from tests.builders import numbered_ids
from tests.threads import DEPENDENCIES
from worker.adapters.memory.clock import SetClock
from worker.adapters.memory.database import MemoryDatabase
from worker.adapters.memory.inbox import MemoryInbox
from worker.adapters.memory.store import MemoryStore
from worker.adapters.memory.threads import MemoryCheckpointer
from worker.adapters.postgres.case_reader import CaseReader
from worker.adapters.postgres.checkpointer import BatchingCheckpointer
from worker.adapters.postgres.group_commit import GroupCommit
from worker.adapters.postgres.inbox import Inbox
from worker.adapters.postgres.outbox import Producer, Publisher
from worker.adapters.postgres.pool import Pool, borrowed
from worker.adapters.postgres.store import PostgresStore
from worker.application.messages import Delivery
from worker.application.ports.store import Store
from worker.application.ports.workflow import CaseWorkflow
from worker.domain.audit import AuditEntry
from worker.domain.intent import PaymentIntent
from worker.domain.reviewers import Person, person_key
from worker.graph.workflow import Workflow
from worker.translation.inbound import Record
from worker.translation.outbound import Announcer, OutgoingMessage

LEASE = timedelta(seconds=30)


class Work(Protocol):
    @property
    def correlation(self) -> str: ...

    @property
    def delivery(self) -> Delivery: ...


class Queues(Protocol):
    """What a worker takes its work from."""

    async def receive(self, records: Sequence[Record]) -> Sequence[Work]: ...

    async def take_up(self, limit: int) -> Sequence[Work]: ...

    async def due_approvals(self, limit: int) -> Sequence[UUID]: ...

    async def abandoned_intents(self, limit: int) -> Sequence[PaymentIntent]: ...

    async def release(self) -> None: ...


class House(Protocol):
    store: Store
    workflow: CaseWorkflow

    def queues(self, worker: str) -> Queues:
        """The inbox and the due work as the named worker sees them."""
        ...

    def another_store(self) -> Store:
        """The same cases as another worker sees and changes them."""
        ...

    async def registered(self, *people: Person) -> Store:
        """The same cases where a register of reviewers is kept, and these are in it."""
        ...

    async def passes(self, seconds: float) -> None:
        """Time goes by."""
        ...

    async def events(self) -> list[OutgoingMessage]:
        """All that was announced, in the order in which it will go out."""
        ...

    async def trail(self, case_id: UUID) -> list[AuditEntry]: ...


class MemoryHouse:
    def __init__(self) -> None:
        self._clock = SetClock()
        self._database = MemoryDatabase(self._clock)
        ids = numbered_ids()
        self._announcer = Announcer(lambda: next(ids))
        self.store = self.another_store()
        checkpointer = MemoryCheckpointer()
        self.workflow = Workflow(checkpointer, checkpointer, DEPENDENCIES)

    def another_store(self) -> MemoryStore:
        return MemoryStore(self._database, self._announcer, lease=LEASE)

    async def registered(self, *people: Person) -> MemoryStore:
        register = {person_key(person.id): person for person in people}
        return MemoryStore(self._database, self._announcer, lease=LEASE, register=register)

    def queues(self, worker: str) -> MemoryInbox:
        return MemoryInbox(self._database, self._announcer, worker=worker, lease=LEASE)

    async def passes(self, seconds: float) -> None:
        self._clock.advance(seconds)

    async def events(self) -> list[OutgoingMessage]:
        return list(self._database.outbox)

    async def trail(self, case_id: UUID) -> list[AuditEntry]:
        return [entry for entry in self._database.audit if entry.case_id == case_id]


class NoBroker(Producer):
    """Nothing is sent here: what was announced is read from the outbox."""

    async def send(self, message: OutgoingMessage) -> Any:
        raise ConnectionError("this house has no broker")


class PostgresHouse:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        ids = numbered_ids()
        self._announcer = Announcer(lambda: next(ids))
        self._publisher = Publisher(pool, NoBroker())
        self.store = self.another_store()
        checkpointer = BatchingCheckpointer(pool)
        self.workflow = Workflow(checkpointer, checkpointer, DEPENDENCIES)

    def another_store(self, *, register: bool = False) -> PostgresStore:
        commit = GroupCommit(self._pool, self._announcer, self._publisher, lease=LEASE)
        return PostgresStore(CaseReader(self._pool, register=register), commit)

    async def registered(self, *people: Person) -> PostgresStore:
        rows = [
            (person_key(person.id), person.delegate and person_key(person.delegate), person.model_dump_json())
            for person in people
        ]
        async with borrowed(self._pool) as connection, connection.cursor() as cursor:
            await cursor.executemany("insert into reviewers (key, delegate, body) values (%s, %s, %s)", rows)
        return self.another_store(register=True)

    def queues(self, worker: str) -> Inbox:
        return Inbox(self._pool, self._announcer, self._publisher, worker=worker, lease=LEASE)

    async def passes(self, seconds: float) -> None:
        """Everything becomes older instead: the database's clock is nobody's to move."""
        age = timedelta(seconds=seconds)
        async with borrowed(self._pool) as connection, connection.transaction():
            await connection.execute(
                "update inbox set available_at = available_at - %(age)s, received_at = received_at - %(age)s",
                {"age": age},
            )
            await connection.execute("update cases set opened_at = opened_at - %s", [age])
            await connection.execute("update decisions set received_at = received_at - %s", [age])
            await connection.execute("update approvals set available_at = available_at - %s", [age])
            await connection.execute("update intents set available_at = available_at - %s", [age])

    async def events(self) -> list[OutgoingMessage]:
        rows = await self._rows(
            "select event_id, ordering, topic, key, headers, payload from outbox order by outbox_id"
        )
        return [OutgoingMessage(**row) for row in rows]

    async def trail(self, case_id: UUID) -> list[AuditEntry]:
        rows = await self._rows("select * from audit where case_id = %s order by number", case_id)
        return [AuditEntry.model_validate(row) for row in rows]

    async def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        async with borrowed(self._pool) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(query.encode(), values)
            return await cursor.fetchall()
