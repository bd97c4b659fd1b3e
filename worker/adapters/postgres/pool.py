"""Connections to PostgreSQL, and what its failures mean to the rest of the worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

Pool = AsyncConnectionPool[AsyncConnection[Any]]


class DatabaseUnreachable(ConnectionError):
    """The database does not answer, or cannot work now; nothing was written that the caller knows of."""


_PASSES = ("08", "53", "57", "58")
"""Classes of SQLSTATE that say nothing about what was asked: connection, resources (a full disk), an operator (a
restart), the machine."""


def make_pool(url: str, *, size: int, name: str = "signoff") -> Pool:
    """An unopened pool of `size` connections in autocommit; statements are prepared after their first use.

    All are opened at the start: one that is opened under load keeps a case waiting for it.
    """
    return AsyncConnectionPool(
        url,
        min_size=size,
        max_size=size,
        timeout=10.0,
        open=False,
        name=name,
        kwargs={"autocommit": True, "prepare_threshold": 1, "application_name": name},
    )


@asynccontextmanager
async def borrowed(pool: Pool) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection of the pool. A lost, missing or exhausted database is raised as DatabaseUnreachable."""
    try:
        async with pool.connection() as connection:
            yield connection
    except PoolTimeout as error:
        raise DatabaseUnreachable(f"no connection to PostgreSQL: {error}") from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate.startswith(_PASSES):
            raise DatabaseUnreachable(f"PostgreSQL went away: {error}") from error
        raise
