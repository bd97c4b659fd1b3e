"""Sends a few records by hand, and waits until the broker has them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from schemas.cloudevents import Header


@dataclass(frozen=True, slots=True)
class Sending:
    """`topic` is the full name, prefix included."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


class Sender:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, sending: Sending) -> None:
        """Returns when all replicas have the record. Raises KafkaError."""
        await self._producer.send_and_wait(sending.topic, sending.value, key=sending.key, headers=list(sending.headers))


@asynccontextmanager
async def sender(bootstrap_servers: str) -> AsyncIterator[Sender]:
    """Raises KafkaConnectionError when no broker is there."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, request_timeout_ms=10_000
    )
    try:
        await producer.start()
        yield Sender(producer)
    finally:
        await producer.stop()
