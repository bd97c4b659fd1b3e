"""What is left to do, until nothing is; and who holds what when it stops getting less."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition
from psycopg.rows import dict_row, scalar_row

from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS, topic_name

STANDSTILL_S = 60.0
"""A run whose unfinished work does not shrink for so long has failed."""

PAUSE_S = 0.25
PATIENCE_S = 20.0

_UNFINISHED = """
select
    (select count(*) from inbox where finished_at is null) as messages,
    (select count(*) from intents where finished_at is null) as intents,
    (select count(*) from outbox where published_at is null) as events,
    (select count(*) from cases where finished_at is null and state <> 'stuck') as cases
"""

NOTHING_NEW_S = 8.0
"""Then what was put off until much later is due."""

_BRING_FORWARD = """
update intents set available_at = now()
where finished_at is null and available_at > now() + interval '1 minute'
"""
"""Far from now is what was tried often while the payment service failed, and nobody's lease."""

_READ = """
select coalesce(max("offset") + 1, 0) from (
    (select "offset" from inbox where topic = %(topic)s and partition = %(partition)s order by "offset" desc limit 1)
    union all
    (select "offset" from dead_letters where topic = %(topic)s and partition = %(partition)s
    order by "offset" desc limit 1)
) as last
"""

_WHO_HOLDS_WHAT = {
    "locks": "select * from pg_locks where not granted or locktype in ('advisory', 'transactionid')",
    "activity": "select pid, state, wait_event_type, wait_event, xact_start, query from pg_stat_activity"
    " where datname = current_database()",
    "messages": "select * from inbox where finished_at is null order by inbox_id limit 100",
    "intents": "select * from intents where finished_at is null order by available_at limit 100",
    "events": "select * from outbox where published_at is null order by outbox_id limit 100",
    "cases": "select * from cases where finished_at is null order by opened_at limit 100",
    "approvals": "select * from approvals where closed_at is null order by available_at limit 100",
}


Marks = dict[tuple[str, int], int]
"""By topic and partition, the offset that the next record will have, or would be read at."""


class Standstill(Exception):
    """Unfinished work stopped shrinking. The message says what is left, and where more is told."""


class Ends:
    """How far the input topics have been written, and how far they have been taken in."""

    def __init__(self, kafka: str, prefix: str, group: str) -> None:
        """`group` is the workers'; this never joins it."""
        self._prefix = prefix
        settings: dict[str, Any] = {"bootstrap.servers": kafka, "enable.auto.commit": False, "log_level": 0}
        self._consumer = Consumer({**settings, "group.id": f"{prefix}ends"})
        self._group = Consumer({**settings, "group.id": group})
        self._partitions = [
            (topic.name, number)
            for topic in (ORDER_EXCEPTIONS, REVIEW_DECISIONS)
            for number in self._consumer.list_topics(topic_name(prefix, topic), timeout=PATIENCE_S)
            .topics[topic_name(prefix, topic)]
            .partitions
        ]

    def marks(self) -> Marks:
        """The offset that the next record will have. Raises TimeoutError while the broker is away."""
        return {place: self._mark(*place) for place in self._partitions}

    def _mark(self, topic: str, number: int) -> int:
        partition = TopicPartition(self._prefix + topic, number)
        try:
            marks: tuple[int, int] | None = self._consumer.get_watermark_offsets(partition, timeout=PATIENCE_S)
        except KafkaException as error:
            raise TimeoutError(f"{topic}-{number}: {error}") from error
        if marks is None:
            raise TimeoutError(f"{topic}-{number}: nobody tells where it ends")
        return marks[1]

    def lag(self, marks: Marks) -> int:
        """How many records below the marks the group has not committed."""
        asked = [TopicPartition(self._prefix + topic, number) for topic, number in marks]
        told = self._group.committed(asked, timeout=PATIENCE_S)
        return sum(mark - max(0, each.offset) for mark, each in zip(marks.values(), told, strict=True))

    def read(self, connection: psycopg.Connection[Any]) -> Marks:
        """How far each partition is in the inbox or among the dead letters."""
        return {
            (topic, partition): int(
                connection.cursor(row_factory=scalar_row)
                .execute(_READ, {"topic": topic, "partition": partition})
                .fetchall()[0]
            )
            for topic, partition in self._partitions
        }

    def close(self) -> None:
        self._consumer.close()
        self._group.close()


def unfinished(database: str) -> dict[str, int]:
    with psycopg.connect(database, row_factory=dict_row) as connection:
        row = connection.execute(_UNFINISHED).fetchone()
    assert row is not None
    return {name: int(count) for name, count in row.items()}


def events(database: str) -> int:
    """How many have been committed; 0 while nobody can say."""
    try:
        with psycopg.connect(database, connect_timeout=2) as connection:
            row = connection.execute("select last_value from outbox_outbox_id_seq").fetchone()
    except psycopg.Error:
        return 0
    return int(row[0]) if row else 0


@dataclass
class Quiet:
    """`wait` returns when all that was sent is taken in, its offsets are committed, and nothing is left to do. Nobody
    waits for minutes meanwhile: what was put off for so long comes at once."""

    database: str
    ends: Ends
    folder: Path
    ask_tasks: Callable[[], None]
    """Makes the workers tell where their tasks wait."""
    standstill_s: float = STANDSTILL_S

    async def wait(self) -> None:
        """Raises Standstill."""
        least, fewest, since = inf, inf, time.monotonic()
        while left := await asyncio.to_thread(self._left):
            total, cases = sum(left.values()), left.get("cases", 0)
            if total < least or cases < fewest:  # people may say more than is read, and it is work that gets done
                since = time.monotonic()
            least, fewest = min(least, total), min(fewest, cases)
            if time.monotonic() - since > NOTHING_NEW_S:
                await asyncio.to_thread(self._bring_forward)
            if time.monotonic() - since > self.standstill_s:
                self._tell_who_holds_what()
                raise Standstill(f"nothing got done for {self.standstill_s:.0f} s; left: {left}; see {self.folder}")
            await asyncio.sleep(PAUSE_S)

    def _left(self) -> dict[str, int]:
        # The lag first: what was taken in by then is in the inbox.
        lag = self.ends.lag(self.ends.marks())
        left = {"records": lag, **unfinished(self.database)}
        return {name: count for name, count in left.items() if count}

    def _bring_forward(self) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(_BRING_FORWARD)

    def _tell_who_holds_what(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            for name, query in _WHO_HOLDS_WHAT.items():
                rows = connection.execute(query).fetchall()
                (self.folder / f"{name}.txt").write_text("\n".join(map(str, rows)) + "\n", encoding="utf-8")
        self.ask_tasks()
