"""The parties of a run go on sending and reading while the broker dies under them."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.chaos.broker import Broker
from tests.chaos.history import History, read
from tests.chaos.mail import Inbox, Letter, Post
from tests.stack.services import Services

pytestmark = [pytest.mark.services, pytest.mark.slow]

PATIENCE_S = 60.0
HALF = 40


async def test_no_record_is_given_up_or_read_twice_while_the_broker_is_killed(tmp_path: Path) -> None:
    heard: list[bytes] = []
    all_heard, half_heard = asyncio.Event(), asyncio.Event()

    async def hear(_: str, record: ConsumerRecord) -> None:
        heard.append(record.value)
        if len(set(heard)) == HALF:
            half_heard.set()
        if len(set(heard)) == 2 * HALF:
            all_heard.set()

    async with Broker(tmp_path / "kafka") as broker:
        await make_topic(broker.direct, "p-t")
        inbox = Inbox(broker.direct, "p-", ["t"], hear)
        inbox.open()
        with History(tmp_path / "sent.jsonl") as history:
            async with Post(broker.direct, "p-", history) as post, asyncio.timeout(PATIENCE_S):
                await send(post, range(HALF))
                await half_heard.wait()
                await broker.kill()
                sending = asyncio.create_task(send(post, range(HALF, 2 * HALF)))
                await broker.start()
                await sending
                await all_heard.wait()
        await inbox.close()
    sent = [each for each in read(tmp_path / "sent.jsonl") if each["offset"] is not None]
    assert {each["number"] for each in sent} == set(range(2 * HALF))
    places = [(each["partition"], each["offset"]) for each in sent]
    assert len(set(places)) == len(places)
    assert len(heard) >= 2 * HALF


async def test_what_went_wrong_with_a_reader_is_told_when_it_is_closed(
    stack: Services, topic_prefix: str, tmp_path: Path
) -> None:
    refused = asyncio.Event()

    async def refuse(*_: object) -> None:
        refused.set()
        raise ValueError("no such event")

    await make_topic(stack.kafka, f"{topic_prefix}t")
    inbox = Inbox(stack.kafka, topic_prefix, ["t"], refuse)
    inbox.open()
    with History(tmp_path / "sent.jsonl") as history:
        async with Post(stack.kafka, topic_prefix, history) as post, asyncio.timeout(PATIENCE_S):
            await send(post, range(1))
            await refused.wait()
    with pytest.raises(ValueError, match="no such event"):
        await inbox.close()


async def send(post: Post, numbers: range) -> None:
    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(post.send(Letter("t", str(number), b"%d" % number), {"number": number}))


async def make_topic(kafka: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    with suppress(OSError):
        await admin.start()
        await admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    await admin.close()
