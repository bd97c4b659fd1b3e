"""Connections that know the named queries of the outbox, so that the real publisher and relay run on rows in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from tests.simulation.kernel import Link, Turn
from worker.adapters.memory.database import OutboxRow
from worker.adapters.memory.outbox import MemoryOutbox
from worker.adapters.postgres.named_queries import load

_NAMES: dict[str, str] = {query: name for name, query in load("outbox.sql").items()}


class AdvisoryLock:
    """The relay's: it belongs to a connection, and ends with it."""

    def __init__(self) -> None:
        self._holder: OutboxConnection | None = None

    def take(self, connection: "OutboxConnection") -> bool:
        if self._holder is None:
            self._holder = connection
        return self._holder is connection

    def release(self, connection: "OutboxConnection") -> None:
        if self._holder is connection:
            self._holder = None

    def break_connection(self) -> None:
        """The database ends the session of whoever holds the lock; they learn of it with their next statement."""
        if self._holder is not None:
            self._holder.is_lost, self._holder = True, None


class OutboxPool:
    """`marked` is told of the rows that count as published from now on."""

    def __init__(
        self,
        outbox: MemoryOutbox,
        lock: AdvisoryLock,
        turn: Turn,
        while_frozen: Turn,
        link: Link,
        marked: Callable[[Sequence[OutboxRow]], None],
    ) -> None:
        self.outbox, self.lock, self.link, self.marked = outbox, lock, link, marked
        self.turn, self.while_frozen = turn, while_frozen

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["OutboxConnection"]:
        yield OutboxConnection(self)


class OutboxConnection:
    """A connection and its one cursor."""

    def __init__(self, pool: OutboxPool) -> None:
        self._pool = pool
        self._rows: list[Any] = []
        self.is_lost = False

    def cursor(self, row_factory: object = None) -> "OutboxConnection":
        return self

    async def close(self) -> None:
        self._pool.lock.release(self)

    async def execute(self, query: str, parameters: dict[str, Any] | None = None) -> "OutboxConnection":
        name, pool = _NAMES[query], self._pool
        await (pool.turn if name == "mark_published" else pool.while_frozen)()
        pool.link.call()
        if self.is_lost:
            raise psycopg.OperationalError("terminating connection due to administrator command")
        self._rows = self._answer(name, parameters or {})
        arrives = pool.link.answered()
        if name == "mark_published" or self._rows not in ([], [(False,)]):
            await pool.turn()
        if not arrives:
            pool.lock.release(self)
            raise psycopg.OperationalError("the connection was closed before the answer came")
        return self

    def _answer(self, query: str, given: dict[str, Any]) -> list[Any]:
        match query:
            case "take_relay":
                return [(self._pool.lock.take(self),)]
            case "unsent_rows":
                return [_row(row) for row in self._pool.outbox.unsent_rows(given["grace"], given["limit"])]
            case "mark_published":
                self._pool.marked(self._pool.outbox.mark_published(given["keys"]))
                return []
        raise LookupError(f"the outbox in memory knows no query {query}: answer it here")

    async def fetchone(self) -> Any:
        return self._rows[0] if self._rows else None

    async def fetchall(self) -> list[Any]:
        return self._rows


def _row(row: OutboxRow) -> dict[str, Any]:
    message = row.message
    return {
        "outbox_id": row.outbox_id,
        "event_id": message.event_id,
        "ordering": message.ordering,
        "topic": message.topic,
        "key": message.key,
        "headers": message.headers,
        "payload": message.payload,
    }
