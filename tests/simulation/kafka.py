"""Kafka as the workers meet it: partitions, a consumer group that forgets who fell silent, and a producer whose
acknowledgements may be lost.

It keeps what the real one promises: the order of a partition, and what was acknowledged. It promises nothing between
partitions.
"""

import asyncio
import random
import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaTimeoutError

from schemas.catalogue import TOPICS, Direction
from schemas.cloudevents import Header
from tests.simulation.kernel import Turn
from worker.translation.outbound import OutgoingMessage

PARTITIONS = 3
INPUT = tuple(topic.name for topic in TOPICS if topic.direction is Direction.IN)

KEPT = 100
"""Records of a partition that are read again by whoever starts at its beginning: before all of a long history was, the
next would start."""

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]

    @property
    def event_id(self) -> str:
        """Of what a worker published."""
        return (dict(self.headers)["ce_id"] or b"").decode()


class Cluster:
    """All topics, and the one consumer group: `positions` are where the owner of each partition reads on. `published`
    is told of each record on an output topic."""

    def __init__(self, choice: random.Random, published: Callable[[StoredRecord], None]) -> None:
        self.random = choice
        self.is_away = False
        self.records: dict[Place, list[StoredRecord]] = {
            (topic.name, number): [] for topic in TOPICS for number in range(PARTITIONS)
        }
        self.committed: dict[Place, int] = {place: 0 for place in self.records if place[0] in INPUT}
        self.positions = dict(self.committed)
        self.owners: dict[Place, str] = {}
        self._members: list[str] = []
        self._published = published

    def append(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[Header] = ()) -> StoredRecord:
        """A key has its partition."""
        partition = zlib.crc32(key) % PARTITIONS
        held = self.records[topic, partition]
        record = StoredRecord(topic, partition, len(held), key, value, headers)
        held.append(record)
        if topic not in INPUT:
            self._published(record)
        return record

    # The group

    def join(self, member: str) -> None:
        if member not in self._members:
            self._members.append(member)
            self.rebalance()

    def leave(self, member: str) -> None:
        if member in self._members:
            self._members.remove(member)
            self.rebalance()

    def has(self, member: str) -> bool:
        return member in self._members

    def rebalance(self) -> None:
        """Everybody starts at the committed offsets again, with other partitions perhaps."""
        self.positions = dict(self.committed)
        self.owners = {place: self.random.choice(self._members) for place in self.committed} if self._members else {}

    def reset_offsets(self) -> None:
        """An operator sets the group back to the beginning of everything."""
        self.committed = dict.fromkeys(self.committed, 0)
        self.rebalance()

    def rewind(self) -> None:
        """Back to where a partition begins that keeps its last records only."""
        self.committed = {
            place: min(at, max(0, len(self.records[place]) - KEPT)) for place, at in self.committed.items()
        }
        self.rebalance()

    def commit(self, member: str, offsets: Mapping[Place, int]) -> None:
        if any(self.owners.get(place) != member for place in offsets):
            raise CommitFailedError("the group has given the partition to another member")
        self.committed.update(offsets)

    @property
    def is_read(self) -> bool:
        """Offsets may be behind: a commit that was lost is made good by the next one, if there is one."""
        return all(position == len(self.records[place]) for place, position in self.positions.items())


class Consumer:
    """One member's view of the group."""

    def __init__(self, cluster: Cluster, member: str, turn: Turn) -> None:
        self._cluster, self._member, self._turn = cluster, member, turn

    def poll(self, limit: int) -> tuple[StoredRecord, ...]:
        """Some of what is there, of any of its partitions."""
        cluster = self._cluster
        if cluster.is_away:
            return ()
        cluster.join(self._member)
        batch: list[StoredRecord] = []
        owned = [place for place, owner in cluster.owners.items() if owner == self._member]
        for place in cluster.random.sample(owned, len(owned)):
            position = cluster.positions[place]
            found = cluster.records[place][position : position + limit - len(batch)]
            cluster.positions[place] = position + len(found)
            batch += found
        return tuple(batch)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        await self._turn()
        if self._cluster.is_away:
            raise KafkaTimeoutError("the broker does not answer")
        self._cluster.commit(self._member, {(place.topic, place.partition): to for place, to in offsets.items()})
        await self._turn()


class Subscription:
    """What FastStream's broker gives for `subscriber`, as far as intake uses it."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer

    def subscriber(self, *topics: str, **options: Any) -> "Subscription":
        return self

    def __call__(self, handler: object) -> None:
        """The handler is called by the worker's own loop."""


class SimulatedProducer:
    """Sends in order. Once a record of a partition was refused, all later ones of it are, as with aiokafka's."""

    def __init__(self, cluster: Cluster, turn: Turn, refuses_next: Callable[[], bool]) -> None:
        self._cluster, self._turn, self._refuses_next = cluster, turn, refuses_next
        self._queue: deque[tuple[OutgoingMessage, asyncio.Future[None]]] = deque()
        self._filled = asyncio.Event()
        self._broken: set[Place] = set()

    async def send(self, message: OutgoingMessage) -> "asyncio.Future[Any]":
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((message, acknowledged))
        self._filled.set()
        return acknowledged

    async def run(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._queue:
                await self._transmit(*self._queue.popleft())

    async def _transmit(self, message: OutgoingMessage, acknowledged: "asyncio.Future[None]") -> None:
        await self._turn()
        while self._cluster.is_away:  # noqa: ASYNC110 - a broker that comes back gives no signal
            await asyncio.sleep(1.0)
        place = (message.topic, zlib.crc32(message.key.encode()) % PARTITIONS)
        if place not in self._broken and self._refuses_next():
            self._broken.add(place)
            if self._cluster.random.random() < 0.5:  # it was written, and only the answer is an error
                self._write(message)
        elif place not in self._broken:
            self._write(message)
            await self._turn()
            if not acknowledged.done():
                acknowledged.set_result(None)
        if place in self._broken and not acknowledged.done():
            acknowledged.set_exception(KafkaTimeoutError("no acknowledgement in time"))

    def _write(self, message: OutgoingMessage) -> None:
        headers = [(name, text.encode()) for name, text in message.headers.items()]
        self._cluster.append(message.topic, message.key.encode(), message.payload.encode(), headers)
