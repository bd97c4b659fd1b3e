"""Queries by a list of keys, several of them in one round trip."""

from collections.abc import Iterable
from typing import Any, LiteralString

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row


async def ask(
    connection: AsyncConnection[Any], query: LiteralString, keys: Iterable[Any]
) -> AsyncCursor[DictRow] | None:
    """Sends the query; in a pipeline its answer is not waited for. Nothing to ask for is not asked; None is no key."""
    wanted = list(dict.fromkeys(key for key in keys if key is not None))
    if not wanted:
        return None
    return await connection.cursor(row_factory=dict_row).execute(query, {"keys": wanted})


async def rows(cursor: AsyncCursor[DictRow] | None) -> list[DictRow]:
    return [] if cursor is None else await cursor.fetchall()
