"""What every payments port promises: the fake, our own ledger, a service over HTTP, Stripe. Money moves once for one
idempotency key.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.builders import an_intent, an_unopened_case, eur, usd
from tests.stack.payment_ledger import Captured, Ledger
from tests.stack.payment_provider import STRIPE_KEY, TOKEN, PaymentProvider, payment_provider
from worker.adapters.memory.payments import Fault, MemoryPayments
from worker.adapters.payments.http import HttpPayments
from worker.adapters.payments.ledger import Ledger as OwnLedger
from worker.adapters.payments.stripe import StripePayments
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
    """A provider knows one payment of the order in each currency."""
    currency = fields.get("amount", usd(1)).currency
    known = {"idempotency_key": f"signoff:{CASE.case_id}:{payment_round}", "payment_reference": f"pi_{currency}"}
    return an_intent(CASE, **{**known, **fields})


@pytest.fixture
async def memory_payments() -> MemoryPayments:
    return MemoryPayments()


@pytest.fixture
async def ledger_payments(database: str) -> AsyncIterator[OwnLedger]:
    await migrate(database)
    pool = make_pool(database, size=4)
    await pool.open(wait=True)
    yield OwnLedger(pool)
    await pool.close()


@pytest.fixture
async def provider() -> AsyncIterator[PaymentProvider]:
    ledger = Ledger(payments={"pi_USD": Captured(1_000_000, "USD"), "pi_EUR": Captured(1_000_000, "EUR")})
    async with payment_provider(ledger) as provider:
        yield provider


@pytest.fixture
async def http_payments(provider: PaymentProvider) -> AsyncIterator[HttpPayments]:
    async with aclosing(HttpPayments(provider.address, TOKEN)) as payments:
        yield payments


@pytest.fixture
async def stripe_payments(provider: PaymentProvider) -> AsyncIterator[StripePayments]:
    async with aclosing(StripePayments(STRIPE_KEY, api_base=provider.address)) as payments:
        yield payments


@pytest.fixture(params=["memory", pytest.param("ledger", marks=pytest.mark.services), "http", "stripe"])
def payments(request: pytest.FixtureRequest) -> Payments:
    chosen: Payments = request.getfixturevalue(f"{request.param}_payments")
    return chosen


async def test_what_was_not_paid_is_not_found(payments: Payments) -> None:
    assert await payments.look_up(intent_of()) is None


async def test_a_payment_is_found_by_its_key_with_the_same_reference(payments: Payments) -> None:
    paid = await payments.pay(intent_of())
    assert paid.reference
    assert await payments.look_up(intent_of()) == paid


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
    assert await payments.look_up(intent_of()) == paid


async def test_a_decline_does_not_touch_those_who_pay_at_the_same_time(payments: Payments) -> None:
    await payments.pay(intent_of(1))
    wanted = [intent_of(1, amount=usd(1)), intent_of(2), intent_of(3, amount=usd(2))]
    answers = await asyncio.gather(*(payments.pay(intent) for intent in wanted), return_exceptions=True)
    assert [type(answer) for answer in answers] == [PaymentDeclined, Payment, Payment]


async def test_a_ledger_that_cannot_be_reached_is_uncertain_when_it_pays_and_says_nothing_when_it_is_asked(
    database: str,
) -> None:
    await migrate(database)
    pool = make_pool(database, size=4)
    await pool.open(wait=True)
    await pool.close()
    ledger = OwnLedger(pool)
    with pytest.raises(PaymentUncertain):
        await ledger.pay(intent_of())
    with pytest.raises(PaymentUnavailable):
        await ledger.look_up(intent_of())


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
    assert (await payments.look_up(intent_of()) is not None) is moved
    assert isinstance(await payments.pay(intent_of()), Payment)
