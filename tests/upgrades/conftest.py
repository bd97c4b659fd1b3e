"""Shops whose workers are of one release, then of another."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.stack.payment_ledger import Ledger
from tests.stack.payment_provider import payment_provider
from tests.stack.services import Services
from tests.upgrades.kept import Release
from tests.upgrades.premises import Shop
from tests.upgrades.snapshot import load_database, load_effects, load_ledger, load_topics
from worker.cli.migrate import migrate_all
from worker.settings import Settings


@pytest.fixture(autouse=True)
def path_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say which code a worker imports; what their caller's shell says would win over it."""
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.fixture
def settings(stack: Services, database: str, topic_prefix: str) -> Settings:
    return Settings(
        kafka_bootstrap_servers=stack.kafka, database_url=database, topic_prefix=topic_prefix, topic_partitions=3
    )


@pytest.fixture
async def shop(settings: Settings, tmp_path: Path) -> AsyncIterator[Shop]:
    """A new shop with nothing in it, and no worker yet."""
    await migrate_all(settings)
    async with payment_provider() as provider:
        shop = Shop(settings.kafka_bootstrap_servers, settings.database_url, settings.topic_prefix, tmp_path, provider)
        await shop.open()
        yield shop
        await shop.close()


Upgrade = Callable[[Release], Awaitable[Shop]]


@pytest.fixture
async def upgraded(settings: Settings, tmp_path: Path) -> AsyncIterator[Upgrade]:
    """Makes the shop that a release left, migrated by today's `signoff migrate`; no worker yet."""
    async with AsyncExitStack() as closing:

        async def upgrade(release: Release) -> Shop:
            kafka, database, prefix = (
                settings.kafka_bootstrap_servers,
                settings.database_url,
                settings.topic_prefix,
            )
            load_database(release.folder, database, later_by=release.age)
            await migrate_all(settings)
            await load_topics(release.folder, kafka, prefix)
            ledger: Ledger = load_ledger(release.folder)
            provider = await closing.enter_async_context(payment_provider(ledger))
            shop = Shop(kafka, database, prefix, tmp_path, provider, files=release.folder)
            load_effects(release.folder, shop.desk)
            await shop.open()
            closing.push_async_callback(shop.close)
            return shop

        yield upgrade
