"""The migrations make the schema that is committed, and nothing else does."""

import asyncio

import psycopg

from tests.migrations.schema_dump import COMMITTED, describe
from worker.adapters.postgres.migrator import migrate, migrations, missing_migrations


async def test_an_empty_database_becomes_the_committed_schema(database: str) -> None:
    """When this fails after a new migration, write the schema anew: python -m tests.migrations.schema_dump."""
    assert await migrate(database) == [migration.name for migration in migrations()]
    assert describe(database) == COMMITTED.read_text(encoding="utf-8")


async def test_the_description_shows_what_a_hand_has_changed(database: str) -> None:
    await migrate(database)
    for change in (
        "alter table cases add column note text",
        "drop index outbox_unsent",
        "alter table order_balances drop constraint never_more_than_captured",
        "alter table inbox alter column attempts drop default",
        "create table stray (id integer)",
    ):
        before = describe(database)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(change)
        assert describe(database) != before, change


async def test_a_second_migration_finds_nothing_to_do(database: str) -> None:
    await migrate(database)
    assert await migrate(database) == []


async def test_two_that_migrate_at_once_wait_for_each_other(database: str) -> None:
    applied = await asyncio.gather(migrate(database), migrate(database), migrate(database))
    assert sorted(len(names) for names in applied) == [0, 0, len(migrations())]
    assert describe(database) == COMMITTED.read_text(encoding="utf-8")


async def test_an_empty_database_lacks_every_migration_and_a_migrated_one_none(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        assert await missing_migrations(connection) == [migration.name for migration in migrations()]
        await migrate(database)
        assert await missing_migrations(connection) == []


async def test_a_migration_that_fails_leaves_the_database_as_it_was(database: str) -> None:
    """A table of that name is in the way: the whole file is undone, and can be applied when it is gone."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create table ledger_entries (mine text)")
    try:
        await migrate(database)
    except psycopg.errors.DuplicateTable:
        pass
    else:
        raise AssertionError("the table in the way was not noticed")
    with psycopg.connect(database, autocommit=True) as connection:
        assert connection.execute("select to_regclass('cases')").fetchone() == (None,)
        connection.execute("drop table ledger_entries")
    await migrate(database)
    assert describe(database) == COMMITTED.read_text(encoding="utf-8")
