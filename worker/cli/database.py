"""The connection of one command: opened for it, read-only unless it says otherwise, closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, IsolationLevel

from worker.cli.named_failures import PATIENCE_S
from worker.settings import Settings


@asynccontextmanager
async def connected(settings: Settings, *, read_only: bool = True) -> AsyncIterator[AsyncConnection[Any]]:
    """Raises psycopg.Error as it comes; `named_failures` turns it into a sentence."""
    async with await AsyncConnection.connect(
        settings.database_url,
        autocommit=True,
        connect_timeout=PATIENCE_S,
        application_name="signoff-cli",
    ) as connection:
        await connection.set_read_only(read_only)
        if read_only:
            # What one transaction reads belongs together, whatever the worker commits meanwhile.
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        yield connection
