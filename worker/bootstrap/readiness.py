"""Waiting for what a worker cannot do without: its database and its broker."""

import asyncio
import logging

from aiokafka.errors import KafkaConnectionError

from worker.adapters.kafka.topics import missing_topics
from worker.adapters.postgres.migrator import missing_migrations
from worker.adapters.postgres.pool import DatabaseUnreachable, Pool, borrowed
from worker.settings import NotReady, Settings

log = logging.getLogger(__name__)

CONNECT_PAUSE_S = 1.0


async def wait_for_database(pool: Pool) -> None:
    """Opens the pool. Raises NotReady when a migration is missing."""
    await pool.open(wait=False)
    while True:
        try:
            async with borrowed(pool) as connection:
                missing = await missing_migrations(connection)
            break
        except DatabaseUnreachable as error:
            log.warning("waiting for PostgreSQL: %s", error)
            await asyncio.sleep(CONNECT_PAUSE_S)
    if missing:
        raise NotReady(f"the database lacks {', '.join(missing)}; run `signoff migrate` first")


async def wait_for_topics(settings: Settings) -> None:
    """Raises NotReady when a topic is missing."""
    servers = settings.kafka_bootstrap_servers
    while True:
        try:
            missing = await missing_topics(servers, settings.topic_prefix)
            break
        except OSError as error:
            log.warning("waiting for Kafka at %s: %s", servers, error)
        except KafkaConnectionError as error:
            log.warning("waiting for Kafka at %s: %s", servers, error)
        await asyncio.sleep(CONNECT_PAUSE_S)
    if missing:
        raise NotReady(f"Kafka at {servers} lacks the topics {', '.join(missing)}; run `signoff migrate` first")
