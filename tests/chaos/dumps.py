"""Everything that a run has left, as files: all tables and all topics."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from psycopg import sql

from schemas.catalogue import TOPICS, topic_name

AT_A_TIME = 5_000
PATIENCE_S = 30.0
AT_ONCE_S = 0.2


def dump(folder: Path, kafka: str, database: str, prefix: str) -> None:
    """Writes `tables/<table>.jsonl` and `topics/<topic>.jsonl`, as the checker reads them."""
    dump_tables(folder / "tables", database)
    dump_topics(folder / "topics", kafka, prefix)


def dump_tables(folder: Path, database: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with psycopg.connect(database) as connection:
        # One snapshot of all: the workers may be running.
        connection.execute("set transaction isolation level repeatable read, read only")
        tables = connection.execute(
            "select table_name::text from information_schema.tables where table_schema = 'public' order by 1"
        ).fetchall()
        for (table,) in tables:
            rows = sql.SQL("select row_to_json(row)::text from {} as row").format(sql.Identifier(table))
            with connection.cursor("rows") as cursor, (folder / f"{table}.jsonl").open("w", encoding="utf-8") as file:
                cursor.itersize = AT_A_TIME
                for (row,) in cursor.execute(rows):
                    file.write(row + "\n")


def dump_topics(folder: Path, kafka: str, prefix: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": f"{prefix}dump", "enable.auto.commit": False, "log_level": 0}
    )
    try:
        for topic in TOPICS:
            with (folder / f"{topic.name}.jsonl").open("w", encoding="utf-8") as file:
                for record in read_topic(consumer, topic_name(prefix, topic)):
                    file.write(json.dumps(record) + "\n")
    finally:
        consumer.close()


def read_topic(consumer: Consumer, topic: str) -> list[dict[str, Any]]:
    """All records that are there now. Raises TimeoutError when the broker does not hand them out."""
    partitions = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
    ends = {number: _end(consumer, topic, number) for number in partitions}
    left = {number for number, end in ends.items() if end > 0}
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
    records: list[dict[str, Any]] = []
    heard = time.monotonic()
    while left:
        messages = consumer.consume(AT_A_TIME, timeout=AT_ONCE_S)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() > heard + PATIENCE_S:
            raise TimeoutError(f"{topic}: partitions {sorted(left)} were not read to their end in {PATIENCE_S} s")
        for message in messages:
            if (error := message.error()) is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    raise TimeoutError(f"{topic}: {error}")
                continue
            number, offset = message.partition(), message.offset()
            assert number is not None
            assert offset is not None
            records.append(
                {
                    "partition": number,
                    "offset": offset,
                    "timestamp": message.timestamp()[1],
                    "key": _text(message.key()),
                    "headers": [[header[0], _text(header[1])] for header in message.headers() or ()],
                    "value": _text(message.value()),
                }
            )
            if offset >= ends[number] - 1:
                left.discard(number)
    consumer.unassign()
    return records


def _end(consumer: Consumer, topic: str, number: int) -> int:
    """Raises TimeoutError when the broker does not tell."""
    marks: tuple[int, int] | None = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=PATIENCE_S)
    if marks is None:
        raise TimeoutError(f"{topic}-{number}: nobody tells where it ends")
    return marks[1]


def _text(raw: Any) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()
