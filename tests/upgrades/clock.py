"""Time that passes, or does not, for what waits in a database.

A kept release must find its cases as it left them, a minute or three years later: nothing may have lapsed. And a
deadline in a month must be reached while a test looks on.
"""

import json
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

WAITING = ("approvals", "inbox", "intents", "outbox")
"""The tables of what becomes due. What is on record, such as the audit trail, keeps its times."""


def moved(value: Any, by: timedelta) -> Any:
    """The same JSON data with every moment in it moved. A text that merely holds one stays as it is."""
    if isinstance(value, dict):
        return {name: moved(part, by) for name, part in value.items()}
    if isinstance(value, list):
        return [moved(part, by) for part in value]
    moment = _moment(value)
    return value if moment is None else (moment + by).isoformat()


def _moment(value: Any) -> datetime | None:
    """RFC 3339 and no other text: PostgreSQL and pydantic write it with a date, a T, and an offset."""
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00:00Z") or value[10] != "T":
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def let_time_pass(database: str, by: timedelta, *, exception_id: str) -> None:
    """The open question of a case comes nearer to its deadline."""
    with psycopg.connect(database, row_factory=dict_row) as connection:
        rows = connection.execute(
            "select to_jsonb(approvals) as row from approvals where exception_id = %s and closed_at is null",
            [exception_id],
        ).fetchall()
        for row in (moved(found["row"], -by) for found in rows):
            connection.execute(
                "update approvals set due_at = %(due_at)s, available_at = %(available_at)s, body = %(body)s "
                "where approval_id = %(approval_id)s",
                {**row, "body": json.dumps(row["body"])},
            )
