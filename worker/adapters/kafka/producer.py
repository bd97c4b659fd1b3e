"""Publishes outgoing messages through the FastStream broker."""

import asyncio
from typing import Any

from faststream.exceptions import IncorrectState
from faststream.kafka import KafkaBroker

from worker.translation.outbound import OutgoingMessage

MOST_FAILURES = 50
"""In a row. A broker that is away fails nothing: an idempotent producer retries until it is back."""


class ProducerBroken(Exception):
    """Only a new producer helps; what this one did not send is in the outbox."""


class KafkaProducer:
    """Idempotent and acknowledged by all replicas; messages of one partition arrive in the order they were sent.

    After an error that breaks the order (OutOfOrderSequenceNumber), aiokafka's producer fails every later message of
    the partition, for ever. `watch` notices that.
    """

    def __init__(self, broker: KafkaBroker, topic_prefix: str) -> None:
        self._broker = broker
        self._prefix = topic_prefix
        self._failures = 0
        self._last_error: BaseException | None = None
        self._broken = asyncio.Event()

    async def send(self, message: OutgoingMessage) -> "asyncio.Future[Any]":
        """Raises ConnectionError while the broker is not connected yet."""
        try:
            acknowledged: asyncio.Future[Any] = await self._broker.publish(
                message.payload.encode(),
                topic=self._prefix + message.topic,
                key=message.key.encode(),
                headers=message.headers,
                correlation_id=message.headers["ce_id"],
                no_confirm=True,
            )
        except IncorrectState as error:
            raise ConnectionError("Kafka is not connected yet") from error
        acknowledged.add_done_callback(self._count)
        return acknowledged

    async def watch(self) -> None:
        """Raises ProducerBroken when nothing was accepted for `MOST_FAILURES` messages in a row."""
        await self._broken.wait()
        raise ProducerBroken(
            f"Kafka refused {MOST_FAILURES} messages in a row ({self._last_error!r}); the worker stops, as only a new "
            "producer helps: start it again, and it sends what is in the outbox"
        )

    def _count(self, acknowledged: "asyncio.Future[Any]") -> None:
        if acknowledged.cancelled():
            return
        error = acknowledged.exception()
        if error is None:
            self._failures = 0
            return
        self._failures += 1
        self._last_error = error
        if self._failures >= MOST_FAILURES:
            self._broken.set()
