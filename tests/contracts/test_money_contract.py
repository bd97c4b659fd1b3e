"""What every store promises of money: no order gives back more than was captured, and no payment is forgotten or made
twice."""

import asyncio
from dataclasses import replace
from typing import Any

from schemas.values import Money
from tests.builders import (
    a_reservation,
    an_intent,
    approving_unit,
    eur,
    paying_unit,
    usd,
)
from tests.contracts.houses import House
from tests.contracts.waiting_cases import approved, opened, seen
from worker.application.unit_of_work import Booking, CaseQuery, Commit, Postponement, UnitOfWork

# What an order has left
from worker.domain.intent import IntentState


async def reserve(house: House, amount: Money, **fields: Any) -> Commit:
    return await house.store.commit(UnitOfWork(reservation=a_reservation(amount, **fields)))


async def left(house: House) -> int | None:
    balance = (await house.store.view(CaseQuery(order_id="ORD-1"))).balance
    return balance.available.amount_minor if balance else None


async def test_what_is_set_aside_is_no_longer_available(house: House) -> None:
    assert await left(house) is None
    assert await reserve(house, usd(15_000)) is Commit.DONE
    assert await left(house) == 5_000


async def test_more_than_is_left_is_not_set_aside_nor_anything_of_its_unit_written(house: House) -> None:
    view, case, approval = await opened(house)
    await reserve(house, usd(5_001))
    unit = approving_unit(case, approval, view.now)
    assert await house.store.commit(unit) is Commit.OVERDRAWN
    assert (await seen(house))[1] == case
    assert await left(house) == 14_999
    assert len(await house.events()) == 1


async def test_many_that_reserve_at_once_never_get_more_than_was_captured(house: House) -> None:
    answers = await asyncio.gather(*(reserve(house, usd(6_000)) for _ in range(10)))
    assert sorted(answers) == [*[Commit.DONE] * 3, *[Commit.OVERDRAWN] * 7]
    assert await left(house) == 2_000


async def test_what_is_given_back_is_available_again(house: House) -> None:
    await reserve(house, usd(20_000))
    assert await reserve(house, usd(20_000), release=True) is Commit.DONE
    assert await left(house) == 20_000


async def test_more_than_was_set_aside_cannot_be_given_back(house: House) -> None:
    await reserve(house, usd(100))
    assert await reserve(house, usd(101), release=True) is Commit.OVERDRAWN
    assert await left(house) == 19_900


async def test_an_order_has_one_currency(house: House) -> None:
    await reserve(house, usd(100))
    assert await reserve(house, eur(100)) is Commit.OVERDRAWN
    assert await left(house) == 19_900


async def test_the_first_that_reserves_says_what_was_captured_and_what_went_back_before(house: House) -> None:
    assert await reserve(house, usd(1_000), captured=usd(10_000), already_refunded=8_500) is Commit.DONE
    assert await reserve(house, usd(501), captured=usd(99_000), already_refunded=0) is Commit.OVERDRAWN
    assert await left(house) == 500


# Intents and bookings


async def test_an_intent_is_left_to_its_worker_for_a_lease_and_then_anybodys(house: House) -> None:
    _, _, intent = await approved(house)
    queues = house.queues("w2")
    await house.passes(29)
    assert await queues.abandoned_intents(10) == []
    await house.passes(2)
    assert await queues.abandoned_intents(10) == [intent.model_copy(update={"attempts": 1, "takes": 1})]
    assert await queues.abandoned_intents(10) == []


async def test_an_intent_that_is_put_off_comes_back_with_its_attempts(house: House) -> None:
    _, _, intent = await approved(house)
    tried = intent.model_copy(update={"state": "unknown", "attempts": 3})
    await house.store.commit(UnitOfWork(intent=tried, postponed=Postponement(8.0, "no answer")))
    await house.passes(7)
    assert await house.queues("w2").abandoned_intents(10) == []
    await house.passes(2)
    assert await house.queues("w2").abandoned_intents(10) == [tried.model_copy(update={"takes": 1})]


async def test_what_was_surely_not_done_is_said_to_one_worker_only(house: House) -> None:
    """The next one cannot know whether that one did it."""
    _, _, intent = await approved(house)
    deferred = intent.model_copy(update={"state": IntentState.DEFERRED, "attempts": 1})
    await house.store.commit(UnitOfWork(intent=deferred, postponed=Postponement(1.0)))
    await house.passes(2)
    [first] = await house.queues("w2").abandoned_intents(10)
    await house.passes(60)
    [second] = await house.queues("w3").abandoned_intents(10)
    assert (first.state, second.state) == (IntentState.DEFERRED, IntentState.PENDING)


async def test_who_lost_the_lease_of_an_intent_is_not_heard(house: House) -> None:
    _, _, stalled = await approved(house)
    await house.passes(60)
    [taken] = await house.queues("w2").abandoned_intents(10)
    said = stalled.model_copy(update={"state": IntentState.DEFERRED, "attempts": 1})
    assert await house.store.commit(UnitOfWork(intent=said, postponed=Postponement(1.0))) is Commit.GONE
    await house.passes(60)
    [after] = await house.queues("w3").abandoned_intents(10)
    assert (taken.takes, after.takes, after.state) == (1, 2, IntentState.PENDING)


async def test_a_settled_intent_is_never_taken_up_again(house: House) -> None:
    view, case, intent = await approved(house)
    await house.store.commit(paying_unit(case, intent, view.now))
    late = intent.model_copy(update={"state": "unknown", "attempts": 1})
    await house.store.commit(UnitOfWork(intent=late, postponed=Postponement(0.0)))
    await house.passes(3_600)
    assert await house.queues("w2").abandoned_intents(10) == []


async def test_a_payment_is_booked_once_with_its_decision_or_not_at_all(house: House) -> None:
    view, case, approval = await opened(house)
    unit = replace(approving_unit(case, approval, view.now), intent=None, booking=Booking(an_intent(case), "r"))
    assert await house.store.commit(unit) is Commit.DONE
    assert await house.store.commit(UnitOfWork(booking=unit.booking)) is Commit.CONFLICT
