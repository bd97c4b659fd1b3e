"""A worker that runs in the test's own event loop, on a database and topics of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.records import raise_exceptions, refund
from tests.stack.services import Services
from worker.bootstrap import make_worker
from worker.cli.migrate import migrate_all
from worker.settings import Settings

STOP_S = 20


@pytest.fixture
async def migrated(stack: Services, database: str, topic_prefix: str) -> Settings:
    """Settings of a migrated database and of topics that exist; nothing runs."""
    settings = Settings(
        kafka_bootstrap_servers=stack.kafka,
        database_url=database,
        topic_prefix=topic_prefix,
        topic_partitions=2,
        poll_s=0.1,
        early_decision_wait_s=1.0,
        shutdown_s=5.0,
    )
    await migrate_all(settings)
    return settings


@pytest.fixture
async def running_worker(migrated: Settings) -> AsyncIterator[Settings]:
    """The settings of a worker that is ready for records; it is stopped after the test."""
    async with worker_running(migrated):
        yield migrated


@pytest.fixture
async def waiting_without_worker(migrated: Settings) -> Settings:
    """Case EXC-1 waits for a manager, and the worker that opened it is gone."""
    async with worker_running(migrated):
        await raise_exceptions(migrated, refund("EXC-1"))
    return migrated


@asynccontextmanager
async def worker_running(settings: Settings) -> AsyncIterator[None]:
    """Raises what the worker raised, when it did not become ready."""
    ready = asyncio.Event()
    work = asyncio.create_task(make_worker(settings).run(ready))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
        yield
    finally:
        waiting.cancel()
        work.cancel()
        async with asyncio.timeout(STOP_S):
            await asyncio.gather(work, waiting, return_exceptions=True)
