"""What every store promises of the figures behind a decision: they are complete, and no two units act on the same."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.values import MAX_AMOUNT_MINOR, ExceptionKind, Money, ReceiptCode, Reviewer, Verdict
from tests.builders import (
    a_decision,
    a_level,
    a_proposal,
    a_question,
    a_receipt,
    an_approval,
    an_exception,
    an_unopened_case,
    eur,
    opening_unit,
    usd,
)
from tests.contracts.houses import House
from worker.application.ports.store import CaseView, Store
from worker.application.transition import transition
from worker.application.unit_of_work import CaseQuery, Commit, OthersQuery, UnitOfWork, Watch
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.approval_policy import Cap
from worker.domain.exception_case import TERMINAL, Case, CaseState
from worker.domain.exposure import Exposure

DAY = timedelta(days=1)
CAPPED = a_level(cap=Cap(amount=usd(1_000_000), window=DAY))
PATIENCE = 100
"""Of a batch that looked at the same figures one unit is written: whoever tries as often as there are units is."""

CAME_TO_NOTHING = ["rejected", "expired", "withdrawn", "failed"]


async def opened(house: House, name: str, amount: Money | None = None, **fields: Any) -> Case:
    """A case that waits, as it is stored."""
    now = (await house.store.view(CaseQuery())).now
    asked = amount or usd(15_000)
    case = an_unopened_case(now, an_exception(name, asked, **fields), proposal=a_proposal(amount=asked))
    assert await house.store.commit(opening_unit(case, now)) is Commit.DONE
    view = await house.store.view(CaseQuery(exception_id=name))
    assert view.case is not None
    return view.case


async def ended(house: House, case: Case, state: str, **fields: Any) -> None:
    now = (await house.store.view(CaseQuery())).now
    done, entry = transition(case, CaseState(state), actor="system", action=state, at=now, **fields)
    assert done.finished_at is not None
    assert await house.store.commit(UnitOfWork(case=done, audit=entry)) is Commit.DONE


def others(**fields: Any) -> OthersQuery:
    known: dict[str, Any] = {
        "exception_id": "EXC-NEW",
        "kind": ExceptionKind.REFUND,
        "window": DAY,
        "order_id": "ORD-1",
        "customer_id": "CUST-1",
        "amount": usd(15_000),
        **fields,
    }
    return OthersQuery(**known)


async def exposure(house: House, **fields: Any) -> Exposure:
    found = (await house.store.view(CaseQuery(others=others(**fields)))).exposure
    assert found is not None
    return found


# What else was asked for the same customer and order


async def test_nothing_is_added_up_unless_it_is_asked_for(house: House) -> None:
    await opened(house, "EXC-1")
    assert (await house.store.view(CaseQuery(exception_id="EXC-1"))).exposure is None


async def test_where_nothing_else_was_asked_for_nothing_is_at_stake(house: House) -> None:
    assert await exposure(house) == Exposure()


async def test_other_cases_of_the_customer_and_of_the_order_add_up_by_currency(house: House) -> None:
    await opened(house, "EXC-1", usd(100))
    await opened(house, "EXC-2", usd(20), order_id="ORD-2")
    await opened(house, "EXC-3", eur(3), customer_id="CUST-2")
    await opened(house, "EXC-4", usd(4_000), order_id="ORD-2", customer_id="CUST-2")
    found = await exposure(house)
    assert (found.customer, found.customer_cases) == ((usd(120),), 2)
    assert (found.order, found.order_cases) == ((eur(3), usd(100)), 2)


async def test_the_case_that_asks_is_not_among_the_others(house: House) -> None:
    await opened(house, "EXC-1")
    assert await exposure(house, exception_id="EXC-1") == Exposure()


async def test_a_case_without_an_order_or_a_customer_has_no_others_there(house: House) -> None:
    await opened(house, "EXC-1", order_id=None, customer_id=None)
    assert await exposure(house, order_id=None, customer_id=None) == Exposure()
    assert (await house.store.view(CaseQuery(others=others(order_id=None, customer_id=None)))).watched == ()


async def test_a_case_that_moves_no_money_counts_and_adds_nothing(house: House) -> None:
    now = (await house.store.view(CaseQuery())).now
    change = an_exception("EXC-1", kind=ExceptionKind.ACCOUNT_CHANGE)
    case = an_unopened_case(now, change, proposal=a_proposal(amount=None, method=None))
    await house.store.commit(opening_unit(case, now))
    found = await exposure(house)
    assert (found.customer, found.customer_cases, found.order, found.order_cases) == ((), 1, (), 1)


@pytest.mark.parametrize("state", CAME_TO_NOTHING)
async def test_a_case_that_came_to_nothing_counts_and_adds_nothing(house: House, state: str) -> None:
    case = await opened(house, "EXC-1")
    await ended(house, case, state)
    found = await exposure(house)
    assert (found.customer, found.customer_cases, found.order, found.order_cases) == ((), 1, (), 1)


async def test_an_executed_case_adds_what_was_paid_and_not_what_was_asked_for(house: House) -> None:
    case = await opened(house, "EXC-1", usd(15_000))
    await ended(house, case, "executed", proposal=a_proposal(amount=usd(9_000)))
    found = await exposure(house)
    assert (found.customer, found.order) == ((usd(9_000),), (usd(9_000),))


async def test_a_case_that_was_opened_before_the_window_is_not_among_the_others(house: House) -> None:
    await opened(house, "EXC-1")
    await house.passes(DAY.total_seconds() - 60)
    assert (await exposure(house)).customer_cases == 1
    await house.passes(120)
    assert await exposure(house) == Exposure()


async def test_more_than_an_amount_can_hold_is_as_much_as_it_can(house: House) -> None:
    for number in range(3):
        await opened(house, f"EXC-{number}", usd(MAX_AMOUNT_MINOR))
    assert (await exposure(house)).order == (usd(MAX_AMOUNT_MINOR),)


async def test_looks_at_once_each_get_their_own_sums(house: House) -> None:
    for number in range(5):
        await opened(house, f"EXC-{number}", usd(number), order_id=f"ORD-{number}", customer_id=f"CUST-{number}")
    found = await asyncio.gather(
        *(exposure(house, order_id=f"ORD-{number}", customer_id=f"CUST-{number}") for number in range(5))
    )
    assert [(each.order, each.customer) for each in found] == [((usd(n),), (usd(n),)) for n in range(5)]


# Near duplicates


def names(found: Exposure) -> list[str]:
    return [related.exception_id for related in found.near_duplicates]


async def test_an_open_case_of_the_same_order_and_kind_is_a_near_duplicate_whatever_its_amount(house: House) -> None:
    case = await opened(house, "EXC-1", usd(1))
    await opened(house, "EXC-2", kind=ExceptionKind.CANCELLATION)
    await opened(house, "EXC-3", order_id="ORD-2")
    [related] = (await exposure(house)).near_duplicates
    assert (related.case_id, related.exception_id, related.state) == (case.case_id, "EXC-1", "waiting")
    assert (related.amount, related.opened_at) == (usd(1), case.opened_at)


async def test_a_near_duplicate_without_an_amount_is_shown_without_one(house: House) -> None:
    now = (await house.store.view(CaseQuery())).now
    case = an_unopened_case(now, an_exception("EXC-1"), proposal=a_proposal(amount=None))
    await house.store.commit(opening_unit(case, now))
    assert [related.amount for related in (await exposure(house)).near_duplicates] == [None]


async def test_an_executed_case_is_a_near_duplicate_when_it_paid_the_same(house: House) -> None:
    await ended(house, await opened(house, "EXC-1"), "executed")
    assert names(await exposure(house)) == ["EXC-1"]
    assert names(await exposure(house, amount=usd(14_999))) == []
    assert names(await exposure(house, amount=eur(15_000))) == []
    assert names(await exposure(house, amount=None)) == []


@pytest.mark.parametrize("state", sorted(TERMINAL - {CaseState.EXECUTED}))
async def test_a_case_that_ended_without_being_executed_is_no_near_duplicate(house: House, state: str) -> None:
    await ended(house, await opened(house, "EXC-1"), state)
    assert names(await exposure(house)) == []


async def test_the_ten_newest_near_duplicates_are_shown(house: House) -> None:
    for number in range(12):
        await opened(house, f"EXC-{number}")
        await house.passes(1)
    assert names(await exposure(house)) == [f"EXC-{number}" for number in range(11, 1, -1)]


# What a reviewer has signed for


async def asked(house: House, name: str = "EXC-1", level: Any = CAPPED) -> ApprovalRequest:
    """An open request of a level that caps what one reviewer may sign for."""
    now = (await house.store.view(CaseQuery())).now
    case = an_unopened_case(now, an_exception(name))
    unit = opening_unit(case, now, an_approval(case, now, a_question(level)))
    assert await house.store.commit(unit) is Commit.DONE
    assert unit.new_approval is not None
    return unit.new_approval


async def signs(
    house: House,
    amount: Money,
    reviewer: str = "user:maria",
    verdict: Verdict = Verdict.APPROVE,
    code: ReceiptCode = ReceiptCode.ACCEPTED,
) -> None:
    """A decision about some other case."""
    decision = a_decision(reviewer=Reviewer(id=reviewer), verdict=verdict)
    unit = UnitOfWork(decision=(decision, a_receipt(decision, code=code)), signed=amount)
    assert await house.store.commit(unit) is Commit.DONE


async def look(house: House, approval: ApprovalRequest, reviewer: str = "user:maria") -> CaseView:
    return await house.store.view(CaseQuery(approval_id=str(approval.approval_id), reviewer=reviewer))


async def test_what_a_reviewer_agreed_to_adds_up_by_currency(house: House) -> None:
    approval = await asked(house)
    await signs(house, usd(100))
    await signs(house, usd(20), verdict=Verdict.MODIFY, code=ReceiptCode.RECORDED)
    await signs(house, eur(3), verdict=Verdict.CHOOSE)
    await signs(house, usd(4_000), reviewer="user:jonas")
    assert (await look(house, approval)).signed == (eur(3), usd(120))
    by_key = await house.store.view(CaseQuery(exception_id="EXC-1", reviewer="user:maria"))
    assert by_key.signed == (eur(3), usd(120))


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.ESCALATE, Verdict.REQUEST_CHANGES])
async def test_who_does_not_agree_signs_for_nothing(house: House, verdict: Verdict) -> None:
    approval = await asked(house)
    await signs(house, usd(100), verdict=verdict)
    assert (await look(house, approval)).signed == ()


async def test_a_decision_without_effect_signs_for_nothing(house: House) -> None:
    approval = await asked(house)
    await signs(house, usd(100), code=ReceiptCode.STALE)
    assert (await look(house, approval)).signed == ()


async def test_a_spelling_does_not_make_a_second_person(house: House) -> None:
    approval = await asked(house)
    await signs(house, usd(100), reviewer="User:MARIA")
    view = await look(house, approval, "USER:maria")
    assert view.signed == (usd(100),)
    assert view.watched == (Watch("reviewer:user:maria", 0),)


async def test_what_was_signed_before_the_window_is_over(house: House) -> None:
    approval = await asked(house)
    await signs(house, usd(100))
    await house.passes(DAY.total_seconds() - 60)
    assert (await look(house, approval)).signed == (usd(100),)
    await house.passes(120)
    assert (await look(house, approval)).signed == ()


async def test_a_level_without_a_cap_has_nothing_added_up(house: House) -> None:
    approval = await asked(house, level=a_level())
    await signs(house, usd(100))
    view = await look(house, approval)
    assert (view.signed, view.watched) == ((), ())


async def test_a_closed_request_has_nothing_added_up(house: House) -> None:
    approval = await asked(house)
    await signs(house, usd(100))
    now = (await house.store.view(CaseQuery())).now
    closed = approval.model_copy(update={"closed_as": Closing.WITHDRAWN, "closed_by": "system", "closed_at": now})
    await house.store.commit(UnitOfWork(changed_approvals=(closed,)))
    view = await look(house, approval)
    assert (view.signed, view.watched) == ((), ())


async def test_reviewers_who_decide_at_once_each_get_their_own_sum(house: House) -> None:
    approval = await asked(house)
    reviewers = [f"user:{number}" for number in range(5)]
    for number, reviewer in enumerate(reviewers):
        await signs(house, usd(number), reviewer)
    views = await asyncio.gather(*(look(house, approval, reviewer) for reviewer in reviewers))
    assert [view.signed for view in views] == [(usd(number),) for number in range(5)]


# Figures that were looked at


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
