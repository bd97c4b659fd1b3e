"""Whatever a provider does, in whatever order: the worker's way of asking moves the money of one key once."""

import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.builders import an_intent, an_unopened_case, usd
from tests.stack.payment_ledger import Captured, Fault, Ledger
from tests.stack.payment_provider import STRIPE_KEY, TOKEN, PaymentProvider, payment_provider
from worker.adapters.payments.http import HttpPayments
from worker.adapters.payments.stripe import StripePayments
from worker.application.ports.payments import (
    Payment,
    PaymentDeclined,
    PaymentPending,
    Payments,
    PaymentUnavailable,
    PaymentUncertain,
)
from worker.domain.intent import PaymentIntent

CAPTURED = 3_000
SCHEDULES = 25
TRIES = 40

QUICK = [fault for fault in Fault if fault not in (Fault.TIMEOUT, Fault.TIMEOUT_AFTER, Fault.SLOW)]
"""Those that take no time: the others leave the same behind as RESET and RESET_AFTER."""

UNSEEING = [Fault.ERROR, Fault.RESET, Fault.RATE_LIMITED, Fault.GARBAGE]


@pytest.fixture
async def provider() -> AsyncIterator[PaymentProvider]:
    async with payment_provider(Ledger(unregistered=Captured(CAPTURED, "USD"))) as provider:
        yield provider


def intent_of(schedule: int, payment_round: int) -> PaymentIntent:
    """Every schedule has an order and a payment of its own."""
    case = an_unopened_case(datetime(2026, 1, 5, 9, 0, tzinfo=UTC), case_id=UUID(int=schedule))
    key = f"signoff:{case.case_id}:{payment_round}"
    return an_intent(case, idempotency_key=key, payment_reference=f"pi_{schedule}", amount=usd(2_000))


async def tried(payments: Payments, intent: PaymentIntent, attempt: int) -> Payment | PaymentDeclined | None:
    """One try as the worker makes it; None: it has to try again."""
    try:
        return (await payments.look_up(intent) if attempt else None) or await payments.pay(intent)
    except PaymentDeclined as declined:
        return declined
    except (PaymentPending, PaymentUnavailable, PaymentUncertain):
        return None


@pytest.mark.parametrize("adapter", ["stripe", "http"])
async def test_any_schedule_of_faults_moves_the_money_of_one_key_once(provider: PaymentProvider, adapter: str) -> None:
    ends: set[type[object]] = set()
    chosen = (
        StripePayments(STRIPE_KEY, api_base=provider.address)
        if adapter == "stripe"
        else HttpPayments(provider.address, TOKEN)
    )
    async with aclosing(chosen) as payments:
        for schedule in range(1, SCHEDULES + 1):
            chance = random.Random(schedule)  # noqa: S311 - the same faults in every run
            provider.ledger.faults.extend(chance.choices([None, *QUICK], k=chance.randrange(6)))
            provider.ledger.look_up_faults.extend(chance.choices([None, *UNSEEING], k=chance.randrange(6)))
            for payment_round in (1, 2):
                intent = intent_of(schedule, payment_round)
                end = await _end(payments, intent, provider, chance)
                made = [entry for entry in provider.ledger.entries() if entry.idempotency_key == intent.idempotency_key]
                assert len(made) <= 1, schedule
                moved = [entry.reference for entry in made if entry.status == "succeeded"]
                assert moved == ([end.reference] if isinstance(end, Payment) else []), schedule
                ends.add(type(end))
            assert provider.ledger.given_back(f"pi_{schedule}") <= CAPTURED, schedule
            provider.ledger.faults.clear()
            provider.ledger.look_up_faults.clear()
    assert ends == {Payment, PaymentDeclined}


async def _end(
    payments: Payments, intent: PaymentIntent, provider: PaymentProvider, chance: random.Random
) -> Payment | PaymentDeclined:
    for attempt in range(TRIES):
        end = await tried(payments, intent, attempt)
        if end is not None:
            return end
        if chance.random() < 0.5:
            provider.stripe.forget_keys()
    raise AssertionError(f"{intent.idempotency_key} came to no end")
