"""Connections to PostgreSQL, and what its failures mean to the rest of the worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

Pool = AsyncConnectionPool[AsyncConnection[Any]]


class DatabaseUnreachable(ConnectionError):
    """The database does not answer; nothing was written that the caller knows of."""


def make_pool(url: str, *, size: int, name: str = "signoff") -> Pool:
    """An unopened pool of `size` connections in autocommit; statements are prepared after their first use."""
    return AsyncConnectionPool(
        url,
        min_size=min(2, size),
        max_size=size,
        timeout=10.0,
        open=False,
        name=name,
        kwargs={"autocommit": True, "prepare_threshold": 1, "application_name": name},
    )


@asynccontextmanager
async def borrowed(pool: Pool) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection of the pool. A lost or missing database is raised as DatabaseUnreachable."""
    try:
        async with pool.connection() as connection:
            yield connection
    except PoolTimeout as error:
        raise DatabaseUnreachable(f"no connection to PostgreSQL: {error}") from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate.startswith(("08", "57P")):
            raise DatabaseUnreachable(f"PostgreSQL went away: {error}") from error
        raise
