"""What operators see of notifications, and what they can do about those that did not arrive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from worker.adapters.postgres.named_queries import load

_QUERIES = load("notifications.sql")

STATES = ("pending", "held", "delivered", "failed", "overtaken")


@dataclass(frozen=True, slots=True)
class ListedNotification:
    """`state` is one of STATES: pending ones of a disabled endpoint are held. `next_at` is the next try."""

    notification_id: int
    message_id: UUID
    endpoint: str
    kind: str
    approval_id: UUID
    case_id: UUID
    attempts: int
    problem: str | None
    created_at: datetime
    next_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class TroubledEndpoint:
    """One that fails, or that is disabled."""

    name: str
    failing_since: datetime | None
    problem: str | None
    disabled_at: datetime | None
    disabled_because: str | None


async def list_notifications(
    connection: AsyncConnection[Any], *, endpoint: str | None, state: str | None, limit: int
) -> Sequence[ListedNotification]:
    """Newest first."""
    cursor = connection.cursor(row_factory=class_row(ListedNotification))
    await cursor.execute(_QUERIES["list_notifications"], {"endpoint": endpoint, "state": state, "limit": limit})
    return await cursor.fetchall()


async def troubled_endpoints(connection: AsyncConnection[Any]) -> Sequence[TroubledEndpoint]:
    cursor = connection.cursor(row_factory=class_row(TroubledEndpoint))
    await cursor.execute(_QUERIES["list_endpoints"])
    return await cursor.fetchall()


async def enable_endpoint(connection: AsyncConnection[Any], endpoint: str) -> int | None:
    """How many notifications were held for it and go out now; None when it is not disabled."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_QUERIES["enable"], {"endpoint": endpoint})
    row = await cursor.fetchone()
    return int(row["freed"]) if row and row["endpoints"] else None


async def retry_failed(connection: AsyncConnection[Any], endpoint: str | None) -> int:
    """How many of those that were given up are tried anew, for one endpoint or for all."""
    cursor = await connection.execute(_QUERIES["retry_failed"], {"endpoint": endpoint})
    return len(await cursor.fetchall())
