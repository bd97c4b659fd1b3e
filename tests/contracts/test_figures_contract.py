"""What every store tells of the figures behind a decision: what else was asked for the same customer and order, and
what a reviewer has signed for."""

import asyncio

import pytest

from schemas.values import MAX_AMOUNT_MINOR, ExceptionKind, Money, ReceiptCode, Reviewer, Verdict
from tests.builders import (
    a_decision,
    a_level,
    a_proposal,
    a_receipt,
    an_exception,
    an_unopened_case,
    eur,
    opening_unit,
    usd,
)
from tests.contracts.figures import DAY, asked, ended, exposure, look, opened, others
from tests.contracts.houses import House
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork, Watch
from worker.domain.approval import Closing
from worker.domain.exception_case import TERMINAL, CaseState
from worker.domain.exposure import Exposure

CAME_TO_NOTHING = ["rejected", "expired", "withdrawn", "failed"]


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


async def test_an_open_case_of_the_same_order_kind_and_amount_is_a_near_duplicate(house: House) -> None:
    case = await opened(house, "EXC-1")
    await opened(house, "EXC-2", kind=ExceptionKind.CANCELLATION)
    await opened(house, "EXC-3", order_id="ORD-2")
    await opened(house, "EXC-4", usd(14_999))
    await opened(house, "EXC-5", eur(15_000))
    [related] = (await exposure(house)).near_duplicates
    assert (related.case_id, related.exception_id, related.state) == (case.case_id, "EXC-1", "waiting")
    assert (related.amount, related.opened_at) == (usd(15_000), case.opened_at)


async def test_where_no_amount_is_asked_for_any_amount_is_the_same(house: House) -> None:
    now = (await house.store.view(CaseQuery())).now
    case = an_unopened_case(now, an_exception("EXC-1"), proposal=a_proposal(amount=None))
    await house.store.commit(opening_unit(case, now))
    assert [related.amount for related in (await exposure(house, amount=None)).near_duplicates] == [None]
    assert names(await exposure(house)) == []


async def test_an_executed_case_is_a_near_duplicate_when_it_paid_the_same(house: House) -> None:
    await ended(house, await opened(house, "EXC-1"), "executed")
    assert names(await exposure(house)) == ["EXC-1"]
    assert names(await exposure(house, amount=usd(14_999))) == []
    assert names(await exposure(house, amount=eur(15_000))) == []


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
