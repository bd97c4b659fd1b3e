"""What the agent says to Signoff, and hears from it: one request out, its approvals and its outcome in, over Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from langchain_core.messages import AIMessage, ToolCall
from pydantic import ValidationError

from schemas.catalogue import APPROVALS, ORDER_EXCEPTIONS, ORDER_OUTCOMES, topic_name
from schemas.cloudevents import Refused, decode, encode
from schemas.events import Event, ExceptionRaised
from schemas.values import Action, ExceptionKind

NAME = "shop-desk"
SOURCE = f"/agents/{NAME}"


class Signoff(Protocol):
    async def publish(self, request: ExceptionRaised) -> None:
        """Returns when the request cannot get lost any more."""


def request_for(thread_id: str, thought: AIMessage, calls: Sequence[ToolCall]) -> ExceptionRaised:
    """The same thought gives the same id and content: to publish it again changes nothing.

    The id names the thread, so that whoever reads the outcome knows which one to continue.
    """
    return ExceptionRaised(
        exception_id=f"{NAME}:{thread_id}:{sha256(str(thought.id).encode()).hexdigest()[:12]}",
        kind=ExceptionKind.ACTION_REQUEST,
        requested_by=f"agent:{NAME}",
        reason=_legible(thought.text)[:4000],
        actions=tuple(Action(id=call["id"], name=call["name"], args=call["args"]) for call in calls),
    )


def _legible(text: str) -> str:
    """Without what no reviewer should meet: control codes, half surrogates, marks that turn the way of writing."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def thread_of(exception_id: str) -> str | None:
    """None for a request that is not ours."""
    name, _, rest = exception_id.partition(":")
    return rest.rpartition(":")[0] or None if name == NAME else None


@dataclass(frozen=True, slots=True)
class Kafka:
    """`group`: the agents that share the work. Each outcome goes to one of them."""

    servers: str
    prefix: str = ""
    group: str = f"agent-{NAME}"


class KafkaSignoff:
    def __init__(self, kafka: Kafka, producer: AIOKafkaProducer) -> None:
        self._topic = topic_name(kafka.prefix, ORDER_EXCEPTIONS)
        self._producer = producer

    async def publish(self, request: ExceptionRaised) -> None:
        event_id = str(uuid5(NAMESPACE_URL, f"{SOURCE}:{request.exception_id}"))
        value, headers = encode(
            request.TYPE, event_id, SOURCE, datetime.now(UTC), request.exception_id, request.to_json()
        )
        await self._producer.send_and_wait(self._topic, value, key=request.record_key.encode(), headers=headers)


@asynccontextmanager
async def open_signoff(kafka: Kafka) -> AsyncIterator[KafkaSignoff]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.servers, acks="all", enable_idempotence=True)
    try:
        await producer.start()
        yield KafkaSignoff(kafka, producer)
    finally:
        await producer.stop()


class Ears:
    """What Signoff says, at least once. A record is done with when the next one is asked for: if the agent dies
    before that, another one of its group hears it again."""

    def __init__(self, kafka: Kafka, consumer: AIOKafkaConsumer) -> None:
        self._topics = {topic_name(kafka.prefix, topic): topic for topic in (APPROVALS, ORDER_OUTCOMES)}
        self._consumer = consumer

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for record in self._consumer:
            try:
                said = decode(record.value, record.headers)
                event = self._topics[record.topic].model(said.type).model_validate(said.data)
            except (Refused, ValidationError):
                pass  # of a newer release, or nobody's: no thread waits for it
            else:
                yield event
            await self._consumer.commit({TopicPartition(record.topic, record.partition): record.offset + 1})


@asynccontextmanager
async def open_ears(kafka: Kafka) -> AsyncIterator[Ears]:
    topics = [topic_name(kafka.prefix, topic) for topic in (APPROVALS, ORDER_OUTCOMES)]
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=kafka.servers,
        group_id=kafka.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        await consumer.start()
        yield Ears(kafka, consumer)
    finally:
        await consumer.stop()
