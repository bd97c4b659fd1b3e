"""Runs one approved SQL statement in somebody's PostgreSQL: one transaction, a limit on its rows and on its time.

A change and the record that it ran are one commit, under the action's key. So the same key never changes anything
twice, and a look-up is exact: there is a record, or there was no change.
"""

import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, ClassVar, Literal, cast

import psycopg
from psycopg import AsyncRawCursor, AsyncRawServerCursor
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb
from pydantic import ConfigDict, Field, SecretStr, field_validator

from worker.adapters.executors import executor
from worker.adapters.executors.executor import (
    Action,
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    Examination,
    Executor,
    OnUnknown,
    Ran,
)
from worker.adapters.executors.sql_permissions import RECORD, Permissions, kinds_of
from worker.adapters.executors.sql_plan import plan_of
from worker.adapters.executors.sql_rows import Row, rows_of_cursor, rows_returned
from worker.adapters.executors.sql_session import QUERIES, Connection, Database, parameters_of, raw
from worker.adapters.executors.sql_statement import Statement, StatementKind, read_statement
from worker.adapters.executors.sql_text import LONGEST_STATEMENT, BadStatement

_ARGUMENTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "statement": {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_STATEMENT,
            "description": "One statement for PostgreSQL. Values are written as $1, $2, ...",
        },
        "parameters": {"type": "array", "maxItems": 100, "description": "The values of $1, $2, ..."},
    },
    "required": ["statement"],
    "additionalProperties": False,
}


class Options(executor.Options):
    """`tables` and `functions` are written with their schema, or belong to `search_schema`. `row_limit` is of rows:
    a select shows no more, a change that touches more is undone. Above `estimate_limit` rows, as the server
    estimates them, a statement is refused before anybody is asked."""

    model_config = ConfigDict(hide_input_in_errors=True)

    database: SecretStr
    allow: tuple[Literal["select", "insert", "update", "delete"], ...] = Field(default=("select",), min_length=1)
    tables: tuple[str, ...] | None = None
    functions: tuple[str, ...] = ()
    search_schema: str = Field(default="public", min_length=1)
    row_limit: int = Field(default=100, ge=1, le=10_000)
    estimate_limit: int | None = Field(default=None, ge=1)
    all_rows: bool = False

    @field_validator("database")
    @classmethod
    def _address_can_be_read(cls, address: SecretStr) -> SecretStr:
        try:
            psycopg.conninfo.conninfo_to_dict(address.get_secret_value())
        except psycopg.ProgrammingError:
            # What the driver says quotes the address, and with it the password.
            raise ValueError("is no address of a PostgreSQL; write postgresql://role@host/database") from None
        return address

    @property
    def permissions(self) -> Permissions:
        tables = None if self.tables is None else frozenset(map(self._qualified, self.tables))
        return Permissions(kinds_of(self.allow), tables, frozenset(self.functions), self.all_rows)

    def _qualified(self, table: str) -> str:
        return table if "." in table else f"{self.search_schema}.{table}"


class SqlExecutor(Executor):
    """Actions have the arguments `statement` and, where it holds any, `parameters`."""

    Options: ClassVar[type[executor.Options]] = Options
    args_schema = _ARGUMENTS
    on_unknown = OnUnknown.LOOK_UP
    time_limit_s = 10.0

    def __init__(self, *, name: str, time_limit_s: float | None = None, **options: Any) -> None:
        super().__init__(name=name, time_limit_s=time_limit_s, **options)
        known: Options = self.options
        self._permissions = known.permissions
        self._row_limit = known.row_limit
        self._database = Database(
            known.database.get_secret_value(), search_schema=known.search_schema, time_limit_s=self.time_limit_s
        )

    async def examine(self, action: Action) -> Examination:
        """Shows the kind, the tables, and how many rows the server expects."""
        statement, parameters = self._read(action)
        try:
            async with self._database.transaction(read_only=True) as connection:
                await self._refuse_functions(connection, statement)
                plan = await plan_of(connection, statement, parameters)
        except ActionFailed as error:
            raise ActionRefused(str(error)) from error
        limit = self.options.estimate_limit
        if limit is not None and plan.estimated_rows > limit:
            raise ActionRefused(f"about {plan.estimated_rows} rows, as the database estimates; at most {limit} are run")
        shown: dict[str, Any] = {
            "kind": statement.kind.value,
            "tables": list(statement.tables),
            "estimated_rows": plan.estimated_rows,
            "row_limit": self._row_limit,
        }
        if statement.columns:
            shown["columns"] = list(statement.columns)
        return Examination(args_schema=_ARGUMENTS, shown=shown, kind=statement.kind.value)

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        statement, parameters = self._read(action)
        if statement.kind is StatementKind.SELECT:
            async with self._database.transaction(read_only=True) as connection:
                await self._refuse_functions(connection, statement)
                return Ran(result=await self._selected(connection, statement, parameters))
        async with self._database.transaction(read_only=False) as connection:
            recorded = await _recorded(connection, action, idempotency_key)
            if recorded is not None:
                return recorded
            await self._refuse_functions(connection, statement)
            await plan_of(connection, statement, parameters)
            result = await self._changed(connection, statement, parameters)
            record = {"key": idempotency_key, "fingerprint": _fingerprint(action), "result": Jsonb(result)}
            await connection.execute(QUERIES["record"], record)
        return Ran(result=result)

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        """A select that ran left nothing behind: it is as if it had not, and may run again."""
        if _only_reads(action):
            return None
        try:
            async with self._database.transaction(read_only=True) as connection:
                return await _recorded(connection, action, idempotency_key)
        except ActionFailed as error:
            raise ActionUnavailable(f"{RECORD} cannot be read: {error}") from error

    async def check(self) -> str | None:
        try:
            async with self._database.transaction(read_only=True) as connection:
                cursor = await connection.execute(QUERIES["record_rights"])
                rights = await cursor.fetchone()
        except (ActionFailed, ActionUnavailable) as error:
            return str(error)
        if self._permissions.kinds == {StatementKind.SELECT} or rights is None or rights["writable"]:
            return None
        wanted = "grant its role select and insert on it" if rights["there"] else "create it as docs/executors.md says"
        return f"the table {RECORD} cannot be written in schema {self.options.search_schema}: {wanted}"

    def _read(self, action: Action) -> tuple[Statement, list[Any]]:
        """Raises ActionRefused."""
        parameters = action.args.get("parameters", [])
        try:
            statement = read_statement(action.args["statement"], search_schema=self.options.search_schema)
        except BadStatement as error:
            raise ActionRefused(str(error)) from error
        if refusals := list(self._permissions.refusals(statement)):
            raise ActionRefused("; ".join(refusals))
        if statement.parameters != len(parameters):
            raise ActionRefused(
                f"it names {statement.parameters} parameters, and `parameters` holds {len(parameters)}; give as many"
            )
        return statement, parameters_of(parameters)

    async def _refuse_functions(self, connection: Connection, statement: Statement) -> None:
        """Only the server knows what a name stands for there."""
        names = {"calls": list(statement.calls), "attributes": list(statement.attributes)}
        known = {"allowed": list(self.options.functions), "search_schema": self.options.search_schema}
        cursor = await connection.execute(QUERIES["functions_of_the_house"], names | known)
        if found := ", ".join(row["proname"] for row in await cursor.fetchall()):
            raise ActionRefused(f"it would call {found}, a function of this database; `functions` can allow it")

    async def _selected(self, connection: Connection, statement: Statement, parameters: list[Any]) -> dict[str, Any]:
        """Through a cursor of the server, which takes one select and nothing else."""
        async with (
            self._database.time_of_a_statement(),
            AsyncRawServerCursor(connection, "signoff", row_factory=tuple_row) as cursor,
        ):
            await cursor.execute(raw(statement.text), parameters)
            return await rows_of_cursor(cursor, self._row_limit)

    async def _changed(self, connection: Connection, statement: Statement, parameters: list[Any]) -> dict[str, Any]:
        """The rows of RETURNING are read one by one: of a change of millions, no more than the limit comes here."""
        cursor = AsyncRawCursor(connection, row_factory=tuple_row)
        if not statement.returns:
            await cursor.execute(raw(statement.text), parameters, prepare=True)
            self._refuse_rows(cursor.rowcount)
            return {"affected": cursor.rowcount}
        rows: list[Row] = []
        stream = cast(AsyncGenerator[Row, None], cursor.stream(raw(statement.text), parameters))
        async with aclosing(stream):
            async for row in stream:
                rows.append(row)
                self._refuse_rows(len(rows))
        return {"affected": len(rows), **rows_returned(cursor, rows, self._row_limit)}

    def _refuse_rows(self, changed: int) -> None:
        if changed > self._row_limit:
            raise ActionFailed(
                f"it would change {changed} rows or more; at most {self._row_limit} may be: it was undone"
            )


async def _recorded(connection: Connection, action: Action, key: str) -> Ran | None:
    """What ran under the key. Whoever runs it holds the lock until they commit: a look-up waits for them, or is told
    that it cannot say (ActionUnavailable)."""
    await connection.execute(QUERIES["lock_key"], {"key": key})
    cursor = await connection.execute(QUERIES["recorded"], {"key": key})
    row = await cursor.fetchone()
    if row is None:
        return None
    if row["fingerprint"] != _fingerprint(action):
        raise ActionFailed("another statement ran under its key")
    return Ran(result=row["result"])


def _only_reads(action: Action) -> bool:
    """Whatever the options say now: they may have been others when it ran."""
    try:
        return read_statement(action.args["statement"]).kind is StatementKind.SELECT
    except BadStatement:
        return False


def _fingerprint(action: Action) -> str:
    return hashlib.sha256(json.dumps(action.args, sort_keys=True).encode()).hexdigest()
