"""What a database does to its clients while it runs: refuses commits, holds locks, has no room for connections."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any, Literal

import psycopg
from psycopg import AsyncConnection, sql

from worker.adapters.postgres.named_queries import load

Refusal = Literal["deadlock", "serialization", "disk-full"]

ERRORS: dict[Refusal, tuple[str, str]] = {
    "deadlock": ("40P01", "deadlock detected"),
    "serialization": ("40001", "could not serialize access due to read/write dependencies among transactions"),
    "disk-full": ("53100", "could not extend file: No space left on device"),
}
"""SQLSTATE and text, as the server itself gives them (PostgreSQL's errcodes.txt)."""

WATCHED = ("cases", "inbox", "outbox")
"""Every transaction that the worker cares about writes to one of these."""

_QUERIES = load("database_faults.sql", package="tests.chaos")


class DatabaseFaults(ABC):
    """Acts on the database past any wire. `heal` ends all of it."""

    def __init__(self) -> None:
        self._watching = False
        self._sessions: set[AsyncConnection[Any]] = set()

    @property
    @abstractmethod
    def direct(self) -> str:
        """A superuser's address without a wire."""

    async def refuse_commits(self, why: Refusal, times: int) -> None:
        """Refuse the next `times` commits that write to one of the watched tables. Fewer where the server crashes
        in between: a sequence then skips.
        """
        error_code, problem = ERRORS[why]
        async with self._connected() as connection:
            await connection.execute(_QUERIES["prepare"])
            # Each table in a transaction of its own: who holds one lock at a time is in no deadlock.
            unwatched = await connection.execute(_QUERIES["unwatched"], {"tables": list(WATCHED)})
            for (table,) in await unwatched.fetchall():
                await connection.execute(sql.SQL(_QUERIES["watch"]).format(table=sql.Identifier(table)))
            async with connection.transaction():
                await connection.execute(_QUERIES["count_anew"])
                await connection.execute(_QUERIES["forget"])
                refusing = {"error_code": error_code, "problem": problem, "times": times}
                await connection.execute(_QUERIES["refuse"], refusing)
        self._watching = True

    async def refused_commits(self) -> int:
        """How many commits were refused since `refuse_commits`."""
        async with self._connected() as connection:
            row = await (await connection.execute(_QUERIES["refused"])).fetchone()
            return int(row[0]) if row else 0

    async def lock_table(self, table: str, seconds: float) -> None:
        """Let nobody read or write a table for so long. Returns when that is over."""
        async with self.locked_table(table):
            await asyncio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def locked_table(self, table: str) -> AsyncIterator[None]:
        """Let nobody read or write a table meanwhile."""
        lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table))
        async with self._session() as connection:
            await connection.execute("BEGIN")
            await connection.execute(lock)
            yield

    @contextlib.asynccontextmanager
    async def exhausted_connections(self, leave: int = 0) -> AsyncIterator[int]:
        """Take every connection that is free, but `leave` (SQLSTATE 53300 for all who come then). Gives how many."""
        async with contextlib.AsyncExitStack() as taken:
            scopes = []
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    scope = await taken.enter_async_context(contextlib.AsyncExitStack())
                    await scope.enter_async_context(self._session())
                    scopes.append(scope)
            for scope in scopes[:leave]:
                await scope.aclose()
            yield max(0, len(scopes) - leave)

    async def terminate_backends(self) -> int:
        """End all clients' sessions (SQLSTATE 57P01). Returns how many there were."""
        return await self._terminate("terminate_backends")

    async def terminate_lock_holders(self) -> int:
        """End the sessions that hold an advisory lock, such as the relay's. Returns how many there were."""
        return await self._terminate("terminate_lock_holders")

    async def heal(self) -> None:
        """Let go of all sessions and remove what refuses commits. The database must be up."""
        for session in tuple(self._sessions):
            await session.close()
        if not self._watching:
            return
        async with self._connected() as connection:
            for table in WATCHED:
                with contextlib.suppress(psycopg.errors.UndefinedTable):
                    await connection.execute(sql.SQL(_QUERIES["unwatch"]).format(table=sql.Identifier(table)))
            await connection.execute(_QUERIES["remove"])
        self._watching = False

    async def _terminate(self, query: str) -> int:
        async with self._connected() as connection:
            return len(await (await connection.execute(_QUERIES[query])).fetchall())

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection that `heal` closes."""
        async with self._connected() as connection:
            self._sessions.add(connection)
            try:
                yield connection
            finally:
                self._sessions.discard(connection)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Closed without a word at the end: the session may be gone by then, which is no error here."""
        connection = await AsyncConnection.connect(self.direct, autocommit=True)
        try:
            yield connection
        finally:
            await connection.close()


async def busiest_backend(witness: AsyncConnection[Any]) -> int:
    """The process of another client that works, else of one that waits. There must be one."""
    found = await witness.execute(_QUERIES["busiest_backend"])
    row = await found.fetchone()
    assert row is not None, "no other client is connected"
    return int(row[0])
