"""The broker of a run is killed, frozen and started again: its addresses and what it acknowledged stay."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.chaos.broker import Broker

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TOPIC = "kept"
WAIT_SECONDS = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    async with Broker(tmp_path_factory.mktemp("broker"), wires=2) as broker:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.direct)
        await admin.start()
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
        await admin.close()
        yield broker


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", request_timeout_ms=2_000) as producer:
        yield producer


async def put(bootstrap: str, value: bytes) -> None:
    async with producing(bootstrap) as producer:
        await producer.send_and_wait(TOPIC, value)


async def all_until(bootstrap: str, last: bytes) -> list[bytes]:
    found: list[bytes] = []
    async with (
        AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer,
        asyncio.timeout(WAIT_SECONDS),
    ):
        while not found or found[-1] != last:
            found.append((await consumer.getone()).value)
    return found


async def test_what_was_acknowledged_survives_a_kill_at_the_same_addresses(broker: Broker) -> None:
    addresses = (broker.direct, broker.bootstrap(0), broker.bootstrap(1))
    await put(broker.direct, b"before the kill")
    dead = broker.pid

    await broker.kill()
    assert broker.pid is None
    await broker.start()

    assert broker.pid != dead
    assert (broker.direct, broker.bootstrap(0), broker.bootstrap(1)) == addresses
    await put(broker.bootstrap(), b"after the kill")
    found = await all_until(broker.direct, b"after the kill")
    assert found[-2:] == [b"before the kill", b"after the kill"]


async def test_an_orderly_restart_keeps_them_too(broker: Broker) -> None:
    await put(broker.direct, b"before the restart")
    await broker.restart()
    assert b"before the restart" in await all_until(broker.bootstrap(1), b"before the restart")


async def test_a_wire_is_the_only_way_that_its_clients_know(broker: Broker) -> None:
    async with producing(broker.bootstrap(0)) as cut_off, producing(broker.bootstrap(1)) as other:
        await cut_off.send_and_wait(TOPIC, b"through the first")
        await other.send_and_wait(TOPIC, b"through the second")
        broker.wires[0].refuse()
        assert broker.wires[0].cut() > 0
        late = asyncio.ensure_future(cut_off.send_and_wait(TOPIC, b"held up"))

        await other.send_and_wait(TOPIC, b"nobody cut this")
        assert not late.done()

        await broker.heal()
        async with asyncio.timeout(WAIT_SECONDS):
            await late


async def test_a_frozen_broker_answers_when_it_is_thawed(broker: Broker) -> None:
    async with producing(broker.direct) as producer:
        await producer.send_and_wait(TOPIC, b"before the frost")
        broker.freeze()
        broker.freeze()
        late = asyncio.ensure_future(producer.send_and_wait(TOPIC, b"in the frost"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(late), 0.3)
        await broker.heal()
        async with asyncio.timeout(WAIT_SECONDS):
            await late


async def test_a_frozen_broker_can_be_killed_and_stopped(broker: Broker) -> None:
    broker.freeze()
    await broker.kill()
    await broker.kill()
    await broker.heal()
    broker.freeze()
    await broker.restart()
    await put(broker.direct, b"after all that")


async def test_faults_on_a_broker_that_is_down_do_nothing(broker: Broker) -> None:
    await broker.stop()
    broker.freeze()
    broker.thaw()
    await broker.stop()
    await broker.heal()
    await broker.start()
    await put(broker.direct, b"up again")
