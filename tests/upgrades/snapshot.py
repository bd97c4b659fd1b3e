"""A whole installation as text: its database, its topics, its payment provider's books, and what its executors did.

The database is written by row_to_json and read by json_populate_recordset, so that neither needs a program of
PostgreSQL's, nor the same version of it. Topics get their records back at the same offsets, so that a worker that
reads them from the start finds all of them in its inbox.
"""

import dataclasses
import gzip
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from psycopg import sql
from psycopg.rows import dict_row

from schemas.catalogue import TOPICS, topic_name
from tests.migrations.schema_dump import describe
from tests.stack.payment_ledger import Entry, Ledger
from tests.upgrades.clock import WAITING, moved
from tests.upgrades.desk import EFFECTS
from tests.upgrades.premises import Shop

SCHEMA, ROWS, RECORDS, PAYMENTS = "schema.sql", "rows.jsonl.gz", "records.jsonl.gz", "payments.json"

Line = dict[str, Any]


async def save(shop: Shop, folder: Path) -> None:
    """What a stopped shop holds."""
    (folder / SCHEMA).write_text(describe(shop.database), encoding="utf-8")
    _write(folder / ROWS, _rows(shop.database))
    _write(folder / RECORDS, [record async for record in records(shop.kafka, shop.prefix)])
    payments = [dataclasses.asdict(entry) for entry in shop.provider.ledger.entries()]
    (folder / PAYMENTS).write_text(json.dumps(payments, indent=1) + "\n", encoding="utf-8")
    (folder / EFFECTS).write_bytes((shop.desk / EFFECTS).read_bytes())


def load_database(folder: Path, database: str, *, later_by: timedelta) -> None:
    """Into an empty database. What is to become due does so later by `later_by` than it would have."""
    with psycopg.connect(database) as connection:
        connection.execute((folder / SCHEMA).read_bytes())
        for line in _read(folder / ROWS):
            row = moved(line["row"], later_by) if line["table"] in WAITING else line["row"]
            table = sql.Identifier(line["table"])
            insert = sql.SQL("insert into {} overriding system value select * from json_populate_record(null::{}, %s)")
            connection.execute(insert.format(table, table), [json.dumps(row)])
        for name, column in _identities(connection):
            highest = sql.SQL("select setval(pg_get_serial_sequence(%s, %s), coalesce(max({}), 0) + 1, false) from {}")
            connection.execute(highest.format(sql.Identifier(column), sql.Identifier(name)), [name, column])


async def load_topics(folder: Path, kafka: str, prefix: str) -> None:
    """Into topics that exist and are empty. Raises ValueError when a record does not come to lie where it lay."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    try:
        for record in _read(folder / RECORDS):
            put = await producer.send_and_wait(
                prefix + record["topic"],
                record["value"].encode(),
                key=record["key"].encode(),
                partition=record["partition"],
                headers=[(name, value.encode()) for name, value in record["headers"]],
            )
            if put.offset != record["offset"]:
                where = f"{record['topic']}/{record['partition']}"
                raise ValueError(f"a record of {where} is at {put.offset} and was at {record['offset']}")
    finally:
        await producer.stop()


def load_ledger(folder: Path) -> Ledger:
    entries = json.loads((folder / PAYMENTS).read_text(encoding="utf-8"))
    return Ledger(before=[Entry(**entry) for entry in entries])


def load_effects(folder: Path, desk: Path) -> None:
    (desk / EFFECTS).write_bytes((folder / EFFECTS).read_bytes())


def event_ids(folder: Path) -> set[str]:
    """Of the events that were published before the release was kept."""
    return {value for record in _read(folder / RECORDS) for name, value in record["headers"] if name == "ce_id"}


def _rows(database: str) -> Iterator[Line]:
    with psycopg.connect(database, row_factory=dict_row) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"
        ).fetchall()
        for table in (row["relname"] for row in tables):
            found = sql.SQL("select to_jsonb({0}) as row from {0} order by 1").format(sql.Identifier(table))
            for row in connection.execute(found):
                yield {"table": table, "row": row["row"]}


def _identities(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    return connection.execute(
        "select relname, attname from pg_attribute join pg_class on pg_class.oid = attrelid "
        "where attidentity <> '' and relnamespace = 'public'::regnamespace and relkind = 'r'"
    ).fetchall()


async def records(kafka: str, prefix: str) -> AsyncIterator[Line]:
    """All that lies on the six topics now, in the order of their partitions."""
    partitions = await _partitions(kafka, [topic_name(prefix, topic) for topic in TOPICS])
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            while await consumer.position(partition) < ends[partition]:
                yield _record(await consumer.getone(partition), prefix)
    finally:
        await consumer.stop()


async def _partitions(kafka: str, topics: list[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        described = await admin.describe_topics(topics)
    finally:
        await admin.close()
    found = {topic["topic"]: [one["partition"] for one in topic["partitions"]] for topic in described}
    return [TopicPartition(topic, number) for topic in topics for number in sorted(found[topic])]


def _record(record: Any, prefix: str) -> Line:
    return {
        "topic": record.topic.removeprefix(prefix),
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key.decode(),
        "headers": [[name, value.decode()] for name, value in record.headers],
        "value": record.value.decode(),
    }


def _write(path: Path, lines: Iterable[Line]) -> None:
    """The same lines give the same bytes: gzip would else write the time."""
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _read(path: Path) -> Iterator[Line]:
    return map(json.loads, gzip.decompress(path.read_bytes()).decode().splitlines())
