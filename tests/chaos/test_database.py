"""The database of a run dies, refuses and stands still as its clients would see it in the field, and keeps what was
committed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from tests.chaos.database import Database
from tests.chaos.database_faults import Refusal

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

WAIT_SECONDS = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    async with Database(tmp_path_factory.mktemp("database")) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def an_empty_outbox(database: Database) -> AsyncIterator[None]:
    async with client(database) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS outbox (number int)")
        await connection.execute("TRUNCATE outbox")
    yield
    await database.heal()


@asynccontextmanager
async def client(database: Database) -> AsyncIterator[AsyncConnection[Any]]:
    async with await AsyncConnection.connect(database.url(), autocommit=True) as connection:
        yield connection


async def insert(database: Database, *numbers: int) -> None:
    async with client(database) as connection, connection.transaction():
        for number in numbers:
            await connection.execute("INSERT INTO outbox VALUES (%s)", [number])


async def numbers(database: Database) -> list[int]:
    async with client(database) as connection:
        found = await connection.execute("SELECT number FROM outbox ORDER BY number")
        return [number for (number,) in await found.fetchall()]


async def assert_dead(connection: AsyncConnection[Any], sqlstates: set[str | None]) -> None:
    with pytest.raises(psycopg.OperationalError) as dead:
        await connection.execute("SELECT 1")
    assert dead.value.sqlstate in sqlstates
    assert connection.closed


async def test_an_immediate_restart_ends_every_session_and_keeps_what_was_committed(database: Database) -> None:
    address, dead = database.direct, database.pid
    await insert(database, 1)
    async with client(database) as connection:
        await database.immediate_restart()
        await assert_dead(connection, {None, "57P01", "57P02"})
    assert database.direct == address
    assert database.pid != dead
    assert await numbers(database) == [1]


async def test_a_killed_postmaster_takes_its_backends_along_and_loses_no_commit(database: Database) -> None:
    await insert(database, 1)
    async with client(database) as connection:
        await database.kill()
        assert database.pid is None
        await assert_dead(connection, {None, "57P01"})
    with pytest.raises(psycopg.OperationalError):
        await insert(database, 2)
    await database.kill()
    await database.heal()
    assert await numbers(database) == [1]


async def test_a_killed_backend_ends_the_others_and_the_server_recovers(database: Database) -> None:
    await insert(database, 1)
    postmaster = database.pid
    async with client(database) as connection, client(database) as idle:
        await connection.execute("SELECT 1")
        await database.kill_backend()
        await assert_dead(connection, {None, "57P02"})
        await assert_dead(idle, {None, "57P02"})
    assert database.pid == postmaster
    assert await numbers(database) == [1]


async def test_a_server_without_clients_can_lose_a_backend_too(database: Database) -> None:
    await database.kill_backend()
    assert await numbers(database) == []


async def test_sessions_that_an_operator_ends_say_so(database: Database) -> None:
    async with client(database) as connection:
        assert await database.terminate_backends() >= 1
        await assert_dead(connection, {"57P01"})


async def test_only_who_holds_an_advisory_lock_loses_its_session(database: Database) -> None:
    async with client(database) as holder, client(database) as other:
        await holder.execute("SELECT pg_advisory_lock(1)")
        assert await database.terminate_lock_holders() == 1
        await assert_dead(holder, {"57P01"})
        await other.execute("SELECT pg_advisory_lock(1)")


@pytest.mark.parametrize(
    ("why", "error"),
    [
        ("deadlock", psycopg.errors.DeadlockDetected),
        ("serialization", psycopg.errors.SerializationFailure),
        ("disk-full", psycopg.errors.DiskFull),
    ],
)
async def test_so_many_commits_are_refused_and_the_next_is_taken(
    database: Database, why: Refusal, error: type[psycopg.Error]
) -> None:
    await database.refuse_commits(why, times=2)
    for attempt in (1, 2):
        with pytest.raises(error):
            await insert(database, 10, 20, 30)
        assert await database.refused_commits() == attempt
    await insert(database, 40)
    assert await numbers(database) == [40]
    assert await database.refused_commits() == 2


async def test_a_second_order_to_refuse_counts_anew(database: Database) -> None:
    await database.refuse_commits("deadlock", times=1)
    await database.refuse_commits("disk-full", times=1)
    with pytest.raises(psycopg.errors.DiskFull):
        await insert(database, 1)
    await insert(database, 2)
    assert await numbers(database) == [2]


async def test_a_healed_database_refuses_nothing_and_nothing_of_it_is_left(database: Database) -> None:
    await database.refuse_commits("deadlock", times=100)
    await database.heal()
    await database.heal()
    await insert(database, 1)
    async with client(database) as connection:
        left = await connection.execute(
            "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal"
            " UNION SELECT nspname FROM pg_namespace WHERE nspname = 'chaos'"
        )
        assert await left.fetchall() == []


async def test_who_needs_a_locked_table_waits_until_the_lock_is_gone(database: Database) -> None:
    async with client(database) as impatient:
        await impatient.execute("SET lock_timeout = '10ms'")
        async with database.locked_table("outbox"):
            waiting = asyncio.create_task(insert(database, 1))
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await impatient.execute("SELECT FROM outbox")
            assert not waiting.done()
        async with asyncio.timeout(WAIT_SECONDS):
            await waiting
    assert await numbers(database) == [1]


@pytest.mark.parametrize("end", ["heal", "terminate_backends"])
async def test_a_lock_whose_session_is_ended_is_gone_at_once(database: Database, end: str) -> None:
    async with database.locked_table("outbox"):
        await getattr(database, end)()
        await insert(database, 1)
    await database.lock_table("outbox", seconds=0)
    await insert(database, 2)


async def test_a_database_without_room_turns_clients_away_and_has_room_again(database: Database) -> None:
    async with database.exhausted_connections() as taken:
        assert taken > 50
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            await insert(database, 1)
    async with database.exhausted_connections(leave=1):
        async with client(database):
            with pytest.raises(psycopg.OperationalError, match="too many clients"):
                await insert(database, 2)
        await database.heal()
        await insert(database, 3)
    assert await numbers(database) == [3]
