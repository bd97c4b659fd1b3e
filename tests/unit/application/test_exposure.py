"""What else was asked for the same customer and order: rules see it, reviewers are shown it, and no race hides it."""

import asyncio
from datetime import timedelta
from unittest import mock

from schemas.values import Money
from tests.builders import an_order, refund_event, usd
from tests.policies import level, policy, rule
from tests.unit.application.desk import Desk
from worker.adapters.memory.payments import MemoryBooks
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery
from worker.domain.approval_policy import Cap
from worker.domain.order_exception import Facts

LIMIT = 10_000


def together_over_the_limit(facts: Facts) -> bool:
    amount = facts.exception.amount
    sums: tuple[Money, ...] = facts.exposure.customer
    return sum(one.amount_minor for one in sums) + (amount.amount_minor if amount else 0) > LIMIT


STRUCTURING = policy(
    level("manager"), rules=(rule("manager", when=together_over_the_limit),), exposure=timedelta(days=30)
)


def a_desk() -> Desk:
    desk = Desk(STRUCTURING)
    desk.work_with(books=MemoryBooks())
    for number in range(1, 5):
        desk.orders.orders[f"ORD-{number}"] = an_order()
    return desk


def small(number: int, **fields: object) -> dict[str, object]:
    return refund_event(f"EXC-{number}", amount_minor=4_000, order_id=f"ORD-{number}", **fields)


async def test_several_refunds_under_the_limit_add_up_over_the_customers_orders() -> None:
    desk = a_desk()
    for number in (1, 2, 3):
        await desk.raises(small(number))
    assert [desk.case(f"EXC-{number}").state for number in (1, 2, 3)] == ["executed", "executed", "waiting"]
    assert desk.asked()[0]["context"]["customer_in_window"] == [usd(8_000).model_dump()]


async def test_what_was_rejected_or_is_long_ago_counts_for_nothing() -> None:
    desk = a_desk()
    await desk.raises(small(1))
    await desk.raises(small(2))
    await desk.passes(31 * 86_400)
    await desk.raises(small(3))
    assert desk.case("EXC-3").state == "executed"


async def test_other_customers_are_not_added_up() -> None:
    desk = a_desk()
    for number in (1, 2, 3):
        await desk.raises(small(number, customer_id=f"CUST-{number}"))
    assert desk.asked() == []


async def test_of_two_that_looked_at_the_same_figures_the_second_looks_again() -> None:
    """Both are looked at before either is committed: each alone is under the limit, together they are not."""
    desk = a_desk()
    await desk.raises(small(1))
    looks = 0
    view = desk.store.view

    async def counted(query: CaseQuery) -> CaseView:
        nonlocal looks
        looks += 1
        return await view(query)

    with mock.patch.object(desk.store, "view", counted):
        await asyncio.gather(desk.raises(small(2)), desk.raises(small(3)))

    assert looks == 3
    assert sorted(desk.case(f"EXC-{number}").state for number in (2, 3)) == ["executed", "waiting"]


async def test_a_near_duplicate_of_an_open_case_is_shown_with_it_and_is_on_record() -> None:
    desk = Desk(policy(level("manager"), exposure=timedelta(days=30)))
    await desk.raises(refund_event("EXC-1"))
    await desk.raises(refund_event("EXC-2", reason="the mug is broken"))

    (shown,) = desk.asked()[-1]["context"]["near_duplicates"]
    assert (shown["exception_id"], shown["state"], shown["amount"]["amount_minor"]) == ("EXC-1", "waiting", 15_000)
    assert desk.trail("EXC-2")[0].detail["near_duplicates"] == ["EXC-1"]


async def test_a_reviewer_signs_for_no_more_than_their_cap_within_its_window() -> None:
    cap = Cap(amount=usd(10_000), window=timedelta(hours=24))
    desk = Desk(policy(level("manager", cap=cap)))
    for number in (1, 2, 3, 4):
        desk.orders.orders[f"ORD-{number}"] = an_order()
        await desk.raises(small(number))

    assert (await desk.says("maria", exception_id="EXC-1"))["code"] == "ACCEPTED"
    assert (await desk.says("maria", exception_id="EXC-2"))["code"] == "ACCEPTED"
    over = await desk.says("maria", exception_id="EXC-3")
    assert (over["code"], "more than 100.00 USD within 24 hours" in over["message"]) == ("NOT_AUTHORISED", True)
    assert (await desk.says("jonas", exception_id="EXC-3"))["code"] == "ACCEPTED"
    assert (await desk.says("maria", "reject", exception_id="EXC-4"))["code"] == "ACCEPTED"


async def test_a_two_step_level_counts_once_against_the_cap() -> None:
    cap = Cap(amount=usd(5_000), window=timedelta(hours=24))
    desk = Desk(policy(level("manager", cap=cap), rules=(rule("manager", two_step=True),)))
    await desk.raises(small(1, order={"captured": usd(20_000).model_dump(), "status": "paid"}))
    await desk.says("maria")
    assert (await desk.says("maria", "choose", choice="store_credit"))["code"] == "ACCEPTED"


async def test_a_signature_at_a_level_without_a_cap_is_seen_by_one_that_has_it_at_the_same_moment() -> None:
    cap = Cap(amount=usd(6_000), window=timedelta(hours=24))
    levels = policy(
        level("clerk"),
        level("manager", cap=cap),
        rules=(
            rule("clerk", when=lambda facts: facts.exception.exception_id == "EXC-1"),
            rule("manager", when=lambda facts: facts.exception.exception_id == "EXC-2"),
        ),
    )
    desk = Desk(levels)
    for number in (1, 2):
        desk.orders.orders[f"ORD-{number}"] = an_order()
        await desk.raises(small(number))

    await asyncio.gather(
        desk.says("max", exception_id="EXC-1", role="clerk"), desk.says("max", exception_id="EXC-2", role="manager")
    )

    assert [receipt["code"] for receipt in desk.receipts()] == ["ACCEPTED", "NOT_AUTHORISED"]
    assert desk.case("EXC-2").signatures == ()
