"""Whole programs on a real broker and a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.house import House
from tests.stack.services import Services
from worker.cli.migrate import migrate_all
from worker.settings import Settings


@pytest.fixture
async def house(stack: Services, database: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[House]:
    """A migrated house without a worker; each test starts those that it needs."""
    settings = Settings(
        kafka_bootstrap_servers=stack.kafka, database_url=database, topic_prefix=topic_prefix, topic_partitions=3
    )
    await migrate_all(settings)
    house = House(stack.kafka, database, topic_prefix, tmp_path)
    await house.open()
    yield house
    await house.close()
