"""What a database that is in trouble means to the rest of the worker: wait, or give the message up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout

from worker.adapters.postgres.pool import DatabaseUnreachable, Pool, borrowed, refuses_the_data


class Lender:
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        yield object()


POOL = cast(Pool, Lender())


@pytest.mark.parametrize(
    "trouble",
    [
        errors.DiskFull("no space left"),
        errors.TooManyConnections("too many clients"),
        errors.OutOfMemory("out of memory"),
        errors.AdminShutdown("terminating connection"),
        errors.CannotConnectNow("the database system is starting up"),
        errors.QueryCanceled("canceling statement due to user request"),
        errors.ConnectionFailure("connection lost"),
        errors.IoError("could not read block"),
        errors.DeadlockDetected("a ring"),
        errors.SerializationFailure("could not serialize"),
        errors.LockNotAvailable("canceling statement due to lock timeout"),
        errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"),
        errors.IdleInTransactionSessionTimeout("terminating connection"),
        psycopg.InterfaceError("the connection is closed"),
        psycopg.OperationalError("server closed the connection unexpectedly"),
        PoolTimeout("no connection in 10 s"),
    ],
)
async def test_trouble_of_the_database_itself_is_waited_for(trouble: Exception) -> None:
    """Were it held against the message, a full disk would make dead letters of everything."""
    with pytest.raises(DatabaseUnreachable):
        async with borrowed(POOL):
            raise trouble


@pytest.mark.parametrize(
    "refusal",
    [errors.CheckViolation("out of bounds"), errors.UntranslatableCharacter("NUL"), errors.ProgramLimitExceeded("row")],
)
async def test_a_refusal_of_what_was_asked_stays_what_it_is(refusal: psycopg.Error) -> None:
    with pytest.raises(type(refusal)):
        async with borrowed(POOL):
            raise refusal
    assert refuses_the_data(refusal)


def test_a_statement_that_fits_no_table_is_no_fault_of_the_data() -> None:
    """As between a migration and the start of the release that it is for: the message can be tried again."""
    assert not refuses_the_data(errors.UndefinedColumn("no such column"))
