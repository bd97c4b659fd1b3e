"""A COMMIT whose answer is lost, seen by a client of a real PostgreSQL."""

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from tests.chaos.database import Database

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    async with Database(tmp_path_factory.mktemp("database")) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def an_empty_table(database: Database) -> AsyncIterator[None]:
    async with await psycopg.AsyncConnection.connect(database.direct, autocommit=True) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        await connection.execute("TRUNCATE kept")
    yield
    await database.heal()


async def rows(database: Database) -> list[int]:
    async with await psycopg.AsyncConnection.connect(database.direct) as connection:
        found = await connection.execute("SELECT number FROM kept ORDER BY number")
        return [number for (number,) in await found.fetchall()]


async def insert(database: Database, *numbers: int, autocommit: bool = False) -> None:
    """All in one transaction, sent in one pipeline, unless each commits by itself."""
    async with await psycopg.AsyncConnection.connect(database.url(), autocommit=True) as connection:
        if autocommit:
            for number in numbers:
                await connection.execute("INSERT INTO kept VALUES (%s)", [number])
            return
        async with connection.transaction(), connection.pipeline():
            for number in numbers:
                await connection.execute("INSERT INTO kept VALUES (%s)", [number])


async def test_a_commit_whose_answer_is_lost_is_done_and_reported_as_an_error(database: Database) -> None:
    lost_before = database.wires[0].lost
    database.wires[0].lose_commit_answers(1)
    with pytest.raises(psycopg.OperationalError):
        await insert(database, 1, 2)
    await insert(database, 3)
    assert await rows(database) == [1, 2, 3]
    assert database.wires[0].lost == lost_before + 1


async def test_a_write_that_commits_by_itself_loses_its_answer_too(database: Database) -> None:
    database.wires[0].lose_commit_answers(2)
    for number in (1, 2):
        with pytest.raises(psycopg.OperationalError):
            await insert(database, number, autocommit=True)
    await insert(database, 3, autocommit=True)
    assert await rows(database) == [1, 2, 3]


async def test_what_reads_rolls_back_or_fails_is_answered(database: Database) -> None:
    lost_before = database.wires[0].lost
    database.wires[0].lose_commit_answers(1)
    async with await psycopg.AsyncConnection.connect(database.url(), autocommit=True) as connection:
        await connection.execute("SELECT repeat('COMMIT', 100000) FROM generate_series(1, 10)")
        async with connection.transaction(force_rollback=True):
            await connection.execute("INSERT INTO kept VALUES (1)")
        with pytest.raises(psycopg.errors.DivisionByZero):
            await connection.execute("INSERT INTO kept VALUES (1/0)")
    assert database.wires[0].lost == lost_before
    assert await rows(database) == []


async def test_a_healed_wire_loses_nothing(database: Database) -> None:
    database.wires[0].lose_commit_answers(5)
    await database.heal()
    await insert(database, 1)
    assert await rows(database) == [1]


async def test_a_slow_wire_still_carries_every_message(database: Database) -> None:
    database.wires[0].delay(0.005)
    await insert(database, 1, 2, 3)
    assert await rows(database) == [1, 2, 3]
    async with await psycopg.AsyncConnection.connect(database.url(), autocommit=True) as connection:
        found = await connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
        assert len(await found.fetchall()) == 5000
