from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.shop import Shop
from tests.chaos.small_house import SmallHouse, small_house
from tests.stack.services import Services


@pytest.fixture
async def calm_house(
    stack: Services, database: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SmallHouse]:
    for name, value in Shop(tmp_path, orders=60).environment.items():
        monkeypatch.setenv(name, value)
    async with small_house(stack.kafka, database, topic_prefix, tmp_path) as house:
        yield house
