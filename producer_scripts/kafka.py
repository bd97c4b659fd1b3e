"""Kafka as the programs need it: send a record, read topics from their beginning or from now on.

Readers have no consumer group: each sees everything and leaves no trace on the broker.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    for_code,
)

from producer_scripts.envelopes import Outgoing
from producer_scripts.failure import Failure
from schemas.catalogue import Topic, topic_name

REQUEST_TIMEOUT_MS = 10_000
POLL_MS = 200
STOP_S = 2.0


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where the topics are."""

    servers: str
    prefix: str

    def name(self, topic: Topic) -> str:
        return topic_name(self.prefix, topic)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a record came to lie."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}, partition {self.partition}, offset {self.offset}"


class Sender:
    def __init__(self, kafka: Kafka, producer: AIOKafkaProducer) -> None:
        self._kafka = kafka
        self._producer = producer

    async def post(self, topic: Topic, record: Outgoing) -> "asyncio.Future[Delivered]":
        """Hands the record over; the future is done when the broker has it. Who ignores it, ignores its failure."""
        key = None if record.key is None else record.key.encode()
        sending = await self._producer.send(
            self._kafka.name(topic), record.value, key=key, headers=list(record.headers)
        )
        delivering = asyncio.ensure_future(_delivered(sending))
        delivering.add_done_callback(lambda done: done.cancelled() or done.exception())
        return delivering

    async def send(self, topic: Topic, records: Sequence[Outgoing]) -> list[Delivered]:
        """All of them, in order; returns when the broker has them."""
        posted = [await self.post(topic, record) for record in records]
        return list(await asyncio.gather(*posted))


class Reader:
    def __init__(self, consumer: AIOKafkaConsumer, topics: dict[str, Topic]) -> None:
        self._consumer = consumer
        self._topics = topics

    async def records(self) -> AsyncGenerator[tuple[Topic, ConsumerRecord], None]:
        """Without end: what is there, then what comes."""
        while True:
            for record in await self._some():
                yield record

    async def up_to_now(self) -> AsyncGenerator[tuple[Topic, ConsumerRecord], None]:
        """What is there when this is called, and then an end."""
        ends = await self._consumer.end_offsets(list(self._consumer.assignment()))
        while [partition for partition, end in ends.items() if await self._consumer.position(partition) < end]:
            for record in await self._some():
                yield record

    async def _some(self) -> list[tuple[Topic, ConsumerRecord]]:
        """Of one partition in order; of several, roughly in the order of time."""
        batches = await self._consumer.getmany(timeout_ms=POLL_MS)
        records = merge(*batches.values(), key=attrgetter("timestamp"))
        return [(self._topics[record.topic], record) for record in records]


@asynccontextmanager
async def open_sender(kafka: Kafka, *topics: Topic) -> AsyncIterator[Sender]:
    """Raises Failure when the broker is away or lacks one of the topics."""
    with _telling(kafka):
        await _partitions(kafka, topics)
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka.servers,
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            await producer.start()
            yield Sender(kafka, producer)
        finally:
            # All that anybody waits for is sent by now; aiokafka would try for the rest as long as the broker is away.
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await producer.stop()


@asynccontextmanager
async def open_reader(kafka: Kafka, *topics: Topic, from_beginning: bool = False) -> AsyncIterator[Reader]:
    """When this is entered, the place to read from is fixed: nothing that is sent later is missed.

    Raises Failure when the broker is away or lacks one of the topics.
    """
    with _telling(kafka):
        partitions = await _partitions(kafka, topics)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=kafka.servers, group_id=None, request_timeout_ms=REQUEST_TIMEOUT_MS
        )
        try:
            await consumer.start()
            consumer.assign(partitions)
            offsets = consumer.beginning_offsets if from_beginning else consumer.end_offsets
            for partition, offset in (await offsets(partitions)).items():
                consumer.seek(partition, offset)
            yield Reader(consumer, {kafka.name(topic): topic for topic in topics})
        finally:
            await consumer.stop()


async def _delivered(sending: "asyncio.Future[object]") -> Delivered:
    metadata = await sending
    return Delivered(metadata.topic, metadata.partition, metadata.offset)  # type: ignore[attr-defined]


async def _partitions(kafka: Kafka, topics: Sequence[Topic]) -> list[TopicPartition]:
    """Raises Failure that names the topics which are not there; asking does not create them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.servers, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        try:
            await admin.start()
        except (ValueError, OverflowError):
            raise Failure(f"{kafka.servers!r} is no address of a Kafka; write HOST:PORT") from None
        names = [kafka.name(topic) for topic in topics]
        if missing := sorted(set(names) - set(await admin.list_topics())):
            raise Failure(
                f"Kafka at {kafka.servers} has no topic {', '.join(missing)}; "
                "run `signoff migrate`, or name another prefix with --topic-prefix"
            )
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    for topic in described:
        if topic["error_code"]:
            raise for_code(topic["error_code"])(topic["topic"])
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]


@contextmanager
def _telling(kafka: Kafka) -> Iterator[None]:
    """Makes one sentence of everything that can be wrong with the broker."""
    try:
        yield
    except (KafkaConnectionError, KafkaTimeoutError, LeaderNotAvailableError, NodeNotReadyError):
        raise Failure(
            f"Kafka does not answer at {kafka.servers}; start it, or name another with --kafka "
            "or SIGNOFF_KAFKA_BOOTSTRAP_SERVERS"
        ) from None
    except KafkaError as error:
        raise Failure(f"Kafka at {kafka.servers} refused: {error}") from None
