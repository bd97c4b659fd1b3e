"""The people of a chaos run: whatever they do first, in the end all that was asked is answered."""

from collections import Counter
from random import Random

import pytest

from tests.chaos.people import People
from tests.chaos.small_house import SmallHouse, until
from tests.chaos.traffic import Traffic


@pytest.mark.slow
async def test_whatever_is_asked_comes_to_an_end_once_people_hurry(
    calm_house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.chaos.traffic.HEARD_OF_BEFORE", 0.5)
    dice = Random(7)  # noqa: S311 - a schedule, not a secret
    with calm_house.history("traffic") as raised, calm_house.history("people") as decided:
        async with (
            Traffic(dice, calm_house.kafka, calm_house.prefix, raised, calm_house.shop, seed=7) as traffic,
            People(dice, calm_house.kafka, calm_house.prefix, decided, calm_house.shop) as people,
        ):
            await traffic.raise_some(60)
            await traffic.settle()
            people.hurry()
            await calm_house.all_cases_are_over(60)
            await until(lambda: people.open_questions == 0)
    states = Counter(row["state"] for row in await calm_house.rows("select state from cases"))
    assert states["executed"] > 20
    sent = calm_house.told("people")
    assert {"valid", "rival", "early", "doubled"} <= {each["class"] for each in sent}
