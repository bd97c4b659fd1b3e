"""`signoff dead-letters`: what was refused is listed, shown safely, and sent again byte for byte."""

import json
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.commands import signoff_beside
from tests.integration.conftest import worker_running
from tests.records import publish, refund, seen
from worker.adapters.kafka.sending import Sending, sender
from worker.settings import Settings

HEADERS: list[tuple[str, bytes | None]] = [("x-trace", b"\xff\x00"), ("x-none", None), ("x-trace", b"again")]


async def refuse(settings: Settings, *values: bytes) -> None:
    """Returns when each of these exceptions is a dead letter."""
    await publish(settings, "order-exceptions", *values)
    await _announced(settings, len(values))


async def _announced(settings: Settings, count: int) -> None:
    consumer = AIOKafkaConsumer(
        f"{settings.topic_prefix}dead-letters",
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        for _ in range(count):
            await consumer.getone()
    finally:
        await consumer.stop()


async def listed(settings: Settings, *arguments: str) -> Any:
    ran = await signoff_beside(settings, "dead-letters", "list", "--json", *arguments)
    assert ran.code == 0, ran.err
    return ran.json


async def records_of(settings: Settings, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + topic,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


async def test_refused_records_are_listed_with_their_reason_newest_first(running_worker: Settings) -> None:
    await refuse(running_worker, b"{")
    await refuse(running_worker, b"{}", b" ")
    letters = await listed(running_worker)
    assert [letter["reason"] for letter in letters][-1] == "INVALID_JSON"
    assert {letter["reason"] for letter in letters} == {"INVALID_JSON", "SCHEMA_INVALID", "EMPTY"}
    assert [letter["reason"] for letter in await listed(running_worker, "--reason", "EMPTY")] == ["EMPTY"]
    assert await listed(running_worker, "--topic", "review-decisions") == []
    table = await signoff_beside(running_worker, "dead-letters", "list")
    assert "INVALID_JSON" in table.out
    assert "order-exceptions/" in table.out


async def test_a_hostile_value_is_shown_escaped(running_worker: Settings) -> None:
    await refuse(running_worker, "\x1b[2J[bold]gone \u202egnp.exe\n\xff".encode() + b"\xff")
    (letter,) = await listed(running_worker)
    ran = await signoff_beside(running_worker, "dead-letters", "show", str(letter["dead_letter_id"]))
    assert ran.code == 0
    assert "\\x1b[2J[bold]gone \\u202egnp.exe\\n" in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


async def test_a_replay_sends_the_same_bytes_key_and_headers_and_is_marked(running_worker: Settings) -> None:
    async with sender(running_worker.kafka_bootstrap_servers) as producer:
        topic = f"{running_worker.topic_prefix}order-exceptions"
        await producer.send(Sending(topic, b"\xffkey", b"\xff\xfe", HEADERS))
    await _announced(running_worker, 1)
    (letter,) = await listed(running_worker)
    number = str(letter["dead_letter_id"])

    ran = await signoff_beside(running_worker, "dead-letters", "replay", number, "--json")
    assert (ran.code, ran.json) == (0, {"replayed": [letter["dead_letter_id"]]})
    first, second = await records_of(running_worker, "order-exceptions", 2)
    assert (second.key, second.value) == (first.key, first.value) == (b"\xffkey", b"\xff\xfe")
    assert list(second.headers) == list(first.headers) == HEADERS

    await _announced(running_worker, 2)
    assert [one["replayed_at"] for one in await listed(running_worker)] == [None], "refused again, as a new one"
    assert len(await listed(running_worker, "--all")) == 2
    again = await signoff_beside(running_worker, "dead-letters", "replay", number)
    assert "was replayed before" in again.err


async def test_a_tombstone_is_replayed_as_one(migrated: Settings) -> None:
    await _insert(migrated, value=None)
    ran = await signoff_beside(migrated, "dead-letters", "replay", "1")
    assert ran.code == 0, ran.err
    (record,) = await records_of(migrated, "order-exceptions", 1)
    assert (record.key, record.value) == (None, None)


async def test_a_record_as_large_as_the_broker_takes_is_replayed(migrated: Settings) -> None:
    """The client's own limit is lower than the broker's."""
    value = b"x" * 1_048_500
    await _insert(migrated, value=value)
    ran = await signoff_beside(migrated, "dead-letters", "replay", "1")
    assert ran.code == 0, ran.err
    (record,) = await records_of(migrated, "order-exceptions", 1)
    assert record.value == value


async def test_all_of_one_reason_are_replayed_once_their_cause_is_mended(migrated: Settings) -> None:
    """Nothing that is refused anew meanwhile is chased."""
    event = json.dumps(refund("EXC-1")).encode()
    await _insert(migrated, value=event, reason="PROCESSING_FAILED")
    await _insert(migrated, value=b"{", reason="INVALID_JSON")
    async with worker_running(migrated):
        ran = await signoff_beside(migrated, "dead-letters", "replay", "--all", "--reason", "PROCESSING_FAILED")
        assert (ran.code, ran.out) == (0, "replayed 1 dead letters\n")
        await seen(migrated, ("approvals",), "exception_id", {"EXC-1"})
    assert [letter["reason"] for letter in await listed(migrated)] == ["INVALID_JSON"]


async def test_several_refused_parts_of_a_record_send_it_once(migrated: Settings) -> None:
    await _insert(migrated, value=b"{}", offset=7)
    await _insert(migrated, value=b"{}", offset=7, part=1)
    await _insert(migrated, value=b"{}", offset=8)
    ran = await signoff_beside(migrated, "dead-letters", "replay", "--all", "--json")
    assert ran.json == {"replayed": [1, 2, 3]}
    assert await _size(migrated, "order-exceptions") == 2


@pytest.mark.parametrize("command", ["show", "replay"])
async def test_an_unknown_id_is_named_and_nothing_is_sent(migrated: Settings, command: str) -> None:
    ran = await signoff_beside(migrated, "dead-letters", command, "4711")
    assert ran.code == 1
    assert "no dead letter has the id 4711" in ran.err


async def _size(settings: Settings, topic: str) -> int:
    """Records in all partitions of a topic from which nothing was ever deleted."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        name = settings.topic_prefix + topic
        ends = await consumer.end_offsets([TopicPartition(name, n) for n in range(settings.topic_partitions)])
        return sum(ends.values())
    finally:
        await consumer.stop()


async def _insert(
    settings: Settings, *, value: bytes | None, reason: str = "EMPTY", offset: int | None = None, part: int = 0
) -> None:
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as connection:
        await connection.execute(
            """
            insert into dead_letters (topic, partition, "offset", part, reason, detail, sha256, value)
            select 'order-exceptions', 0, coalesce(%s, 1000 + count(*)), %s, %s, 'told', 'digest', %s
            from dead_letters
            """,
            (offset, part, reason, value),
        )
