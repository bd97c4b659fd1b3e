"""The adversary of a chaos run attacks real questions in many ways, and none of them works."""

from random import Random

import pytest

from tests.chaos.adversary import Adversary
from tests.chaos.people import People
from tests.chaos.small_house import SmallHouse
from tests.chaos.traffic import Traffic

LEAST_CLASSES = 40


@pytest.mark.slow
async def test_nothing_that_the_adversary_sends_takes_effect(calm_house: SmallHouse) -> None:
    dice, house = Random(11), calm_house  # noqa: S311 - a schedule, not a secret
    at = (house.kafka, house.prefix)
    with house.history("traffic") as raised, house.history("people") as decided, house.history("adversary") as tried:
        async with (
            Traffic(dice, *at, raised, house.shop, seed=11) as traffic,
            People(dice, *at, decided, house.shop) as people,
            Adversary(dice, *at, tried, house.shop) as adversary,
        ):
            await traffic.raise_some(120)
            await traffic.settle()
            people.hurry()
            await house.all_cases_are_over(120)
            adversary.rest()
    await house.everything_is_answered()
    sent = house.told("adversary")
    codes = {row["decision_id"]: row["code"] for row in await house.rows("select decision_id, code from decisions")}
    effective = [
        each for each in sent if codes.get(each["decision_id"]) in ("ACCEPTED", "RECORDED") and not _is_replay(each)
    ]
    assert effective == []
    assert len({each["class"] for each in sent}) >= LEAST_CLASSES


def _is_replay(sent: dict[str, object]) -> bool:
    """Its id is that of a decision which did take effect, about another question."""
    return sent["class"] == "replay_of_an_accepted_id"
