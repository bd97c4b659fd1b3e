"""A worker process of the simulation: the real lanes, use cases and due work, on a topic and a store in memory.

All that it holds in memory dies with it. What it has written stays, and so does what Kafka was told.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.simulation.kernel import Turns, paced
from worker.adapters.memory.database import MemoryDatabase
from worker.adapters.memory.inbox import MemoryInbox
from worker.application.casework import Casework
from worker.application.ports import Ports
from worker.entrypoints.due_work import DueWork
from worker.entrypoints.kafka_consumers import job
from worker.entrypoints.lanes import Lanes
from worker.translation.inbound import Record
from worker.translation.outbound import Announcer

BATCH = 5


@dataclass(slots=True)
class Topic:
    """The input topics as one partition. `committed` is the consumer group's offset."""

    records: list[Record] = field(default_factory=list)
    committed: int = 0

    def append(self, record: Record) -> None:
        self.records.append(replace(record, offset=len(self.records)))


class SimulatedWorker:
    """One start of a process; after `die` another one is made."""

    def __init__(
        self, name: str, ports: Ports, database: MemoryDatabase, announcer: Announcer, turns: Turns, lease: timedelta
    ) -> None:
        self.name = name
        self._turns = turns
        self._inbox = paced(MemoryInbox(database, announcer, worker=name, lease=lease), self._turn)
        self._casework = Casework(
            replace(
                ports,
                store=paced(ports.store, self._turn),
                payments=paced(ports.payments, self._turn),
                orders=paced(ports.orders, self._turn),
                executors=paced(ports.executors, self._turn),
            )
        )
        self._lanes = Lanes(1_000)
        self._due = DueWork(self._inbox, self._casework, self._lanes, limit=50, pause_s=1.0)
        self._position: int | None = None
        self._doing: dict[str, asyncio.Task[None]] = {}

    async def _turn(self) -> None:
        await self._turns.take(self.name)

    @property
    def is_idle(self) -> bool:
        return not self._lanes.held and all(task.done() for task in self._doing.values())

    def consume(self, topic: Topic) -> None:
        """Takes the next records, as intake does: into the inbox, to the lanes, and then the offset."""
        self._start("consume", lambda: asyncio.create_task(self._consume(topic)))

    def look_for_due_work(self) -> None:
        self._start("due", lambda: asyncio.create_task(self._take_up()))

    def _start(self, what: str, begin: Callable[[], asyncio.Task[None]]) -> None:
        """One at a time, as the loops of a worker are."""
        before = self._doing.get(what)
        if before is None or before.done():
            self._doing[what] = begin()
        if before is not None and before.done():
            before.result()

    async def _consume(self, topic: Topic) -> None:
        begin = topic.committed if self._position is None else self._position
        records = topic.records[begin : begin + BATCH]
        if not records:
            return
        for work in await self._inbox.receive(records):
            self._lanes.submit(
                work.correlation, ("inbox", work.delivery.inbox_id), job(self._casework.deliver, work.delivery)
            )
        end = begin + len(records)
        self._position = end
        await self._turn()
        topic.committed = max(topic.committed, end)

    async def _take_up(self) -> None:
        await self._due.take_up()

    def rewind(self) -> None:
        """The group's offsets count again: a rebalance, or an operator who reset them."""
        self._position = None

    async def die(self) -> None:
        """Nothing of it goes on. What it waited for has happened, or not."""
        self._turns.forget(self.name)
        for task in self._doing.values():
            task.cancel()
        await asyncio.gather(*self._doing.values(), return_exceptions=True)
        await self._lanes.cancel()
        self._turns.forget(self.name)
