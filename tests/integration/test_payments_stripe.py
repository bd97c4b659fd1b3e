"""Refunds through Stripe's own library, against a provider with Stripe's manners that fails in every way it can."""

import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.values import Money, PayoutMethod
from tests.builders import an_intent, an_unopened_case, eur, usd
from tests.stack.payment_ledger import Captured, Entry, Fault, Ledger
from tests.stack.payment_provider import STRIPE_KEY, PaymentProvider, payment_provider, serving
from worker.adapters.payments.errors import PaymentsError
from worker.adapters.payments.stripe import StripePayments
from worker.adapters.payments.stripe_amounts import says_the_same, stripe_amount
from worker.application.ports.payments import (
    Payment,
    PaymentDeclined,
    PaymentPending,
    PaymentUnavailable,
    PaymentUncertain,
)
from worker.domain.intent import PaymentIntent

CASE = an_unopened_case(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
IMPATIENT_S = 1.0

PLAN = [
    (Fault.TIMEOUT, PaymentUncertain),
    (Fault.TIMEOUT_AFTER, PaymentUncertain),
    (Fault.SLOW, PaymentUncertain),
    (Fault.ERROR, PaymentUncertain),
    (Fault.ERROR_AFTER, PaymentUncertain),
    (Fault.RESET, PaymentUncertain),
    (Fault.RESET_AFTER, PaymentUncertain),
    (Fault.GARBAGE, PaymentUncertain),
    (Fault.WRONG_AMOUNT, PaymentUncertain),
    (Fault.RATE_LIMITED, PaymentUnavailable),
    (Fault.IN_PROGRESS, PaymentUnavailable),
]


def intent_of(payment_round: int = 1, **fields: Any) -> PaymentIntent:
    known = {"idempotency_key": f"signoff:{CASE.case_id}:{payment_round}", "payment_reference": "pi_1"}
    return an_intent(CASE, **{**known, **fields})


@pytest.fixture
async def provider() -> AsyncIterator[PaymentProvider]:
    """It knows a payment intent of 200.00 USD, and a charge of the same amount."""
    payments = {"pi_1": Captured(20_000, "USD"), "ch_1": Captured(20_000, "USD")}
    async with payment_provider(Ledger(payments=payments)) as provider:
        yield provider


@asynccontextmanager
async def stripe_of(provider: PaymentProvider, **options: Any) -> AsyncIterator[StripePayments]:
    known = {"api_key": STRIPE_KEY, "api_base": provider.address}
    async with aclosing(StripePayments(**{**known, **options})) as payments:
        yield payments


async def settled(payments: StripePayments, intent: PaymentIntent) -> Payment:
    """As the worker does it after a failure: look it up, and pay only what is not there."""
    return await payments.look_up(intent) or await payments.pay(intent)


@pytest.mark.parametrize("reference", ["pi_1", "ch_1"])
async def test_a_payment_is_given_back_to_where_it_came_from(provider: PaymentProvider, reference: str) -> None:
    async with stripe_of(provider) as payments:
        paid = await payments.pay(intent_of(payment_reference=reference))
    [entry] = provider.ledger.entries()
    assert (entry.reference, entry.payment_reference, entry.amount) == (paid.reference, reference, 15_000)
    assert (entry.order_id, entry.case_id) == ("ORD-1", str(CASE.case_id))


@pytest.mark.parametrize(("fault", "error"), PLAN, ids=[fault for fault, _ in PLAN])
async def test_whatever_fails_the_money_has_moved_once_in_the_end(
    provider: PaymentProvider, fault: Fault, error: type[Exception]
) -> None:
    provider.ledger.faults.append(fault)
    async with stripe_of(provider, time_limit_s=IMPATIENT_S) as payments:
        with pytest.raises(error):
            await payments.pay(intent_of())
    async with stripe_of(provider) as payments:
        paid = await settled(payments, intent_of())
    assert [(entry.reference, entry.amount) for entry in provider.ledger.entries()] == [(paid.reference, 15_000)]


async def test_a_refund_is_found_when_stripe_has_forgotten_the_key(provider: PaymentProvider) -> None:
    provider.ledger.faults.append(Fault.RESET_AFTER)
    async with stripe_of(provider) as payments:
        with pytest.raises(PaymentUncertain):
            await payments.pay(intent_of())
        provider.stripe.forget_keys()
        await settled(payments, intent_of())
    assert len(provider.ledger.entries()) == 1


async def test_an_error_that_stripe_remembers_ends_when_it_forgets_the_key(provider: PaymentProvider) -> None:
    provider.ledger.faults.append(Fault.REMEMBERED_ERROR)
    async with stripe_of(provider) as payments:
        for _ in range(2):
            with pytest.raises(PaymentUncertain, match="500"):
                await settled(payments, intent_of())
        provider.stripe.forget_keys()
        await settled(payments, intent_of())
    assert len(provider.ledger.entries()) == 1


async def test_ours_is_found_among_more_refunds_than_a_page_holds(provider: PaymentProvider) -> None:
    async with stripe_of(provider) as payments:
        ours = await payments.pay(intent_of(amount=usd(1)))
        for number in range(2, 105):
            provider.ledger.refund(Entry(f"re_{number}", f"other:{number}", "ORD-1", "", 1, "USD", "", "pi_1"), None)
        assert await payments.look_up(intent_of(amount=usd(1))) == ours
        assert await payments.look_up(intent_of(500)) is None


async def test_a_pending_refund_is_no_success_until_it_is_settled(provider: PaymentProvider) -> None:
    provider.ledger.faults.append(Fault.PENDING_THEN_SUCCEEDED)
    async with stripe_of(provider) as payments:
        with pytest.raises(PaymentPending, match="re_1 is pending"):
            await payments.pay(intent_of())
        with pytest.raises(PaymentPending):
            await payments.look_up(intent_of())
        assert await payments.look_up(intent_of()) == Payment("re_1")


async def test_a_refund_that_fails_after_all_says_why(provider: PaymentProvider) -> None:
    provider.ledger.faults.append(Fault.PENDING_THEN_FAILED)
    async with stripe_of(provider) as payments:
        with pytest.raises(PaymentPending):
            await payments.pay(intent_of())
        with pytest.raises(PaymentPending):
            await payments.look_up(intent_of())
        with pytest.raises(PaymentDeclined, match="re_1 failed: expired_or_canceled_card"):
            await payments.look_up(intent_of())


NO_ANSWERS = [
    b"null",
    b"[]",
    b"{}",
    b'"refund"',
    b"\xff\xfe",
    b'{"object": "list"}',
    b'{"object": "list", "data": null}',
    b'{"object": "list", "data": [null]}',
    b'{"object": "list", "data": [], "has_more": true}',
    b'{"object": "list", "data": [{"metadata": "none"}], "has_more": false}',
    b'{"object": "charge", "currency": ["usd"]}',
]


@pytest.mark.parametrize(
    "content",
    [
        *NO_ANSWERS,
        b'{"object": "refund", "id": "", "status": "succeeded", "amount": 15000, "currency": "usd"}',
        b'{"object": "refund", "id": "re_\\u0000", "status": "succeeded", "amount": 15000, "currency": "usd"}',
    ],
)
async def test_an_answer_that_is_no_refund_leaves_it_uncertain(
    provider: PaymentProvider, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    answer = Response(content, media_type="application/json")
    monkeypatch.setattr(provider.stripe, "_create", lambda *_: answer)
    async with stripe_of(provider) as payments:
        with pytest.raises(PaymentUncertain, match="no refund"):
            await payments.pay(intent_of())


@pytest.mark.parametrize("content", NO_ANSWERS)
async def test_an_answer_that_is_no_list_and_no_payment_says_nothing(content: bytes) -> None:
    async def answer(_: Request) -> Response:
        return Response(content, media_type="application/json")

    async with (
        serving(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])) as address,
        aclosing(StripePayments(STRIPE_KEY, api_base=address)) as payments,
    ):
        for call in (payments.pay, payments.look_up):
            with pytest.raises(PaymentUnavailable):
                await call(intent_of())


async def test_what_stripe_says_is_repeated_as_text_that_can_be_stored(
    provider: PaymentProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL stores no NUL: a reason with one could never be recorded, and the case would never end."""
    refund = {"object": "refund", "id": "re_1", "status": "failed", "amount": 15_000, "currency": "usd"}
    answer = JSONResponse({**refund, "failure_reason": "lost\0 \x1b[2J\u202ecard"})
    monkeypatch.setattr(provider.stripe, "_create", lambda *_: answer)
    async with stripe_of(provider) as payments:
        with pytest.raises(PaymentDeclined) as declined:
            await payments.pay(intent_of())
    assert str(declined.value) == "refund re_1 failed: lost [2Jcard"


async def test_a_refund_of_another_amount_under_our_key_is_neither_paid_again_nor_taken_for_ours(
    provider: PaymentProvider,
) -> None:
    async with stripe_of(provider) as payments:
        await payments.pay(intent_of())
        provider.ledger.entries()[0].amount = 1_500
        with pytest.raises(PaymentUnavailable, match="look at it in Stripe's dashboard"):
            await payments.look_up(intent_of())


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"payment_reference": None}, "order ORD-1 names no payment to give back; add its `payment_reference`"),
        ({"payment_reference": "inv_7"}, "is no payment of Stripe: it begins with pi_, ch_ or py_"),
        ({"method": PayoutMethod.STORE_CREDIT}, "not as store_credit"),
        ({"payment_reference": "pi_unknown"}, "No such payment: 'pi_unknown'"),
        ({"amount": eur(15_000)}, "pi_1 was paid in USD, not in EUR"),
        ({"amount": usd(20_001)}, "greater than what is left"),
        ({"amount": Money(amount_minor=1_005, currency="KWD")}, "0 as the last digit only"),
    ],
)
async def test_what_cannot_be_refunded_is_declined_with_what_to_do(
    provider: PaymentProvider, fields: dict[str, Any], told: str
) -> None:
    async with stripe_of(provider) as payments:
        with pytest.raises(PaymentDeclined, match=told):
            await payments.pay(intent_of(**fields))
    assert provider.ledger.entries() == []


async def test_a_second_refund_of_the_whole_is_declined(provider: PaymentProvider) -> None:
    async with stripe_of(provider) as payments:
        await payments.pay(intent_of(1, amount=usd(20_000)))
        with pytest.raises(PaymentDeclined, match="already been refunded"):
            await payments.pay(intent_of(2))


async def test_a_key_that_stripe_does_not_accept_is_never_repeated(provider: PaymentProvider) -> None:
    secret = "sk_live_of_nobody"  # noqa: S105 - nobody's
    async with stripe_of(provider, api_key=secret) as payments:
        for call in (payments.pay, payments.look_up):
            with pytest.raises(PaymentUnavailable, match="check SIGNOFF_STRIPE_API_KEY") as refused:
                await call(intent_of())
            assert secret not in "".join(traceback.format_exception(refused.value))
        assert secret not in repr(payments)


async def test_without_a_key_nothing_is_called() -> None:
    with pytest.raises(PaymentsError, match="set SIGNOFF_STRIPE_API_KEY"):
        StripePayments(" ")


async def test_a_provider_that_is_away_took_nothing() -> None:
    async with payment_provider() as provider:
        pass
    async with stripe_of(provider) as payments:
        for call in (payments.pay, payments.look_up):
            with pytest.raises(PaymentUnavailable, match="ConnectError"):
                await call(intent_of())


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.ERROR, Fault.RESET, Fault.GARBAGE, Fault.RATE_LIMITED])
async def test_a_look_up_that_fails_says_nothing(provider: PaymentProvider, fault: Fault) -> None:
    provider.ledger.look_up_faults.append(fault)
    async with stripe_of(provider, time_limit_s=IMPATIENT_S) as payments:
        with pytest.raises(PaymentUnavailable):
            await payments.look_up(intent_of())


async def test_a_payment_that_the_account_does_not_know_is_no_proof_that_nothing_was_paid(
    provider: PaymentProvider,
) -> None:
    provider.ledger.payments.clear()
    async with stripe_of(provider) as payments:
        with pytest.raises(PaymentUnavailable, match="No such payment"):
            await payments.look_up(intent_of())


@pytest.mark.parametrize(
    ("money", "amount"),
    [
        (usd(15_000), 15_000),
        (Money(amount_minor=500, currency="JPY"), 500),
        (Money(amount_minor=5_120, currency="KWD"), 5_120),
        (Money(amount_minor=5, currency="ISK"), 500),
        (Money(amount_minor=500, currency="MGA"), 5),
    ],
)
def test_an_amount_is_counted_as_stripe_counts_it(money: Money, amount: int) -> None:
    assert stripe_amount(money) == amount
    assert says_the_same(money, amount, money.currency.lower())


@pytest.mark.parametrize(("amount_minor", "currency"), [(1_001, "KWD"), (550, "MGA"), (5, "UGX")])
def test_an_amount_that_stripe_cannot_say_is_declined(amount_minor: int, currency: str) -> None:
    with pytest.raises(PaymentDeclined, match=currency):
        stripe_amount(Money(amount_minor=amount_minor, currency=currency))
