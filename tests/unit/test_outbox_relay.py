"""The relay rests when the broker took less than it was given, and not before it has sent all there is."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.simulation.kernel import Link
from tests.simulation.outbox_tables import AdvisoryLock, OutboxPool
from worker.adapters.memory.database import MemoryDatabase, OutboxRow
from worker.adapters.memory.outbox import MemoryOutbox
from worker.adapters.postgres.outbox import Relay
from worker.translation.outbound import OutgoingMessage

BATCH, LEFT = 2, 6
DAWN = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Producer:
    """Refuses what it is told to, and remembers what it was given."""

    def __init__(self, refuses: Callable[[str], bool]) -> None:
        self.refuses = refuses
        self.given: list[str] = []

    async def send(self, message: OutgoingMessage) -> "asyncio.Future[Any]":
        self.given.append(message.key)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.refuses(message.key):
            future.set_exception(TimeoutError("no acknowledgement in time"))
        else:
            future.set_result(None)
        return future


async def relay_until_it_rests(producer: Producer) -> MemoryDatabase:
    """A relay that has `LEFT` events to send; it rests for an hour when it does."""
    database = MemoryDatabase(lambda: DAWN)
    for number in range(LEFT):
        message = OutgoingMessage(uuid4(), "case", "order-outcomes", str(number), {}, "{}")
        database.unsent[number] = OutboxRow(number, message, database.clock())
    pool: Any = OutboxPool(
        MemoryOutbox(database), AdvisoryLock(), _at_once, _at_once, Link(_no, _no), lambda rows: None
    )
    relay = Relay(pool, producer, lambda outbox_id: False, grace=timedelta(seconds=-1), batch=BATCH)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(relay.run_while_active(3_600.0), 0.5)
    return database


async def test_all_that_is_left_is_sent_without_a_rest() -> None:
    producer = Producer(refuses=lambda key: False)
    database = await relay_until_it_rests(producer)
    assert producer.given == [str(number) for number in range(LEFT)]
    assert not database.unsent


@pytest.mark.parametrize("refused", [{"0", "1"}, {"1"}])
async def test_what_the_broker_refuses_is_not_tried_again_without_a_rest(refused: set[str]) -> None:
    producer = Producer(refuses=lambda key: key in refused)
    database = await relay_until_it_rests(producer)
    assert producer.given == ["0", "1"]
    assert refused <= {row.message.key for row in database.unsent.values()}


async def _at_once() -> None:
    """Nobody else is there."""


def _no() -> bool:
    return False
