"""The people of a chaos run: whatever they do first, in the end all that was asked is answered."""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.chaos.people import People
from tests.chaos.small_house import SmallHouse
from tests.chaos.traffic import Traffic

PATIENCE_S = 60.0
PAUSE_S = 0.1


@pytest.mark.slow
async def test_whatever_is_asked_comes_to_an_end_once_people_hurry(calm_house: SmallHouse) -> None:
    dice = Random(7)
    with calm_house.history("traffic") as raised, calm_house.history("people") as decided:
        async with (
            Traffic(dice, calm_house.kafka, calm_house.prefix, raised, calm_house.shop, seed=7) as traffic,
            People(dice, calm_house.kafka, calm_house.prefix, decided, calm_house.shop) as people,
        ):
            await traffic.raise_some(60)
            await traffic.settle()
            people.hurry()
            await all_cases_are_over(calm_house, 60)
            await until(lambda: people.open_questions == 0)
    states = Counter(row["state"] for row in await calm_house.rows("select state from cases"))
    assert states["executed"] > 20
    sent = calm_house.told("people")
    assert {"valid", "rival", "early", "doubled"} <= {each["class"] for each in sent}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is waited for is on the broker
            await asyncio.sleep(PAUSE_S)


async def all_cases_are_over(house: SmallHouse, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (row,) = await house.rows("select count(*) as over from cases where finished_at is not null")
            if row["over"] == count:
                return
            await asyncio.sleep(PAUSE_S)
