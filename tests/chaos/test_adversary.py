"""The adversary of a chaos run attacks real questions in many ways, and none of them works."""

import json
from collections import defaultdict
from random import Random

import pytest

from tests.builders import Event
from tests.chaos.adversary import Adversary
from tests.chaos.hostile_scenes import LEFT_OUT, UNDER_CONDITIONS
from tests.chaos.people import People
from tests.chaos.small_house import SmallHouse
from tests.chaos.traffic import Traffic
from tests.fuzz.hostile import CLASSES

CASES = 80
LEAST_CLASSES = 40


def test_classes_that_are_left_out_or_under_conditions_are_classes_of_the_fuzz() -> None:
    assert {each.name for each in CLASSES} >= LEFT_OUT | UNDER_CONDITIONS


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
            await traffic.raise_some(CASES)
            await traffic.settle()
            people.hurry()
            await house.all_cases_are_over(CASES)
            adversary.rest()
    await house.everything_is_answered()
    sent = house.told("adversary")
    receipts = await receipts_by_decision(house)
    legible = [each for each in sent if each["decision_id"] is not None]
    assert [each for each in legible if each["decision_id"] not in receipts] == []
    assert [each for each in legible if took_effect(each, receipts[each["decision_id"]])] == []
    dead = await house.rows('select topic, partition, "offset" from dead_letters')
    illegible = {place_of(each) for each in sent if each["decision_id"] is None}
    assert illegible <= {place_of(row) for row in dead}
    assert len({each["class"] for each in sent}) >= LEAST_CLASSES


def took_effect(sent: Event, receipts: list[Event]) -> bool:
    """The id of a replay is that of a decision that did take effect, about another question."""
    accepted = [each for each in receipts if each["accepted"]]
    if sent["class"] == "replay_of_an_accepted_id":
        return any(each["approval_id"] == sent["approval_id"] for each in accepted)
    return bool(accepted)


async def receipts_by_decision(house: SmallHouse) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for row in await house.rows("select payload from outbox where topic = 'decision-receipts'"):
        receipt = json.loads(row["payload"])
        found[receipt["decision_id"]].append(receipt)
    return found


def place_of(row: Event) -> tuple[str, int, int]:
    return row["topic"], row["partition"], row["offset"]
