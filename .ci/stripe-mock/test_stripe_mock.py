# ruff: noqa: S101 - assert is how a test speaks
"""The Stripe adapter against stripe-mock, whose address is in STRIPE_MOCK. `.ci/stripe-mock/run` starts both.

stripe-mock keeps nothing: whatever is asked for, it answers with a fixture that repeats some of the request. So these
tests show that Stripe would accept each request, and that its answers can be read; what becomes of money is shown by
tests/integration/test_payments_stripe.py.
"""

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from schemas.values import Money
from tests.builders import an_intent, an_unopened_case, usd
from worker.adapters.payments.stripe import StripePayments
from worker.application.ports.payments import PaymentDeclined, PaymentUnavailable
from worker.domain.intent import PaymentIntent

ADDRESS = os.environ["STRIPE_MOCK"]
CASE = an_unopened_case(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))


def intent_of(**fields: Any) -> PaymentIntent:
    return an_intent(CASE, **{"payment_reference": "pi_1", **fields})


@pytest.fixture
async def payments() -> AsyncIterator[StripePayments]:
    async with aclosing(StripePayments("sk_test_123", api_base=ADDRESS)) as payments:
        yield payments


@pytest.mark.parametrize("reference", ["pi_1", "ch_1", "py_1"])
async def test_a_refund_is_accepted_and_its_answer_read(payments: StripePayments, reference: str) -> None:
    paid = await payments.pay(intent_of(payment_reference=reference, amount=usd(1_234)))
    assert paid.reference.startswith("re_")


@pytest.mark.parametrize("reference", ["pi_1", "ch_1"])
async def test_a_look_up_is_accepted_and_a_refund_without_our_key_is_not_ours(
    payments: StripePayments, reference: str
) -> None:
    assert await payments.look_up(intent_of(payment_reference=reference)) is None


async def test_the_longest_ids_fit_into_metadata_and_header(payments: StripePayments) -> None:
    assert await payments.pay(intent_of(order_id="O" * 200, idempotency_key="k" * 255))


async def test_the_currency_of_the_payment_is_read(payments: StripePayments) -> None:
    with pytest.raises(PaymentDeclined, match="was paid in USD, not in JPY"):
        await payments.pay(intent_of(amount=Money(amount_minor=1, currency="JPY")))


async def test_a_key_that_is_none_is_the_operators_business() -> None:
    async with aclosing(StripePayments("nonsense", api_base=ADDRESS)) as payments:
        with pytest.raises(PaymentUnavailable, match="check SIGNOFF_STRIPE_API_KEY"):
            await payments.pay(intent_of())


async def test_a_request_that_does_not_fit_the_document_would_be_refused() -> None:
    async with httpx.AsyncClient(base_url=ADDRESS, auth=("sk_test_123", "")) as client:
        answer = await client.post("/v1/refunds", data={"payment_intent": "pi_1", "amont": "1"})
    assert answer.status_code == 400
