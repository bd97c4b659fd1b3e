"""`signoff migrate`: brings the database and the topics to this release."""

import asyncio

import typer

from worker.adapters.kafka.topics import create_missing_topics
from worker.adapters.postgres.migrator import migrate as migrate_database
from worker.cli.connection import settings_for_command
from worker.cli.named_failures import named_failures
from worker.settings import Settings


def migrate() -> None:
    """Apply missing migrations and create missing topics. Safe to repeat, and safe to run twice at once."""
    settings = settings_for_command()
    with named_failures(settings):
        asyncio.run(migrate_all(settings))


async def migrate_all(settings: Settings) -> None:
    applied = await migrate_database(settings.database_url)
    if settings.ledger_url:
        applied += await migrate_database(settings.ledger_url)
    created = await create_missing_topics(
        settings.kafka_bootstrap_servers,
        settings.topic_prefix,
        partitions=settings.topic_partitions,
        replication=settings.topic_replication,
    )
    for name in applied:
        typer.echo(f"applied {name}", err=True)
    for topic in created:
        typer.echo(f"created topic {topic}", err=True)
    if not applied and not created:
        typer.echo("nothing to do: the database and the topics are at this release", err=True)
