"""What is raised in a chaos run: the same for the same seed, all of it on record, and judged here as by the policy."""

from collections import Counter
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import AIOKafkaConsumer

from schemas.values import Money, Order
from tests.builders import Event, a_record
from tests.chaos.demand import Demand
from tests.chaos.poison import poison
from tests.chaos.shop import LEVELS, Shop, needs_of
from tests.chaos.small_house import SmallHouse
from tests.chaos.traffic import RUSH, Traffic
from worker.adapters.policy.loading import load_policy
from worker.application.messages import Raised
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.order_exception import Facts
from worker.translation.inbound import Accepted, Record, Rejected, read

INPUTS = ("order-exceptions", "review-decisions")


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a schedule, not a secret


def some_demand(tmp_path: Path, seed: int, count: int) -> tuple[Shop, list[Event]]:
    shop = Shop(tmp_path, orders=100)
    demand = Demand(dice(seed), seed, shop.orders)
    return shop, [demand.next() for _ in range(count)]


def test_the_same_seed_asks_for_the_same(tmp_path: Path) -> None:
    assert some_demand(tmp_path, 3, 50)[1] == some_demand(tmp_path, 3, 50)[1]
    assert some_demand(tmp_path, 3, 50)[1] != some_demand(tmp_path, 4, 50)[1]


def test_the_shop_says_in_its_own_words_what_its_policy_demands(tmp_path: Path) -> None:
    shop, events = some_demand(tmp_path, 5, 600)
    policy = load_policy(shop.policy_file)
    for event in events:
        assert needs_of(event, shop.orders) == demanded(policy, event, shop), event
    assert {tuple(needs_of(event, shop.orders)) for event in events} >= {
        (),
        ("manager",),
        ("manager", "director"),
        ("board",),
        ("director",),
        ("desk",),
        ("duty",),
    }


def test_a_rush_is_about_one_order_that_has_enough_for_all_of_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, orders=100)
    rush = Demand(dice(6), 6, shop.orders).rush(RUSH)
    (order_id,) = {event["order_id"] for event in rush}
    assert len({event["exception_id"] for event in rush}) == RUSH
    assert all(needs_of(event, shop.orders) == [] for event in rush)
    assert sum(event["amount"]["amount_minor"] for event in rush) <= shop.orders[order_id].captured_minor


def test_the_levels_that_the_checker_is_told_are_those_of_the_policy(tmp_path: Path) -> None:
    policy = load_policy(Shop(tmp_path).policy_file)
    told = {
        name: {"role": level.role, "quorum": level.quorum, "escalates_to": level.escalates_to}
        for name, level in policy.levels.items()
    }
    assert list(LEVELS.items()) == list(told.items())


def test_poison_is_refused_by_whoever_reads_it() -> None:
    seen = Counter[str]()
    for number in range(3_000):
        sent = poison(dice(number), number)
        parts = read(Record(sent.topic, 0, number, None, sent.value, list(sent.headers)))
        if b"ORD-00000" in (sent.value or b""):
            continue  # only the shop knows what was paid for that order
        for part in parts:
            assert isinstance(part, Rejected), (sent, part)
            seen[part.reason] += 1
    assert len(seen) >= 9


async def test_all_that_is_raised_is_on_record_where_it_lies(calm_house: SmallHouse) -> None:
    house = calm_house
    with house.history("traffic") as history:
        async with Traffic(dice(21), house.kafka, house.prefix, history, house.shop, seed=21) as traffic:
            await traffic.raise_some(80)
            raised = [event["exception_id"] for event in traffic.raised]
    told = house.told("traffic")
    assert 80 <= len(raised) < 80 + RUSH
    assert raised == [f"EXC-21-{number}" for number in range(1, len(raised) + 1)]
    assert {each["exception_id"] for each in told if each["class"] == "raised"} == set(raised)
    assert {"raised", "duplicate", "conflict", "withdrawn", "poison"} <= {each["class"] for each in told}
    lying = await all_records(house, len(told))
    assert {(each["topic"], each["partition"], each["offset"]): each["sha256"] for each in told} == lying


async def test_what_poison_asks_for_ends_among_the_dead_letters(calm_house: SmallHouse) -> None:
    house = calm_house
    with house.history("traffic") as history:
        async with Traffic(dice(22), house.kafka, house.prefix, history, house.shop, seed=22) as traffic:
            await traffic.raise_some(100)
    poisoned = {place_of(each) for each in house.told("traffic") if each["class"] == "poison"}
    await house.everything_is_taken_in(len(house.told("traffic")))
    await house.everything_is_answered()
    dead = await house.rows('select topic, partition, "offset" from dead_letters')
    assert poisoned <= {place_of(row) for row in dead}
    assert len(poisoned) > 5


def place_of(row: dict[str, Any]) -> tuple[str, int, int]:
    return row["topic"], row["partition"], row["offset"]


def demanded(policy: ApprovalPolicy, event: Event, shop: Shop) -> list[str]:
    (part,) = read(a_record(event))
    assert isinstance(part, Accepted)
    assert isinstance(part.message, Raised)
    order = None
    if event.get("order_id"):
        paid = shop.orders[event["order_id"]]
        order = Order(captured=Money(amount_minor=paid.captured_minor, currency=paid.currency))
    facts = Facts(
        exception=part.message.exception, order=order, customer=None, available=order.captured if order else None
    )
    return [level.name for level in policy.judge(facts).chain]


async def all_records(house: SmallHouse, count: int) -> dict[tuple[str, int, int], str]:
    found: dict[tuple[str, int, int], str] = {}
    async with AIOKafkaConsumer(
        *(house.prefix + topic for topic in INPUTS), bootstrap_servers=house.kafka, auto_offset_reset="earliest"
    ) as consumer:
        while len(found) < count:
            record = await consumer.getone()
            place = (record.topic.removeprefix(house.prefix), record.partition, record.offset)
            found[place] = sha256(record.value or b"").hexdigest()
    return found
