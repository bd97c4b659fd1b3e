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


_PASSES = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE that say nothing about what was asked: connection, state of the transaction (a server that only
reads, after a fail-over), rollback (a deadlock), resources (a full disk), locks, an operator (a restart), machine."""

_LIMITS = "54"
"""The class of SQLSTATE for what is too large or too complex."""


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
    """A connection of the pool. A lost, missing or exhausted database is raised as DatabaseUnreachable, and so is
    whatever else passes and is no fault of what was asked."""
    try:
        async with pool.connection() as connection:
            yield connection
    except PoolTimeout as error:
        raise DatabaseUnreachable(f"no connection to PostgreSQL: {error}") from error
    except psycopg.Error as error:
        if _passes(error):
            raise DatabaseUnreachable(f"PostgreSQL cannot do it now: {error}") from error
        raise


def _passes(error: psycopg.Error) -> bool:
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_PASSES)


def refuses_the_data(error: Exception) -> bool:
    """True when what was sent is at fault, and would be refused again: no table takes it, or no driver sends it."""
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError | ValueError):
        return True
    return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_LIMITS)
