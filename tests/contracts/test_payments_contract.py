"""What every payments port promises: the fake and our own ledger. Money moves once for one idempotency key."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from schemas.values import PayoutMethod
from tests.builders import an_intent, an_unopened_case, eur, usd
from worker.adapters.memory.payments import Fault, MemoryPayments
from worker.adapters.payments.ledger import Ledger
from worker.adapters.postgres.migrator import migrate
from worker.adapters.postgres.pool import make_pool
from worker.application.ports.payments import (
    Payment,
    PaymentDeclined,
    Payments,
    PaymentUnavailable,
    PaymentUncertain,
)
from worker.domain.intent import PaymentIntent

CASE = an_unopened_case(datetime(2026, 1, 5, 9, 0, tzinfo=UTC), case_id=UUID(int=7))


def intent_of(payment_round: int = 1, **fields: Any) -> PaymentIntent:
    return an_intent(CASE, **{"idempotency_key": f"signoff:{CASE.case_id}:{payment_round}", **fields})


@pytest.fixture
async def memory_payments() -> MemoryPayments:
    return MemoryPayments()


@pytest.fixture
async def ledger_payments(database: str) -> AsyncIterator[Ledger]:
    await migrate(database)
    pool = make_pool(database, size=4)
    await pool.open(wait=True)
    yield Ledger(pool)
    await pool.close()


@pytest.fixture(params=["memory", pytest.param("ledger", marks=pytest.mark.services)])
def payments(request: pytest.FixtureRequest) -> Payments:
    chosen: Payments = request.getfixturevalue(f"{request.param}_payments")
    return chosen


async def test_what_was_not_paid_is_not_found(payments: Payments) -> None:
    assert await payments.look_up(intent_of().idempotency_key) is None


async def test_a_payment_is_found_by_its_key_with_the_same_reference(payments: Payments) -> None:
    paid = await payments.pay(intent_of())
    assert paid.reference
    assert await payments.look_up(intent_of().idempotency_key) == paid


async def test_the_same_key_again_answers_alike(payments: Payments) -> None:
    assert await payments.pay(intent_of()) == await payments.pay(intent_of(attempts=1))


async def test_the_same_key_many_times_at_once_answers_alike(payments: Payments) -> None:
    answers = await asyncio.gather(*(payments.pay(intent_of()) for _ in range(20)))
    assert len(set(answers)) == 1


async def test_another_round_is_another_payment(payments: Payments) -> None:
    assert await payments.pay(intent_of(1)) != await payments.pay(intent_of(2))


@pytest.mark.parametrize("other", [{"amount": usd(15_001)}, {"amount": eur(15_000)}, {"order_id": "ORD-2"}])
async def test_the_same_key_for_another_payment_is_declined(payments: Payments, other: dict[str, Any]) -> None:
    paid = await payments.pay(intent_of())
    with pytest.raises(PaymentDeclined, match="used before"):
        await payments.pay(intent_of(**other))
    assert await payments.look_up(intent_of().idempotency_key) == paid


async def test_a_decline_does_not_touch_those_who_pay_at_the_same_time(payments: Payments) -> None:
    await payments.pay(intent_of(1))
    wanted = [intent_of(1, amount=usd(1)), intent_of(2), intent_of(3, method=PayoutMethod.STORE_CREDIT)]
    answers = await asyncio.gather(*(payments.pay(intent) for intent in wanted), return_exceptions=True)
    assert [type(answer) for answer in answers] == [PaymentDeclined, Payment, Payment]


async def test_a_ledger_that_cannot_be_reached_is_uncertain_when_it_pays_and_says_nothing_when_it_is_asked(
    database: str,
) -> None:
    await migrate(database)
    pool = make_pool(database, size=4)
    await pool.open(wait=True)
    await pool.close()
    ledger = Ledger(pool)
    with pytest.raises(PaymentUncertain):
        await ledger.pay(intent_of())
    with pytest.raises(PaymentUnavailable):
        await ledger.look_up(intent_of().idempotency_key)


@pytest.mark.parametrize(
    ("fault", "error", "moved"),
    [
        (Fault.DECLINED, PaymentDeclined, False),
        (Fault.UNAVAILABLE, PaymentUnavailable, False),
        (Fault.LOST_REQUEST, PaymentUncertain, False),
        (Fault.LOST_ANSWER, PaymentUncertain, True),
    ],
)
async def test_a_planned_fault_does_what_its_name_says(fault: Fault, error: type[Exception], moved: bool) -> None:
    payments = MemoryPayments()
    payments.faults.append(fault)
    with pytest.raises(error):
        await payments.pay(intent_of())
    assert (await payments.look_up(intent_of().idempotency_key) is not None) is moved
    assert isinstance(await payments.pay(intent_of()), Payment)
