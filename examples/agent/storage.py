"""What outlives a process: the threads, what the agent did, and who runs a thread now. All in a schema of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

SCHEMA = "shop_desk"
TABLES = f"""
create schema if not exists {SCHEMA};
create table if not exists {SCHEMA}.deeds (
    key text primary key, deed text not null, details jsonb not null, done_at timestamptz not null default now()
);
"""
CARRY_OUT = "insert into deeds (key, deed, details) values (%s, %s, %s) on conflict (key) do nothing"
LOCK = "select pg_advisory_xact_lock(hashtextextended('shop-desk/' || %s, 0))"

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


class Storage:
    """A `Shop`: a mail to send and a voucher to honour are rows that other programs of the shop take up."""

    def __init__(self, pool: Pool, saver: AsyncPostgresSaver) -> None:
        self._pool = pool
        self.saver = saver

    async def carry_out(self, key: str, deed: str, details: dict[str, Any]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(CARRY_OUT, (key, deed, Jsonb(details)))

    @asynccontextmanager
    async def lock(self, thread_id: str) -> AsyncIterator[None]:
        """Over all processes; whoever dies lets go of it."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(LOCK, (thread_id,))
            yield


@asynccontextmanager
async def open_storage(address: str) -> AsyncIterator[Storage]:
    """Creates what is missing. The serializer reads plain data and messages, and calls nothing that a row names."""
    async with await AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute(TABLES)
    options: dict[str, Any] = {
        "autocommit": True,
        "prepare_threshold": 0,
        "row_factory": dict_row,
        "options": f"-c search_path={SCHEMA}",
    }
    async with AsyncConnectionPool(
        address, connection_class=AsyncConnection[DictRow], kwargs=options, min_size=1, max_size=4, open=False
    ) as pool:
        saver = AsyncPostgresSaver(pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        await saver.setup()
        yield Storage(pool, saver)
