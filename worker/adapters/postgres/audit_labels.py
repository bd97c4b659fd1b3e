"""What was proposed and what people made of it: answered questions, read in one stream."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from worker.adapters.postgres.audit_report import ROWS_AT_A_TIME, Period
from worker.adapters.postgres.named_queries import load

_QUERIES = load("audit_labels.sql")


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A question, the decision that closed it, and what became of its case by now.

    `facts` are those of the case's last round, `final` is its proposal now.
    """

    approval_id: UUID
    case_id: UUID
    closed_at: datetime
    kind: str
    question: dict[str, Any]
    policy: dict[str, str]
    signatures: int
    asked_at: datetime
    received_at: datetime
    verdict: str
    changes: dict[str, Any] | None
    choice: int | str | None
    comment: str | None
    facts: dict[str, Any]
    final: dict[str, Any]
    state: str
    finished_at: datetime | None


async def answered_between(connection: AsyncConnection[Any], period: Period) -> AsyncIterator[AnsweredQuestion]:
    """In the order in which they were answered. Needs a transaction, which the caller opens."""
    async with connection.cursor("answered_between", row_factory=class_row(AnsweredQuestion)) as cursor:
        cursor.itersize = ROWS_AT_A_TIME
        await cursor.execute(_QUERIES["answered_between"], {"begin": period.begin, "end": period.end})
        async for question in cursor:
            yield question
