"""Queries by a list of keys or of rows, several of them in one round trip."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row
from pydantic_core import to_json


async def ask(
    connection: AsyncConnection[Any], query: LiteralString, keys: Iterable[Any]
) -> AsyncCursor[DictRow] | None:
    """Sends the query; in a pipeline its answer is not waited for. Nothing to ask for is not asked; None is no key."""
    wanted = list(dict.fromkeys(key for key in keys if key is not None))
    if not wanted:
        return None
    return await connection.cursor(row_factory=dict_row).execute(query, {"keys": wanted})


async def ask_each(
    connection: AsyncConnection[Any], query: LiteralString, asked: Sequence[Mapping[str, Any]]
) -> AsyncCursor[DictRow] | None:
    """Likewise, where one question takes more than a key: they travel as one JSON array."""
    if not asked:
        return None
    return await connection.cursor(row_factory=dict_row).execute(query, {"rows": to_json(asked).decode()})


async def rows(cursor: AsyncCursor[DictRow] | None) -> list[DictRow]:
    return [] if cursor is None else await cursor.fetchall()
