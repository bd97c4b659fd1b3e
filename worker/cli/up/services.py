"""The embedded Kafka and PostgreSQL of a session: started, migrated, and announced to the commands beside it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from worker.adapters.embedded.errors import EmbeddedError
from worker.adapters.embedded.stack import EmbeddedStack
from worker.adapters.kafka.topics import create_missing_topics
from worker.adapters.postgres.migrator import migrate
from worker.cli.connection import RunningStack
from worker.cli.failure import Failure
from worker.settings import Settings

LOOK_EVERY_S = 0.5

Say = Callable[[str], None]


@asynccontextmanager
async def running_services(settings: Settings, data: Path, say: Say) -> AsyncIterator[RunningStack]:
    """Raises Failure when they cannot start, or somebody else uses `data`."""
    stack = EmbeddedStack(data, progress=say)
    try:
        await _start(stack)
        running = RunningStack(stack.kafka, stack.database, settings.topic_prefix, os.getpid())
        await _prepare(settings, running)
        running.write(data)
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(_watch(stack, data))
                yield running
                watching.cancel()
        finally:
            RunningStack.forget(data)
    except EmbeddedError as error:
        raise Failure(str(error)) from error
    finally:
        await asyncio.to_thread(stack.stop)


async def _start(stack: EmbeddedStack) -> None:
    """A start is never left half done: who is told to stop meanwhile ends it as soon as it is through."""
    starting = asyncio.create_task(asyncio.to_thread(stack.start))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting])
        starting.exception()  # has been looked at; there is nobody to tell any more
        raise


async def _watch(stack: EmbeddedStack, data: Path) -> None:
    """Raises Failure when one of them ends by itself. Nothing accepted is lost: it is on disk, or not acknowledged."""
    pids = stack.pids
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if not all(_lives(pid) for pid in pids):
            raise Failure(
                f"Kafka or PostgreSQL ended by itself; {data / 'kafka' / 'broker.log'} and "
                f"{data / 'postgres' / 'postgres.log'} may say why. Start again: what waited is still there"
            )


def _lives(pid: int) -> bool:
    """Whether it runs. Somebody else's process, such as a database under another account, may not be signalled."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _prepare(settings: Settings, running: RunningStack) -> None:
    """Tables and topics of this release; the two do not know of each other."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(migrate(running.database))
        tasks.create_task(
            create_missing_topics(
                running.kafka,
                settings.topic_prefix,
                partitions=settings.topic_partitions,
                replication=settings.topic_replication,
            )
        )
