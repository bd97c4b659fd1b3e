"""Publishes outgoing messages through the FastStream broker."""

import asyncio
from typing import Any

from faststream.kafka import KafkaBroker

from worker.translation.outbound import OutgoingMessage


class KafkaProducer:
    """Idempotent and acknowledged by all replicas; messages of one partition arrive in the order they were sent."""

    def __init__(self, broker: KafkaBroker, topic_prefix: str) -> None:
        self._broker = broker
        self._prefix = topic_prefix

    async def send(self, message: OutgoingMessage) -> "asyncio.Future[Any]":
        return await self._broker.publish(
            message.payload.encode(),
            topic=self._prefix + message.topic,
            key=message.key.encode(),
            headers=message.headers,
            correlation_id=message.headers["ce_id"],
            no_confirm=True,
        )
