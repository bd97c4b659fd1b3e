"""The house that a contract is tried in: each suite runs in both."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.houses import House, MemoryHouse, PostgresHouse
from worker.adapters.postgres.migrator import migrate
from worker.adapters.postgres.pool import make_pool


@pytest.fixture
async def memory_house() -> MemoryHouse:
    return MemoryHouse()


@pytest.fixture
async def postgres_house(database: str) -> AsyncIterator[PostgresHouse]:
    await migrate(database)
    pool = make_pool(database, size=6)
    await pool.open(wait=True)
    yield PostgresHouse(pool)
    await pool.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.services)])
def house(request: pytest.FixtureRequest) -> House:
    chosen: House = request.getfixturevalue(f"{request.param}_house")
    return chosen
