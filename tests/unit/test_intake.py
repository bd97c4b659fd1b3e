"""Whatever happens while a batch is put on disk, none of its records is passed over."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from faststream.kafka import KafkaBroker

from worker.entrypoints import kafka_consumers
from worker.entrypoints.kafka_consumers import Intake
from worker.entrypoints.lanes import Lanes
from worker.translation.inbound import Record


class Consumer:
    def __init__(self) -> None:
        self.committed: list[dict[TopicPartition, int]] = []

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed.append(offsets)


class Broker:
    """As much of FastStream's as intake needs: somebody else calls `receive`."""

    def __init__(self) -> None:
        self.consumer = Consumer()

    def subscriber(self, *_: str, **__: Any) -> "Broker":
        return self

    def __call__(self, handler: Any) -> Any:
        return handler


class Inbox:
    """Fails as often as it has errors, then stores."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.stored: list[Record] = []

    async def receive(self, records: Sequence[Record]) -> list[Any]:
        if self._errors:
            raise self._errors.pop(0)
        self.stored.extend(records)
        return []


def a_consumed(offset: int) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(
        topic="order-exceptions",
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=None,
        value=b"{}",
        checksum=None,
        serialized_key_size=-1,
        serialized_value_size=2,
        headers=(),
    )


@pytest.mark.parametrize(
    "trouble",
    [ConnectionError("the database is away"), RuntimeError("nobody thought of this"), ValueError("nor of that")],
)
async def test_a_batch_that_cannot_be_stored_is_tried_until_it_is_and_its_offsets_wait(
    trouble: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kafka_consumers, "FIRST_PAUSE_S", 0.0)
    broker, inbox = Broker(), Inbox(trouble, trouble)

    async def deliver(_: object) -> None: ...

    intake = Intake(
        cast(KafkaBroker, broker),
        inbox,
        Lanes(10),
        deliver,
        topic_prefix="",
        group="signoff",
        member=None,
        batch=10,
    )
    async with asyncio.timeout(10):
        await intake.receive([a_consumed(3), a_consumed(4)])
    assert [record.offset for record in inbox.stored] == [3, 4]
    assert broker.consumer.committed == [{TopicPartition("order-exceptions", 0): 5}]
    assert len(caplog.records) == 2
