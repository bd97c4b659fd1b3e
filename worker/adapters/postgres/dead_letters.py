"""Records that were refused: what operators see of them, and their bytes as they came."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from schemas.cloudevents import Header
from schemas.values import RejectionReason
from worker.adapters.postgres.named_queries import load

_QUERIES = load("dead_letters.sql")

PAGE = 100
"""Dead letters read at a time: a value may have a megabyte."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`topic` is without the configured prefix. `part` counts the decisions of a batch."""

    dead_letter_id: int
    topic: str
    partition: int
    offset: int
    part: int
    reason: str
    detail: str
    rejected_at: datetime
    replayed_at: datetime | None

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}" + (f" part {self.part}" if self.part else "")


@dataclass(frozen=True, slots=True)
class RefusedRecord(DeadLetter):
    """With the record itself. `headers` holds names and hexadecimal values, as the row does."""

    sha256: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, str | None]]

    @property
    def original_headers(self) -> list[Header]:
        return [(name, None if value is None else bytes.fromhex(value)) for name, value in self.headers]

    @property
    def record(self) -> tuple[str, int, int, str]:
        """What dead letters of the same record have in common: several decisions of a batch may be refused."""
        return self.topic, self.partition, self.offset, self.sha256


async def list_dead_letters(
    connection: AsyncConnection[Any],
    *,
    reason: RejectionReason | None,
    topic: str | None,
    replayed: bool,
    limit: int,
) -> list[DeadLetter]:
    """Newest first; those that were replayed only if `replayed`."""
    cursor = connection.cursor(row_factory=class_row(DeadLetter))
    await cursor.execute(
        _QUERIES["list_dead_letters"], {"reason": reason, "topic": topic, "replayed": replayed, "limit": limit}
    )
    return await cursor.fetchall()


async def find_dead_letters(connection: AsyncConnection[Any], ids: Sequence[int]) -> list[RefusedRecord]:
    """Those that exist, in the order in which they came."""
    cursor = connection.cursor(row_factory=class_row(RefusedRecord))
    await cursor.execute(_QUERIES["dead_letters_by_id"], {"keys": list(ids)})
    return await cursor.fetchall()


async def not_yet_replayed(
    connection: AsyncConnection[Any], reason: RejectionReason | None
) -> AsyncIterator[list[RefusedRecord]]:
    """Page by page, oldest first; those that come up while this goes on are left out, or it might never end."""
    newest = connection.cursor(row_factory=scalar_row)
    await newest.execute(_QUERIES["newest_dead_letter"])
    up_to, after = await newest.fetchone(), 0
    while up_to is not None:
        cursor = connection.cursor(row_factory=class_row(RefusedRecord))
        await cursor.execute(
            _QUERIES["not_yet_replayed"], {"after": after, "up_to": up_to, "reason": reason, "limit": PAGE}
        )
        page = await cursor.fetchall()
        if not page:
            return
        yield page
        after = page[-1].dead_letter_id


async def mark_replayed(connection: AsyncConnection[Any], ids: Sequence[int]) -> None:
    await connection.execute(_QUERIES["mark_replayed"], {"keys": list(ids)})
