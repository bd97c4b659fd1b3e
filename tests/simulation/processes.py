"""A worker process of the simulation: the real intake, lanes, use cases, due work, publisher and relay, wired as a
worker wires them, on a cluster and a store in memory.

All that it holds in memory dies with it. What it has written stays, and so does what Kafka was told.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, cast
from uuid import UUID

from schemas.values import Action
from tests.simulation.kafka import Cluster, Consumer, SimulatedProducer, Subscription
from tests.simulation.kernel import Link, Turns, paced
from tests.simulation.outbox_tables import AdvisoryLock, OutboxPool
from worker.adapters.memory.database import MemoryDatabase, OutboxRow
from worker.adapters.memory.inbox import MemoryInbox, Work
from worker.adapters.memory.outbox import MemoryOutbox
from worker.adapters.memory.people import Register
from worker.adapters.memory.store import MemoryStore
from worker.adapters.postgres.outbox import OutboxRow as HandedOver
from worker.adapters.postgres.outbox import Publisher, Relay
from worker.application.casework import Casework
from worker.application.ports import Ports
from worker.application.ports.executors import Ran
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork
from worker.domain.intent import Intent
from worker.entrypoints.due_work import DueWork
from worker.entrypoints.kafka_consumers import Intake
from worker.entrypoints.lanes import Lanes
from worker.entrypoints.outbox_relay import run_relay
from worker.translation.inbound import Record
from worker.translation.outbound import Announcer

BATCH, DUE = 5, 50
POLL_S, RELAY_GRACE = 1.0, timedelta(seconds=5)
RELAYED = 5
"""Events that the relay sends at once. Of many, a fault would come before the last, each time."""
LEASE = timedelta(seconds=30)
NEVER = datetime.min.replace(tzinfo=UTC)
LOOKS = ("take_up", "due_approvals", "abandoned_intents")


class House(Protocol):
    """What all processes of a world share, and whom they answer to."""

    turns: Turns
    cluster: Cluster
    database: MemoryDatabase
    ports: Ports
    register: Register | None
    relay_lock: AdvisoryLock
    announcer: Announcer

    def database_is_down(self) -> bool: ...

    def loses_answer(self) -> bool: ...

    def refuses_record(self, process: str) -> bool: ...

    def given(self, process: str, kind: str, names: Sequence[object]) -> None: ...

    def calls(self, process: str, idempotency_key: str) -> None: ...

    def committed(self, process: str, unit: UnitOfWork, looked_at: datetime) -> None: ...

    def announced(self, rows: Sequence[OutboxRow]) -> None: ...

    def marked(self, rows: Sequence[OutboxRow]) -> None: ...

    def failed(self, error: BaseException) -> None: ...


class SimulatedWorker:
    """One start of a process; after `die` another one is made. `id` is its SIGNOFF_WORKER_ID, if it has one; `skew` is
    how far its own clock is off, which stamps what it publishes and must decide nothing."""

    def __init__(self, name: str, house: House, *, id: str | None, skew: timedelta) -> None:
        self.name = name
        self._house, self._id, self._turns = house, id, house.turns
        self.is_dead = self._is_receiving = False
        link = Link(house.database_is_down, house.loses_answer)
        self._consumer = Consumer(house.cluster, name, self._turn)
        self._producer = SimulatedProducer(house.cluster, self._turn, lambda: house.refuses_record(name))
        pool: Any = OutboxPool(
            MemoryOutbox(house.database), house.relay_lock, self._turn, self._while_frozen, link, house.marked
        )
        self._publisher = Publisher(pool, self._producer)
        self._relay = Relay(pool, self._producer, self._publisher.is_in_flight, grace=RELAY_GRACE, batch=RELAYED)
        handing_over = _HandingOver(self._publisher, link, house.announced)
        store = MemoryStore(
            house.database,
            house.announcer,
            lease=LEASE,
            register=house.register,
            publisher=handing_over,
            clock=lambda: house.database.clock() + skew,
        )
        inbox = MemoryInbox(house.database, house.announcer, worker=id or name, lease=LEASE, publisher=handing_over)
        watched = _WatchedInbox(inbox, partial(house.given, name))
        self._inbox = paced(watched, self._turn, link, looks=dict.fromkeys(LOOKS, self._while_frozen))
        ports = house.ports
        self._casework = Casework(
            replace(
                ports,
                store=paced(_WatchedStore(store, partial(house.committed, name)), self._turn, link),
                payments=paced(ports.payments, self._turn),
                orders=paced(ports.orders, self._turn),
                executors=_WatchedExecutors(paced(ports.executors, self._turn), partial(house.calls, name)),
            )
        )
        self._lanes = Lanes(1_000)
        self._due = DueWork(self._inbox, self._casework, self._lanes, limit=DUE, pause_s=POLL_S)
        broker: Any = Subscription(self._consumer)
        self._intake = Intake(
            broker,
            self._inbox,
            self._lanes,
            self._casework.deliver,
            topic_prefix="",
            group="signoff",
            member=None,
            batch=BATCH,
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_at_work(self) -> bool:
        return self._is_receiving or self._lanes.held > 0

    def start(self) -> None:
        self._tasks = [self._task(self._run())]

    def die(self) -> None:
        """Nothing of it goes on. What it waited for has happened, or not."""
        self.is_dead = True
        self._turns.forget(self.name)
        for task in (*self._tasks, *self._lanes._tasks):
            task.cancel()

    async def _turn(self) -> None:
        if self.is_dead:
            raise asyncio.CancelledError
        await self._turns.take(self.name)
        if self.is_dead:
            raise asyncio.CancelledError

    async def _while_frozen(self) -> None:
        if self.is_dead or self._turns.is_frozen(self.name):
            await self._turn()

    async def _run(self) -> None:
        """In the order of a worker that starts: what it held before is free before anything is taken up."""
        if self._id is not None:
            await self._released()
        loops = (self._consume(), self._due.run(), self._publisher.run(), self._producer.run(), self._run_relay())
        self._tasks += [self._task(loop) for loop in loops]
        await asyncio.gather(*self._tasks[1:])

    async def _consume(self) -> None:
        while True:
            records = self._consumer.poll(BATCH)
            await self._while_frozen()
            if records:
                self._is_receiving = True
                await self._intake.receive(cast(Any, records))
                self._is_receiving = False
            else:
                await asyncio.sleep(POLL_S)

    async def _released(self) -> None:
        while True:
            try:
                await self._inbox.release()
                return
            except ConnectionError:
                await asyncio.sleep(POLL_S)

    async def _run_relay(self) -> None:
        await run_relay(self._relay, pause_s=POLL_S)

    def _task(self, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A loop of a worker never ends by itself."""
        task = asyncio.create_task(loop)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._house.failed(error)


class _HandingOver:
    """From the store to the publisher. Whoever never hears of their commit hands nothing over."""

    def __init__(self, publisher: Publisher, link: Link, announced: Callable[[Sequence[OutboxRow]], None]) -> None:
        self._publisher, self._link, self._announced = publisher, link, announced

    def hand_over(self, rows: list[OutboxRow], unsent: Mapping[str, set[int]]) -> None:
        self._announced(rows)
        if not self._link.loses_answer:
            self._publisher.hand_over([HandedOver(row.outbox_id, row.message) for row in rows], unsent)


_looked_at: ContextVar[datetime] = ContextVar("signoff_simulation_looked_at")


class _WatchedStore:
    """A store whose every commit is judged at once, by the time that it was computed for."""

    def __init__(self, store: MemoryStore, committed: Callable[[UnitOfWork, datetime], None]) -> None:
        self._store, self._committed = store, committed

    async def view(self, query: CaseQuery) -> CaseView:
        view = await self._store.view(query)
        _looked_at.set(view.now)
        return view

    async def commit(self, unit: UnitOfWork) -> Commit:
        answer = await self._store.commit(unit)
        if answer is Commit.DONE:
            self._committed(unit, _looked_at.get(NEVER))
        return answer


class _WatchedExecutors:
    """Executors of which it is known who is about to call them."""

    def __init__(self, executors: Any, calls: Callable[[str], None]) -> None:
        self._executors, self._calls = executors, calls

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        self._calls(idempotency_key)
        return cast(Ran, await self._executors.run(action, idempotency_key))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executors, name)


class _WatchedInbox:
    """Queues of which it is known who was given what."""

    def __init__(self, inbox: MemoryInbox, given: Callable[[str, Sequence[object]], None]) -> None:
        self._inbox, self._given = inbox, given

    async def receive(self, records: Sequence[Record]) -> list[Work]:
        works = await self._inbox.receive(records)
        self._given("inbox", [work.delivery.inbox_id for work in works])
        return works

    async def take_up(self, limit: int) -> list[Work]:
        works = await self._inbox.take_up(limit)
        self._given("inbox", [work.delivery.inbox_id for work in works])
        return works

    async def due_approvals(self, limit: int) -> list[UUID]:
        approvals = await self._inbox.due_approvals(limit)
        self._given("approval", approvals)
        return approvals

    async def abandoned_intents(self, limit: int) -> list[Intent]:
        intents = await self._inbox.abandoned_intents(limit)
        self._given("intent", [intent.idempotency_key for intent in intents])
        return intents

    async def release(self) -> None:
        await self._inbox.release()
