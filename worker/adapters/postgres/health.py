"""What a healthy database has, and the unfinished things in it that look wrong."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from worker.adapters.postgres.named_queries import load

_QUERIES = load("health.sql")

PATIENCE = timedelta(minutes=1)
"""Younger than this, an unfinished thing is merely under way."""

LONGEST_LEASE = timedelta(hours=1)
"""The most that SIGNOFF_LEASE_S allows: an overdue approval is never taken for longer."""

CHECKPOINT_TABLES = ("checkpoint_migrations", "checkpoints", "checkpoint_blobs", "checkpoint_writes")


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How many things look wrong in the way that `question` names, and one of them."""

    question: str
    count: int
    example: str | None


SUSPICIONS = (
    "stuck_cases",
    "overdue_approvals",
    "unknown_intents",
    "abandoned_intents",
    "abandoned_messages",
    "failing_messages",
    "unsent_events",
    "disabled_endpoints",
    "failed_notifications",
    "waiting_notifications",
)


async def missing_checkpoint_tables(connection: AsyncConnection[Any]) -> list[str]:
    """LangGraph's tables that are not there, or are older than the installed library's."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: PLC0415 - slow, and for this alone

    rows = await _rows(connection, "tables_there", {"names": list(CHECKPOINT_TABLES)})
    missing = [row["name"] for row in rows if not row["there"]]
    if missing:
        return missing
    (row,) = await _rows(connection, "checkpoint_schema", {})
    newest = len(AsyncPostgresSaver.MIGRATIONS) - 1
    return [f"migrations {row['version'] + 1} to {newest}"] if row["version"] < newest else []


async def suspicions(connection: AsyncConnection[Any]) -> list[Suspicion]:
    """One answer for each of SUSPICIONS, in that order."""
    values = {"patience": PATIENCE, "longest_lease": LONGEST_LEASE}
    answers = []
    for question in SUSPICIONS:
        (row,) = await _rows(connection, question, values)
        answers.append(Suspicion(question, row["count"], row["example"]))
    return answers


async def _rows(connection: AsyncConnection[Any], query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_QUERIES[query], values)
    return await cursor.fetchall()
