"""A producer that Kafka refuses for good is noticed; one refusal among many is not held against it."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from faststream.kafka import KafkaBroker

from worker.adapters.kafka.producer import MOST_FAILURES, KafkaProducer, ProducerBroken
from worker.translation.outbound import OutgoingMessage


class Broker:
    """Stands in for FastStream's broker: each message fails or not, as the test says."""

    def __init__(self) -> None:
        self.refuses = False
        self.sent: list[dict[str, Any]] = []

    async def publish(self, value: bytes, **message: Any) -> "asyncio.Future[None]":
        self.sent.append(message)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.refuses:
            future.set_exception(RuntimeError("out of order"))
        else:
            future.set_result(None)
        return future


def a_message() -> OutgoingMessage:
    event_id = uuid4()
    return OutgoingMessage(event_id, "case", "order-outcomes", "ORD-1", {"ce_id": str(event_id)}, "{}")


async def send(producer: KafkaProducer, times: int) -> None:
    for _ in range(times):
        await asyncio.gather(await producer.send(a_message()), return_exceptions=True)


async def test_a_message_goes_to_its_prefixed_topic_under_its_key_and_id() -> None:
    broker = Broker()
    message = a_message()
    await KafkaProducer(broker, "shop-").send(message)  # type: ignore[arg-type]
    (sent,) = broker.sent
    assert (sent["topic"], sent["key"]) == ("shop-order-outcomes", b"ORD-1")
    assert sent["correlation_id"] == str(message.event_id)


async def test_before_the_broker_is_connected_it_cannot_be_reached() -> None:
    with pytest.raises(ConnectionError, match="not connected yet"):
        await KafkaProducer(KafkaBroker(), "").send(a_message())


async def test_refusals_without_end_break_the_producer() -> None:
    broker = Broker()
    producer = KafkaProducer(broker, "")  # type: ignore[arg-type]
    broker.refuses = True
    await send(producer, MOST_FAILURES)
    with pytest.raises(ProducerBroken, match="out of order"):
        await asyncio.wait_for(producer.watch(), 1)


async def test_refusals_with_a_success_among_them_do_not() -> None:
    broker = Broker()
    producer = KafkaProducer(broker, "")  # type: ignore[arg-type]
    broker.refuses = True
    await send(producer, MOST_FAILURES - 1)
    broker.refuses = False
    await send(producer, 1)
    broker.refuses = True
    await send(producer, MOST_FAILURES - 1)
    watching = asyncio.create_task(producer.watch())
    await asyncio.sleep(0)
    assert not watching.done()
    watching.cancel()
