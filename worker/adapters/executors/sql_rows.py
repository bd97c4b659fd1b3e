"""Rows of any type as plain JSON, no more of them than fit into a result."""

import base64
import json
import math
from collections.abc import AsyncIterator, Iterable
from typing import Any

from psycopg import AsyncCursor, AsyncRawServerCursor
from psycopg.abc import Buffer
from psycopg.types.json import JsonLoader

from worker.adapters.executors.plain_result import LARGEST_RESULT

_ROOM = LARGEST_RESULT * 3 // 4
"""Bytes of JSON. A result that the registry had to cut would no longer be rows."""

_AT_ONCE = 20

Row = tuple[Any, ...]


async def rows_of_cursor(cursor: AsyncRawServerCursor[Row], row_limit: int) -> dict[str, Any]:
    """Rows that lie on the server: what is not shown is not fetched, but for the one that tells that there is more."""

    async def rows() -> AsyncIterator[Row]:
        while batch := await cursor.fetchmany(_AT_ONCE):
            for row in batch:
                yield row

    kept = _Kept(row_limit)
    async for row in rows():
        if not kept.took(row):
            break
    return kept.result(cursor)


def rows_returned(cursor: AsyncCursor[Row], rows: Iterable[Row], row_limit: int) -> dict[str, Any]:
    """Rows of RETURNING."""
    kept = _Kept(row_limit)
    for row in rows:
        if not kept.took(row):
            break
    return kept.result(cursor)


class ShortJson(JsonLoader):
    """JSON that no result can hold stays text: it will be left out."""

    def load(self, data: Buffer) -> Any:
        return bytes(data).decode() if len(data) > LARGEST_RESULT else super().load(data)


class _Kept:
    def __init__(self, row_limit: int) -> None:
        self._row_limit = row_limit
        self._room = _ROOM
        self._rows: list[list[Any]] = []
        self._truncated = False

    def took(self, row: Row) -> bool:
        """False for the first row that has no place."""
        # First of all: writing 100 MB as JSON takes seconds, in which the worker does nothing else.
        length = sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(self._rows) < self._row_limit and length <= self._room:
            values = [plain(value) for value in row]
            self._room -= len(json.dumps(values, ensure_ascii=False).encode())
            if self._room >= 0:
                self._rows.append(values)
                return True
        self._truncated = True
        return False

    def result(self, cursor: AsyncCursor[Row]) -> dict[str, Any]:
        columns = [column.name for column in cursor.description or ()]
        return {"columns": columns, "rows": self._rows, "truncated": self._truncated}


def plain(value: Any) -> Any:
    """Numbers that JSON lacks, and whatever is no JSON, as text; bytes in base64."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case list() | tuple():
            return [plain(each) for each in value]
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case _:
            return str(value)
