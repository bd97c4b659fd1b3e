"""A house without troubles, for tests of its people: one worker in the test's own loop, real services, payments that
sometimes fail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.builders import Event
from tests.chaos.history import History, read
from tests.chaos.shop import Shop
from tests.integration.conftest import worker_running
from tests.stack.payment_journal import Journal
from tests.stack.payment_ledger import Ledger
from tests.stack.payment_provider import TOKEN, payment_provider
from tests.stack.payment_weather import ByChance, at_a_rate
from worker.cli.migrate import migrate_all
from worker.settings import Settings

PATIENCE_S = 60.0
PAUSE_S = 0.1


@dataclass(frozen=True)
class SmallHouse:
    settings: Settings
    shop: Shop
    folder: Path

    @property
    def kafka(self) -> str:
        return self.settings.kafka_bootstrap_servers

    @property
    def prefix(self) -> str:
        return self.settings.topic_prefix

    def history(self, party: str) -> History:
        return History(self.folder / "history" / f"{party}.jsonl")

    def told(self, party: str) -> list[Event]:
        return read(self.folder / "history" / f"{party}.jsonl")

    async def rows(self, query: str, **parameters: Any) -> list[Event]:
        async with await psycopg.AsyncConnection.connect(
            self.settings.database_url, row_factory=dict_row
        ) as connection:
            return await (await connection.execute(query.encode(), parameters)).fetchall()

    async def all_cases_are_over(self, count: int) -> None:
        """Raises TimeoutError."""
        await self._until("select count(*) >= %(count)s as holds from cases where finished_at is not null", count=count)

    async def everything_is_taken_in(self, count: int) -> None:
        """So many records of the input topics. Raises TimeoutError."""
        await self._until(_TAKEN_IN, count=count)

    async def everything_is_answered(self) -> None:
        """Raises TimeoutError."""
        await self._until("select count(*) = 0 as holds from inbox where finished_at is null")

    async def _until(self, query: str, **parameters: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not (await self.rows(query, **parameters))[0]["holds"]:  # noqa: ASYNC110 - a database says nothing by itself
                await asyncio.sleep(PAUSE_S)


_TAKEN_IN = """
select count(*) >= %(count)s as holds
from (select topic, partition, "offset" from inbox union select topic, partition, "offset" from dead_letters) as records
"""


async def until(holds: Callable[[], bool]) -> None:
    """What is waited for lies on the broker. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_S)


@asynccontextmanager
async def small_house(kafka: str, database: str, prefix: str, folder: Path) -> AsyncIterator[SmallHouse]:
    """`CHAOS_EFFECTS` and the other variables of the shop must be set before."""
    shop = Shop(folder, orders=60)
    journal = Journal(folder / "payments.jsonl")
    ledger = Ledger(weather=ByChance(1, at_a_rate(0.1)), witness=journal)
    async with payment_provider(ledger) as payments:
        settings = Settings(
            kafka_bootstrap_servers=kafka,
            database_url=database,
            topic_prefix=prefix,
            topic_partitions=2,
            policy_file=shop.policy_file,
            executors_file=shop.executors_file,
            reviewers="register",
            payments="http",
            payments_url=payments.address,
            payments_token=TOKEN,
            payments_time_limit_s=0.5,
            lease_s=4.0,
            poll_s=0.1,
            early_decision_wait_s=2.0,
            shutdown_s=5.0,
        )
        await migrate_all(settings)
        await shop.furnish(database)
        async with worker_running(settings):
            yield SmallHouse(settings, shop, folder)
    journal.close()
