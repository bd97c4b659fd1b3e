"""Records on real topics: what a shop publishes, and waiting until the worker has answered it."""

import asyncio
import json
from typing import Any

from aiokafka import AIOKafkaConsumer

from worker.adapters.kafka.sending import Sending, sender
from worker.settings import Settings

PATIENCE_S = 30


def refund(exception_id: str, **changes: Any) -> dict[str, Any]:
    """An exception.raised that waits for a manager: 150.00 USD of an order of 200.00 USD."""
    return {
        "exception_id": exception_id,
        "kind": "refund",
        "order_id": f"ORD-{exception_id}",
        "customer_id": "CUST-7",
        "requested_by": "agent:web-chat",
        "reason": "arrived broken",
        "amount": {"amount_minor": 15000, "currency": "USD"},
        "items": [{"sku": "MUG-1", "quantity": 1}],
        "confidence": 0.93,
        "order": {"captured": {"amount_minor": 20000, "currency": "USD"}, "status": "delivered"},
        "customer": {"tier": "standard"},
        **changes,
    }


async def publish(settings: Settings, topic: str, *values: bytes) -> None:
    """Plain records with a key, as people type them by hand."""
    async with sender(settings.kafka_bootstrap_servers) as producer:
        for value in values:
            await producer.send(Sending(settings.topic_prefix + topic, b"key", value, []))


async def raise_exceptions(settings: Settings, *events: dict[str, Any]) -> None:
    """Returns when each of them waits for a person, or has its outcome."""
    await publish(settings, "order-exceptions", *(json.dumps(event).encode() for event in events))
    wanted = {event["exception_id"] for event in events}
    await seen(settings, ("approvals", "order-outcomes"), "exception_id", wanted)


async def seen(settings: Settings, topics: tuple[str, ...], field: str, wanted: set[str]) -> None:
    """Returns when all of these values of a field were seen in the events of these topics, read from the start."""
    consumer = AIOKafkaConsumer(
        *(settings.topic_prefix + topic for topic in topics),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            left = set(wanted)
            while left:
                record = await consumer.getone()
                left.discard(str(json.loads(record.value)[field]))
    finally:
        await consumer.stop()
