"""Transactions in the database that statements run in, and what its failures mean for an action."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb
from psycopg.types.string import TextLoader

from worker.adapters.executors.sql_rows import ShortJson
from worker.adapters.postgres.named_queries import load
from worker.application.ports.executors import ActionFailed, ActionUnavailable, ActionUncertain

QUERIES = load("sql_executions.sql", __package__)

Connection = AsyncConnection[DictRow]

_AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "interval", "numeric")
"""Types whose values Python cannot all hold (infinity, years before Christ): they stay as the server writes them."""

_LATER = ("08", "25P03", "40", "53", "57", "58")
"""Beginnings of SQLSTATEs that say nothing about the statement: connection, an idle transaction that was ended,
deadlock, resources, an operator, the machine."""

_CANCELED, _LOCKED = "57014", "55P03"

_LONGEST_WAIT_S = 5.0
"""For a connection, and for a lock."""


class Database:
    """Each transaction has a connection of its own: actions are rare, and nothing that one of them set is left."""

    def __init__(self, address: str, *, search_schema: str, time_limit_s: float) -> None:
        """A statement gets a little less than the time limit, so that the server undoes it and says so in time."""
        self._address = address
        self._statement_s = time_limit_s * 0.8
        self._all_s = time_limit_s * 0.95
        self._wait_s = min(_LONGEST_WAIT_S, time_limit_s / 2)
        self._settings = {
            "statement_ms": _milliseconds(self._statement_s),
            "lock_ms": _milliseconds(self._wait_s),
            "idle_ms": _milliseconds(time_limit_s),
            "search_schema": search_schema,
        }

    @asynccontextmanager
    async def time_of_a_statement(self) -> AsyncIterator[None]:
        """For a statement whose rows are fetched in parts: the server limits each of these alone. Raises
        ActionFailed."""
        try:
            async with asyncio.timeout(self._statement_s):
                yield
        except TimeoutError:
            raise self._too_long() from None

    @asynccontextmanager
    async def transaction(self, *, read_only: bool) -> AsyncIterator[Connection]:
        """Committed at its end, rolled back with any exception. Failures of the database are raised as ActionFailed,
        ActionUnavailable or, when only the answer to the commit is missing, ActionUncertain."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._all_s
        connection = await self._connect()
        severing = loop.call_at(ends, _sever, connection)
        try:
            try:
                # Each statement sees what was committed before it: also the record of a run that was waited for.
                await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
                await connection.set_read_only(read_only)
                await connection.execute(QUERIES["settings"], self._settings)
                yield connection
            except psycopg.Error as error:
                raise self._told(error) from error
            await self._commit(connection, read_only=read_only)
        finally:
            severing.cancel()
            await connection.close()

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(self._wait_s):
                connection = await AsyncConnection.connect(
                    self._address,
                    application_name="signoff",
                    client_encoding="utf8",
                    prepare_threshold=None,
                    row_factory=dict_row,
                )
        except (psycopg.Error, OSError) as error:
            why = f"no answer within {self._wait_s:g} s" if isinstance(error, TimeoutError) else _first_line(error)
            raise ActionUnavailable(f"no connection to the database: {why}") from error
        for name in _AS_TEXT:
            connection.adapters.register_loader(name, TextLoader)
        for name in ("json", "jsonb"):
            connection.adapters.register_loader(name, ShortJson)
        return connection

    async def _commit(self, connection: Connection, *, read_only: bool) -> None:
        try:
            await connection.commit()
        except psycopg.Error as error:
            told = self._told(error)
            answered = error.sqlstate is not None and not error.sqlstate.startswith(("08", "57"))
            if read_only or answered:
                raise told from error
            raise ActionUncertain(f"the commit was not answered: {told}") from error

    def _too_long(self) -> ActionFailed:
        return ActionFailed(f"it did not end within {self._statement_s:g} s, and was undone")

    def _told(self, error: psycopg.Error) -> Exception:
        says = error.diag.message_primary or _first_line(error)
        code = error.sqlstate
        if code == _CANCELED:
            return self._too_long()
        if code == _LOCKED:
            return ActionUnavailable(f"rows or keys that it needs were locked for {self._wait_s:g} s; nothing changed")
        lost = code is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        if lost or (code is not None and code.startswith(_LATER)):
            return ActionUnavailable(f"the database does not work now: {says}")
        return ActionFailed(f"the database refuses it: {says}")


def _sever(connection: Connection) -> None:
    """A server that fell silent would be waited for beyond any limit: the driver first asks it to cancel. A socket that
    is shut down ends that, and what was not committed never will be."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def raw(query: str) -> bytes:
    """A statement that somebody approved: it is data to us, and sent as it stands."""
    return query.encode()


def parameters_of(values: list[Any]) -> list[Any]:
    """Objects of JSON become jsonb; everything else has a type of its own in PostgreSQL."""
    return [Jsonb(value) if isinstance(value, dict) else value for value in values]
