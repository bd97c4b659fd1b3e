"""Intake: a batch of records goes into the inbox with one insert, then its offsets are committed.

Nothing a record holds can stop the partition: what is no message becomes a dead letter in the same insert. The
handler never raises; while the database is away it waits, and the lag of the consumer group shows it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiokafka import ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS, topic_name
from worker.application import failpoints
from worker.application.messages import Delivery
from worker.entrypoints.lanes import Lanes
from worker.translation.inbound import Record

log = logging.getLogger(__name__)

Deliver = Callable[[Delivery], Awaitable[None]]

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
COMMIT_TIMEOUT_S = 10.0


class Work(Protocol):
    @property
    def correlation(self) -> str: ...

    @property
    def delivery(self) -> Delivery: ...


class Inbox(Protocol):
    async def receive(self, records: Sequence[Record]) -> Sequence[Work]: ...


class Intake:
    """Consumes the two input topics of one worker process."""

    def __init__(
        self,
        broker: KafkaBroker,
        inbox: Inbox,
        lanes: Lanes,
        deliver: Deliver,
        *,
        topic_prefix: str,
        group: str,
        member: str | None,
        batch: int,
    ) -> None:
        self._inbox = inbox
        self._lanes = lanes
        self._deliver = deliver
        self._prefix = topic_prefix
        self._subscriber = broker.subscriber(
            topic_name(topic_prefix, ORDER_EXCEPTIONS),
            topic_name(topic_prefix, REVIEW_DECISIONS),
            batch=True,
            max_records=batch,
            group_id=group,
            # A member that comes back under its name gets its partitions without a rebalance.
            group_instance_id=member,
            auto_offset_reset="earliest",
            rebalance_timeout_ms=30_000,
            ack_policy=AckPolicy.MANUAL,
            parser=self._parse,
            decoder=_decode,
        )
        self._subscriber(self.receive)

    async def receive(self, records: Sequence[ConsumerRecord]) -> None:
        """Called with each batch, one at a time; returns when the batch is safe and its offsets are committed."""
        await self._lanes.room()
        failpoints.reach("intake.before-insert", (record.topic for record in records))
        for work in await self._insert([self._record(record) for record in records]):
            delivery = work.delivery
            self._lanes.submit(work.correlation, ("inbox", delivery.inbox_id), job(self._deliver, delivery))
        failpoints.reach("intake.before-offsets", (record.topic for record in records))
        await self._commit(records)

    async def _insert(self, records: list[Record]) -> Sequence[Work]:
        """Goes on for as long as it takes, whatever goes wrong: the consumer is past these records, and whoever went on
        to the next ones would lose them."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                return await self._inbox.receive(records)
            except ConnectionError as error:
                log.warning("intake waits for the database: %s", error)
            except Exception:
                log.exception("a batch could not be stored; it is tried again")
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _commit(self, records: Sequence[ConsumerRecord]) -> None:
        """A commit that fails costs nothing but a redelivery, which the inbox recognises."""
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            offsets[TopicPartition(record.topic, record.partition)] = record.offset + 1
        consumer = self._subscriber.consumer
        try:
            if consumer is not None:
                async with asyncio.timeout(COMMIT_TIMEOUT_S):
                    await consumer.commit(offsets)
        except Exception as error:
            log.warning("offsets were not committed, the batch may come again: %s", error)

    def _record(self, record: ConsumerRecord) -> Record:
        return Record(
            topic=record.topic.removeprefix(self._prefix),
            partition=record.partition,
            offset=record.offset,
            key=record.key,
            value=record.value,
            headers=record.headers,
        )

    async def _parse(self, records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
        """FastStream's own parser decodes headers and fails on one that is not UTF-8; this one looks at nothing.

        The message is never acknowledged through FastStream: offsets are committed by number, in `_commit`.
        """
        return KafkaMessage(
            body=b"",
            raw_message=records,
            headers={},
            message_id=f"{records[0].offset}-{records[-1].offset}",
            correlation_id="",
            consumer=FAKE_CONSUMER,
        )


def job(deliver: Deliver, delivery: Delivery) -> Callable[[], Awaitable[None]]:
    return lambda: deliver(delivery)


async def _decode(message: Any) -> Any:
    return message.raw_message
