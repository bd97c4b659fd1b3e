"""Notifications: rows of the commits that they tell of, and the work of sending them, on leases."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from psycopg.rows import dict_row
from pydantic import ValidationError

from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.pool import Pool, borrowed
from worker.application.notices import (
    DueNotification,
    EndpointHealth,
    Notice,
    NoticeRouter,
    Notification,
)
from worker.application.unit_of_work import UnitOfWork

_QUERIES = load("notifications.sql")

UNREADABLE = "written by a release that this one cannot read"


def notification_rows(units: Iterable[UnitOfWork], router: NoticeRouter) -> list[dict[str, Any]]:
    """Rows for the commit of these units, in the order of what they announce."""
    return [
        _row(notification)
        for unit in units
        for announcement in unit.announcements
        for notification in router.notifications(announcement)
    ]


def _row(notification: Notification) -> dict[str, Any]:
    return {
        "message_id": notification.message_id,
        "endpoint": notification.endpoint,
        "kind": notification.kind,
        "approval_id": notification.approval_id,
        "case_id": notification.case_id,
        "problem": notification.problem,
        "body": notification.notice,
    }


class PostgresNotifications:
    """`lease` must outlast one try, or a second worker sends what the first is sending.

    It uses one connection at a time: a burst of notifications must not take those that cases commit on.
    """

    def __init__(self, pool: Pool, *, lease: timedelta) -> None:
        self._pool = pool
        self._lease = lease
        self._turn = asyncio.Lock()

    async def take_up(self, endpoint: str, limit: int) -> Sequence[DueNotification]:
        rows = await self._ask("take_up_notifications", endpoint=endpoint, limit=limit, lease=self._lease)
        due = []
        for row in sorted(rows, key=lambda row: int(row["notification_id"])):
            try:
                due.append(_due(row))
            except ValidationError:
                unread = {"number": row["notification_id"], "state": "failed", "problem": UNREADABLE}
                await self._tell("finish_untold", **unread)
        return due

    async def delivered(self, due: DueNotification) -> None:
        await self._tell("delivered", number=due.number, endpoint=due.endpoint)

    async def overtaken(self, due: DueNotification) -> None:
        await self._tell("finish_untold", number=due.number, state="overtaken", problem=None)

    async def spoil(self, due: DueNotification, problem: str) -> None:
        await self._tell("finish_untold", number=due.number, state="failed", problem=_storable(problem))

    async def postpone(self, due: DueNotification, seconds: float, problem: str) -> EndpointHealth:
        values = {"number": due.number, "endpoint": due.endpoint, "problem": _storable(problem), "seconds": seconds}
        (row,) = await self._ask("postpone", **values)
        return EndpointHealth(**row)

    async def give_up(self, due: DueNotification, problem: str) -> EndpointHealth:
        (row,) = await self._ask("give_up", number=due.number, endpoint=due.endpoint, problem=_storable(problem))
        return EndpointHealth(**row)

    async def disable(self, endpoint: str, because: str) -> bool:
        return bool(await self._ask("disable", endpoint=endpoint, because=_storable(because)))

    async def _tell(self, query: str, **values: Any) -> None:
        async with self._turn, borrowed(self._pool) as connection:
            await connection.execute(_QUERIES[query], values)

    async def _ask(self, query: str, **values: Any) -> list[dict[str, Any]]:
        async with self._turn, borrowed(self._pool) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(_QUERIES[query], values)
            return await cursor.fetchall()


def _due(row: Mapping[str, Any]) -> DueNotification:
    return DueNotification(
        number=row["notification_id"],
        message_id=row["message_id"],
        endpoint=row["endpoint"],
        notice=Notice.model_validate_json(row["body"]),
        tries=row["attempts"],
        is_closed=row["is_closed"],
    )


def _storable(problem: str) -> str:
    """A problem may quote what an endpoint answered; PostgreSQL stores no NUL character."""
    return problem.replace("\0", "?")
