"""How the parties of a run send and read records while brokers die: nothing is given up, and all of it is on record."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from tests.chaos.history import History

REQUEST_TIMEOUT_MS = 5_000
PAUSE_S = 0.3
STOP_S = 2.0
POLL_MS = 100

Header = tuple[str, bytes | None]
Story = dict[str, Any]
Handle = Callable[[str, ConsumerRecord], Awaitable[None]]

# Both clients tell each lost connection as an error. Here they are lost on purpose.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Letter:
    """A record to send. `topic` is without the prefix; `value` None is a tombstone."""

    topic: str
    key: str
    value: bytes | None
    headers: Sequence[Header] = ()

    @property
    def sha256(self) -> str:
        """Of a tombstone that of no bytes."""
        return sha256(self.value or b"").hexdigest()


class Post:
    """Sends until the broker says that it has the record, and tells the history of every attempt.

    The producer is not idempotent on purpose: a real one may be restarted between two attempts, and the worker has to
    live with records that lie there twice.
    """

    def __init__(self, kafka: str, prefix: str, history: History) -> None:
        self._kafka, self._prefix, self._history = kafka, prefix, history
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._producer = await self._started()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def send(self, letter: Letter, *stories: Story) -> None:
        """Returns when the broker has it. `stories` is what the history says of it besides: a line for each thing that
        the record holds."""
        while True:
            producer = await self._current()
            place = {"topic": letter.topic, "partition": None, "offset": None}
            lost: KafkaError | None = None
            try:
                done = await producer.send_and_wait(
                    self._prefix + letter.topic, letter.value, key=letter.key.encode(), headers=list(letter.headers)
                )
                place |= {"partition": done.partition, "offset": done.offset}
            except KafkaError as error:
                lost = error
            for story in stories:
                self._history.tell("sent", **place, sha256=letter.sha256, **story)
            if lost is None:
                return
            await self._renew(producer)

    async def _current(self) -> AIOKafkaProducer:
        async with self._renewing:
            if self._producer is None:
                self._producer = await self._started()
            return self._producer

    async def _renew(self, failed: AIOKafkaProducer) -> None:
        async with self._renewing:
            if self._producer is failed:
                await self._stop()

    async def _started(self) -> AIOKafkaProducer:
        """Waits for the broker."""
        while True:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._kafka, acks="all", request_timeout_ms=REQUEST_TIMEOUT_MS, retry_backoff_ms=50
            )
            try:
                await producer.start()
            except KafkaError:
                await _stopped(producer)
                await asyncio.sleep(PAUSE_S)
            else:
                return producer

    async def _stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stopped(producer)


class Inbox:
    """Reads topics from their beginning, each record once and of a partition in order, whatever befalls the broker.

    It runs from `open` to `close`. `handle` gets the topic without its prefix.
    """

    def __init__(self, kafka: str, prefix: str, topics: Sequence[str], handle: Handle) -> None:
        self._kafka, self._prefix, self._topics, self._handle = kafka, prefix, topics, handle
        self._next: dict[TopicPartition, int] = {}
        self._reading: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def open(self) -> None:
        self._reading = asyncio.create_task(self._read_on())

    async def close(self) -> None:
        """Raises whatever `handle` raised."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    async def _read_on(self) -> None:
        while True:
            consumer = AIOKafkaConsumer(
                *(self._prefix + topic for topic in self._topics),
                bootstrap_servers=self._kafka,
                group_id=None,
                auto_offset_reset="earliest",
                request_timeout_ms=REQUEST_TIMEOUT_MS,
                retry_backoff_ms=50,
            )
            try:
                await consumer.start()
                for partition in consumer.assignment():
                    consumer.seek(partition, self._next.get(partition, 0))
                while True:
                    await self._take(await consumer.getmany(timeout_ms=POLL_MS))
            except KafkaError:
                await asyncio.sleep(PAUSE_S)
            finally:
                await _stopped(consumer)

    async def _take(self, batches: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        for partition, records in batches.items():
            for record in records:
                try:
                    await self._handle(partition.topic.removeprefix(self._prefix), record)
                except Exception as error:
                    self._failure = error
                    raise
                self._next[partition] = record.offset + 1


async def _stopped(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """While the broker is away it would try on for as long as it lasts."""
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(STOP_S):
            await client.stop()
