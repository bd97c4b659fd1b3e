"""Commits units of work, many in one transaction.

Everything in this field is bound by the processor, not by the disk: a commit for each case costs more in statements
and wake-ups than in writing. So the units of many cases share a transaction: lock what they were computed from, drop
the units that lost a race, write the rest, in two round trips between BEGIN and COMMIT.

A unit that the database refuses must not take the others with it: the batch is then cut in halves until the one at
fault stands alone.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import dict_row
from pydantic_core import to_json

from worker.adapters.postgres import checkpointer
from worker.adapters.postgres.batching import Batcher
from worker.adapters.postgres.ground import Ground, lock
from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.notifications import notification_rows
from worker.adapters.postgres.outbox import OutboxRow, Publisher, outbox_rows
from worker.adapters.postgres.pool import DatabaseUnreachable, Pool, borrowed, refuses_the_data
from worker.adapters.postgres.unit_rows import Row, UnitRows, rows_of
from worker.application import failpoints
from worker.application.notices import NoticeRouter
from worker.application.ports.store import UnitRefused
from worker.application.unit_of_work import Commit, UnitOfWork
from worker.translation.outbound import Announcer

_QUERIES = load("commit.sql")

_REPEAT = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
"""The database asks for the transaction again; nothing is wrong with any unit."""

REPETITIONS = 5
FIRST_PAUSE_S = 0.01
"""Before the first repetition; then twice as long each time. Two workers that met in a deadlock part by chance."""

log = logging.getLogger(__name__)


class GroupCommit:
    """`commit` answers when the unit is on disk; what it announces has then been handed to the publisher."""

    def __init__(
        self,
        pool: Pool,
        announcer: Announcer,
        publisher: Publisher,
        *,
        lease: timedelta,
        batch: int = 200,
        notices: NoticeRouter | None = None,
    ) -> None:
        """`notices` says who is told of what is announced; without it nobody is."""
        self._pool = pool
        self._announcer = announcer
        self._publisher = publisher
        self._lease = lease
        self._notices = notices
        self.commit = Batcher[UnitOfWork, Commit](self._commit_all, size=batch, parallel=1)

    async def _commit_all(self, units: list[UnitOfWork]) -> Sequence[Commit | Exception]:
        try:
            return await self._repeat(units)
        except (psycopg.Error, ValueError) as error:
            if len(units) == 1:
                return [_verdict_on(error)]
            middle = len(units) // 2
            first, second = units[:middle], units[middle:]
            return [*await self._commit_all(first), *await self._commit_all(second)]

    async def _repeat(self, units: list[UnitOfWork]) -> Sequence[Commit]:
        """Raises DatabaseUnreachable when the database asks for the same transaction again and again."""
        for repetition in range(REPETITIONS):
            try:
                return await self._attempt(units)
            except DatabaseUnreachable as error:
                if not isinstance(error.__cause__, _REPEAT):
                    raise
                log.info("a commit of %s units is repeated: %s", len(units), error)
                await asyncio.sleep(FIRST_PAUSE_S * 2**repetition * random.uniform(0.5, 1.5))  # noqa: S311
        return await self._attempt(units)

    async def _attempt(self, units: list[UnitOfWork]) -> Sequence[Commit]:
        async with borrowed(self._pool) as connection:
            async with connection.transaction():
                ground = await lock(connection, units)
                answers = [ground.judge(unit) for unit in units]
                winners = [unit for unit, answer in zip(units, answers, strict=True) if answer is Commit.DONE]
                announced = await self._write(connection, winners, ground)
                failpoints.reach("case.before-commit", map(_state, winners))
            failpoints.reach("case.after-commit", map(_state, winners))
            self._publisher.hand_over(announced, ground.unsent)
        return answers

    async def _write(
        self, connection: AsyncConnection[Any], units: list[UnitOfWork], ground: Ground
    ) -> list[OutboxRow]:
        now = datetime.now(UTC)
        rows = rows_of(units, self._announcer, now)
        if rows.refusals:
            for letter in await _refuse(connection, rows.refusals):
                rows.messages.append(self._announcer.dead_letter(letter, now))
        notifications = notification_rows(units, self._notices) if self._notices else ()
        async with connection.pipeline():
            await self._write_rows(connection, rows, ground)
            await _send(connection, "insert_notifications", notifications)
            outbox = await _send(connection, "insert_outbox", outbox_rows(rows.messages))
        ids = [row[0] for row in await outbox.fetchall()] if outbox else []
        return [OutboxRow(outbox_id, message) for outbox_id, message in zip(ids, rows.messages, strict=True)]

    async def _write_rows(self, connection: AsyncConnection[Any], rows: UnitRows, ground: Ground) -> None:
        await _send(connection, "insert_cases", rows.new_cases)
        await _send(connection, "update_cases", rows.changed_cases)
        await _send(connection, "change_approvals", rows.changed_approvals)
        await _send(connection, "insert_approvals", rows.new_approvals)
        await _send(connection, "insert_decisions", rows.decisions)
        await _send(connection, "insert_intents", rows.new_intents, lease=self._lease)
        await _send(connection, "finish_intents", rows.finished_intents)
        await _send(connection, "postpone_intents", rows.postponed_intents)
        await _send(connection, "insert_bookings", rows.bookings)
        await _send(connection, "update_balances", ground.changed_balances())
        await _send(connection, "update_watches", ground.changed_watches())
        await _send(connection, "insert_audit", rows.audit)
        await _send(connection, "postpone_inbox", rows.postponed)
        if rows.finished:
            await connection.execute(_QUERIES["finish_inbox"], {"keys": rows.finished})
        if rows.awaited:
            await connection.execute(_QUERIES["wake_parked"], {"keys": rows.awaited})
        # What is forgotten goes first: a unit may start its case's thread anew.
        if rows.forgotten:
            await checkpointer.delete_threads(connection, rows.forgotten)
        if rows.threads:
            await checkpointer.flush(connection, rows.threads)


def _state(unit: UnitOfWork) -> str:
    """That its case comes to; a unit without a case postpones or refuses a message."""
    return unit.case.state if unit.case else "no case"


async def _refuse(connection: AsyncConnection[Any], refusals: list[Row]) -> list[Row]:
    """Moves the messages to the dead letters; returns them with the place that they came from."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_QUERIES["refuse_messages"], {"rows": to_json(refusals).decode()})
    return await cursor.fetchall()


async def _send(
    connection: AsyncConnection[Any], query: str, rows: Sequence[Any], **others: Any
) -> AsyncCursor[Any] | None:
    """Writes all rows with one statement; they travel as one JSON array, which costs less than arrays of columns."""
    if not rows:
        return None
    return await connection.execute(_QUERIES[query], {"rows": to_json(rows).decode(), **others})


def _verdict_on(error: psycopg.Error | ValueError) -> Commit | Exception:
    """A ValueError is a unit that has no rows: a text that is not Unicode, or parts that do not belong together. What
    is no fault of the unit is raised as it is, and the unit may be tried again."""
    if isinstance(error, psycopg.errors.UniqueViolation):
        return Commit.CONFLICT
    if not refuses_the_data(error):
        return error
    problem = error.diag.message_primary if isinstance(error, psycopg.Error) else error
    return UnitRefused(f"{type(error).__name__}: {problem}")
