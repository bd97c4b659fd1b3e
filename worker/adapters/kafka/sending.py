"""Sends a few records by hand, and waits until the broker has them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from schemas.cloudevents import Header

LARGEST_REQUEST = 64 * 1024 * 1024
"""Bytes: how large a record may be is the broker's business, and it took those that are sent again."""


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
        headers = list(sending.headers)
        if sending.key is None and sending.value is None:
            await self._send_empty(sending.topic, headers)
            return
        await self._producer.send_and_wait(sending.topic, sending.value, key=sending.key, headers=headers)

    async def _send_empty(self, topic: str, headers: list[Header]) -> None:
        """A record of nothing, which Kafka knows and the client's `send` refuses. It goes to the first partition."""
        batch = self._producer.create_batch()
        batch.append(timestamp=None, key=None, value=None, headers=headers)
        delivered = await self._producer.send_batch(batch, topic, partition=0)
        await delivered


@asynccontextmanager
async def sender(bootstrap_servers: str) -> AsyncIterator[Sender]:
    """Raises KafkaConnectionError when no broker is there."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=10_000,
        max_request_size=LARGEST_REQUEST,
    )
    try:
        await producer.start()
        yield Sender(producer)
    finally:
        await producer.stop()
