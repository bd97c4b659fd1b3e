"""Decisions and questions of a period, as an auditor asks for them: read in one stream, never all at once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from worker.adapters.postgres.named_queries import load

_QUERIES = load("audit_report.sql")

ROWS_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin` on and up to, not including, `end`."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DecisionOnRecord:
    """A decision, or a command in place of its verdict, with its answer and the question that it met.

    `level` to `policy` are the question's. `amount_minor` and `currency` are what an accepted decision signed for.
    """

    decision_id: str
    received_at: datetime
    reviewer: str
    verdict: str | None
    code: str
    approval_id: str | None
    case_id: UUID | None
    amount_minor: int | None
    currency: str | None
    command: str | None
    changes: dict[str, Any] | None
    choice: int | str | None
    escalate_to: str | None
    comment: str | None
    message: str
    exception_id: str | None
    level: dict[str, Any] | None
    part: str | None
    round: int | None
    proposal: dict[str, Any] | None
    why: list[dict[str, str]] | None
    risk: str | None
    confidence: float | None
    votes: list[dict[str, Any]] | None
    asked_at: datetime | None
    due_at: datetime | None
    review_hash: str | None
    policy: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class ClosedQuestions:
    """How many questions of one level and policy were closed, and how many of them late: answered only after a
    reminder, expired, or escalated because nobody answered."""

    level: str
    policy: str
    policy_version: str
    closed: int
    after_reminder: int
    expired: int
    escalated: int


async def time_of_report(connection: AsyncConnection[Any]) -> datetime:
    cursor = connection.cursor(row_factory=scalar_row)
    (now,) = await (await cursor.execute(_QUERIES["time_of_report"])).fetchall()
    at: datetime = now.astimezone(UTC)
    return at


async def decisions_between(connection: AsyncConnection[Any], period: Period) -> AsyncIterator[DecisionOnRecord]:
    """The earliest first. Needs a transaction, which the caller opens: all parts of a report are of one moment."""
    async with connection.cursor("decisions_between", row_factory=class_row(DecisionOnRecord)) as cursor:
        cursor.itersize = ROWS_AT_A_TIME
        await cursor.execute(_QUERIES["decisions_between"], {"begin": period.begin, "end": period.end})
        async for decision in cursor:
            yield decision


async def questions_between(connection: AsyncConnection[Any], period: Period) -> list[ClosedQuestions]:
    """Those closed in the period, counted."""
    cursor = connection.cursor(row_factory=class_row(ClosedQuestions))
    await cursor.execute(_QUERIES["questions_between"], {"begin": period.begin, "end": period.end})
    return await cursor.fetchall()
