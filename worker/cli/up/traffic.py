"""All events of the six topics as they pass, for a person to watch. It has no consumer group and leaves no trace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from pydantic import ValidationError

from schemas.catalogue import TOPICS, Topic, topic_name
from schemas.cloudevents import Refused, decode
from schemas.events import Event, ReviewDecided, decisions_in

POLL_MS = 1000


class Traffic:
    def __init__(self, consumer: AIOKafkaConsumer, topics: dict[str, Topic]) -> None:
        self._consumer = consumer
        self._topics = topics

    async def next_events(self) -> list[Event]:
        """What has passed since the last call, or nothing after a while. What is no event gets its dead letter."""
        batches = await self._consumer.getmany(timeout_ms=POLL_MS)
        records = sorted((record for batch in batches.values() for record in batch), key=self._place)
        return [event for record in records for event in _events(self._topics[record.topic], record)]

    def _place(self, record: ConsumerRecord) -> tuple[int, int]:
        """By the time it was written, in milliseconds; causes before effects within one of them."""
        return record.timestamp, TOPICS.index(self._topics[record.topic])


@asynccontextmanager
async def traffic_from_now(bootstrap_servers: str, prefix: str) -> AsyncIterator[Traffic]:
    """Stands at the end of each partition once it is entered: what is sent after that is not missed."""
    topics = {topic_name(prefix, topic): topic for topic in TOPICS}
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap_servers,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="latest",
    )
    try:
        await consumer.start()
        await consumer.seek_to_end()
        for partition in consumer.assignment():
            # The end is looked up when the position is asked for, and not later than that.
            await consumer.position(partition)
        yield Traffic(consumer, topics)
    finally:
        await consumer.stop()


def _events(topic: Topic, record: ConsumerRecord) -> list[Event]:
    try:
        event = decode(record.value, list(record.headers))
        model = topic.model(event.type)
        parts = decisions_in(event.data) if model is ReviewDecided else (event.data,)
    except (Refused, ValidationError):
        return []
    return [read for part in parts if (read := _read(model, part)) is not None]


def _read(model: type[Event], data: object) -> Event | None:
    try:
        return model.model_validate(data)
    except ValidationError:
        return None
