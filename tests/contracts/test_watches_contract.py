"""What every store promises of the figures behind a decision: no two units act on the same ones."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from schemas.values import Verdict
from tests.builders import (
    a_decision,
    a_receipt,
    an_exception,
    an_unopened_case,
    opening_unit,
    usd,
)
from tests.contracts.figures import asked, exposure, look, opened, others
from tests.contracts.houses import House
from worker.application.ports.store import CaseView, Store
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork, Watch

PATIENCE = 100
"""Of a batch that looked at the same figures one unit is written: whoever tries as often as there are units is."""


WATCHED = CaseQuery(others=others())


async def watches(house: House, query: CaseQuery = WATCHED) -> tuple[Watch, ...]:
    return (await house.store.view(query)).watched


def opening_on(view: CaseView, name: str) -> UnitOfWork:
    """A unit that opens a case on the figures of a view."""
    return replace(opening_unit(an_unopened_case(view.now, an_exception(name)), view.now), watched=view.watched)


async def test_the_figures_of_the_order_and_of_the_customer_are_watched_from_version_nought(house: House) -> None:
    assert await watches(house) == (Watch("order:ORD-1", 0), Watch("customer:CUST-1", 0))


async def test_a_unit_that_watches_raises_each_version_by_one(house: House) -> None:
    for version in range(3):
        view = await house.store.view(WATCHED)
        assert [watch.version for watch in view.watched] == [version, version]
        assert await house.store.commit(opening_on(view, f"EXC-{version}")) is Commit.DONE


async def test_a_unit_that_watches_nothing_raises_no_version(house: House) -> None:
    await opened(house, "EXC-1")
    assert await watches(house) == (Watch("order:ORD-1", 0), Watch("customer:CUST-1", 0))


async def test_a_unit_that_moves_a_figure_conflicts_with_whoever_looked_at_it_and_with_nobody_else(
    house: House,
) -> None:
    view = await house.store.view(WATCHED)
    for name in ("EXC-1", "EXC-2"):
        unlooked = opening_unit(an_unopened_case(view.now, an_exception(name)), view.now)
        assert await house.store.commit(replace(unlooked, moves=("customer:CUST-1",))) is Commit.DONE
    assert await watches(house) == (Watch("order:ORD-1", 0), Watch("customer:CUST-1", 2))
    assert await house.store.commit(opening_on(view, "EXC-3")) is Commit.CONFLICT


async def one_of_two(first: Store, second: Store, units: Sequence[UnitOfWork], *, at_once: bool) -> list[Commit]:
    if at_once:
        return sorted(await asyncio.gather(first.commit(units[0]), second.commit(units[1])))
    return sorted([await first.commit(units[0]), await second.commit(units[1])])


@pytest.mark.parametrize("at_once", [True, False], ids=["at-once", "one-after-the-other"])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("seen", [0, 1], ids=["for-the-first-time", "again"])
async def test_of_two_units_that_saw_the_same_figures_one_is_written(
    house: House, at_once: bool, workers: int, seen: int
) -> None:
    for number in range(seen):
        await house.store.commit(opening_on(await house.store.view(WATCHED), f"EXC-OLD-{number}"))
    view = await house.store.view(WATCHED)
    units = [opening_on(view, "EXC-1"), opening_on(view, "EXC-2")]
    other = house.store if workers == 1 else house.another_store()
    assert await one_of_two(house.store, other, units, at_once=at_once) == [Commit.CONFLICT, Commit.DONE]
    found = await exposure(house)
    assert (found.order_cases, found.customer_cases) == (seen + 1, seen + 1)
    assert [watch.version for watch in await watches(house)] == [seen + 1, seen + 1]


async def test_one_shared_figure_is_enough_for_a_conflict(house: House) -> None:
    """The same customer, another order."""
    first = await house.store.view(WATCHED)
    second = await house.store.view(CaseQuery(others=others(order_id="ORD-2")))
    assert await house.store.commit(opening_on(first, "EXC-1")) is Commit.DONE
    assert await house.store.commit(opening_on(second, "EXC-2")) is Commit.CONFLICT
    assert await watches(house, CaseQuery(others=others(order_id="ORD-2"))) == (
        Watch("order:ORD-2", 0),
        Watch("customer:CUST-1", 1),
    )


async def test_units_with_figures_of_their_own_do_not_disturb_each_other(house: House) -> None:
    queries = [CaseQuery(others=others(order_id=f"ORD-{n}", customer_id=f"CUST-{n}")) for n in range(8)]
    views = await asyncio.gather(*map(house.store.view, queries))
    units = [opening_on(view, f"EXC-{number}") for number, view in enumerate(views)]
    assert await asyncio.gather(*map(house.store.commit, units)) == [Commit.DONE] * 8


async def test_a_unit_that_is_not_written_raises_no_version(house: House) -> None:
    case = await opened(house, "EXC-1")
    view = await house.store.view(WATCHED)
    lost = UnitOfWork(case=case.noted(version=7), watched=view.watched)
    assert await house.store.commit(lost) is Commit.CONFLICT
    assert await watches(house) == view.watched


async def test_a_cap_is_kept_however_many_decide_at_once(house: House) -> None:
    """Each unit signs for what its view leaves under the cap, on two workers, until everybody has been answered."""
    approval = await asked(house)
    stores = [house.store, house.another_store()]

    async def sign(number: int) -> bool:
        store = stores[number % 2]
        for _ in range(PATIENCE):
            view = await look(house, approval)
            if sum(amount.amount_minor for amount in view.signed) + 3_000 > 10_000:
                return False
            decision = a_decision(verdict=Verdict.APPROVE)
            receipt = a_receipt(decision)
            unit = UnitOfWork(decision=(decision, receipt), signed=usd(3_000), watched=view.watched)
            if await store.commit(unit) is Commit.DONE:
                return True
        raise AssertionError("the figures never stood still")

    assert sorted(await asyncio.gather(*map(sign, range(10)))) == [*[False] * 7, *[True] * 3]
    assert (await look(house, approval)).signed == (usd(9_000),)


async def test_batches_of_two_workers_that_watch_the_same_in_any_order_all_come_to_an_end(house: House) -> None:
    stores = [house.store, house.another_store()]

    async def open_in(number: int) -> None:
        order, customer = f"ORD-{number % 3}", f"CUST-{number % 2}"
        query = CaseQuery(others=others(order_id=order, customer_id=customer))
        for _ in range(PATIENCE):
            view = await stores[number % 2].view(query)
            exception = an_exception(f"EXC-{number}", order_id=order, customer_id=customer)
            watched = view.watched if number % 4 < 2 else view.watched[::-1]
            unit = replace(opening_unit(an_unopened_case(view.now, exception), view.now), watched=watched)
            if await stores[number % 2].commit(unit) is Commit.DONE:
                return
        raise AssertionError("the figures never stood still")

    await asyncio.gather(*map(open_in, range(24)))
    versions = await watches(house, CaseQuery(others=others(order_id="ORD-0", customer_id="CUST-0")))
    assert [watch.version for watch in versions] == [8, 12]
