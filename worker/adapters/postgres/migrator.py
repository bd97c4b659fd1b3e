"""Brings a database to the schema of this release: numbered files, forward only, each in its own transaction.

langgraph-checkpoint-postgres brings its own tables: its `setup` runs first, outside transactions, because it builds
indexes concurrently.
"""

import asyncio
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

_PAUSE_S = 0.1

_FILE = re.compile(r"^(\d{4})_[a-z_]+\.sql$")

_HISTORY: LiteralString = """
create table if not exists signoff_migrations (
    number      integer primary key,
    name        text not null,
    applied_at  timestamptz not null default now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """The migrations of this release, in order. Raises ValueError when their numbers have a gap."""
    folder = resources.files(__package__) / "migrations"
    found = sorted(
        (
            Migration(int(match[1]), file.name, file.read_text(encoding="utf-8"))
            for file in folder.iterdir()
            if (match := _FILE.match(file.name))
        ),
        key=lambda migration: migration.number,
    )
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered 1 to {len(found)} without a gap")
    return found


async def migrate(url: str) -> list[str]:
    """Applies what is missing, and returns the names. Two that run at the same time wait for each other."""
    async with await AsyncConnection.connect(
        url, autocommit=True, row_factory=dict_row, prepare_threshold=None
    ) as connection:
        await _wait_for_others(connection)
        await _checkpoint_tables(connection)
        await connection.execute(_HISTORY)
        done = await _applied(connection)
        missing = [migration for migration in migrations() if migration.number not in done]
        for migration in missing:
            async with connection.transaction():
                await connection.execute(migration.sql.encode())
                await connection.execute(
                    "insert into signoff_migrations (number, name) values (%s, %s)",
                    (migration.number, migration.name),
                )
        return [migration.name for migration in missing]


async def _wait_for_others(connection: AsyncConnection[DictRow]) -> None:
    """Asks again and again. Whoever waited inside a statement would hold a snapshot, for whose end the other's
    concurrent index build waits: a deadlock."""
    while True:
        cursor = await connection.execute("select pg_try_advisory_lock(hashtext('signoff.migrate')) as mine")
        row = await cursor.fetchone()
        if row is not None and row["mine"]:
            return
        await asyncio.sleep(_PAUSE_S)


async def _checkpoint_tables(connection: AsyncConnection[DictRow]) -> None:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: PLC0415 - half a second, for this alone

    await AsyncPostgresSaver(connection).setup()


async def missing_migrations(connection: AsyncConnection[Any]) -> list[str]:
    """What `migrate` would apply; all of them on an empty database."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        try:
            await cursor.execute("select number from signoff_migrations")
        except psycopg.errors.UndefinedTable:
            return [migration.name for migration in migrations()]
        done = {row["number"] for row in await cursor.fetchall()}
    return [migration.name for migration in migrations() if migration.number not in done]


async def _applied(connection: AsyncConnection[DictRow]) -> set[int]:
    cursor = await connection.execute("select number from signoff_migrations")
    return {row["number"] for row in await cursor.fetchall()}
