"""Refunds through Stripe.

Two things make a refund safe to repeat. The idempotency key goes into the header, which Stripe honours for at least
24 hours; and into the refund's metadata, where `look_up` finds it for ever: an approval may outlive the header's key.
A settled refund can still fail days later: Stripe says so by a webhook, see `worker/entrypoints/provider_webhooks.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import stripe
from stripe.params import RefundCreateParams, RefundListParams

from worker.adapters.payments.errors import PaymentsError
from worker.adapters.payments.stripe_amounts import stripe_amount
from worker.adapters.payments.stripe_connection import StripeConnection
from worker.adapters.payments.stripe_errors import problem, refund_error, said_in
from worker.adapters.payments.stripe_refunds import (
    NotAsAsked,
    RefundedPayment,
    currency_in,
    is_of,
    metadata_of,
    payment_in,
    payment_of,
)
from worker.application.ports.payments import (
    Payment,
    PaymentDeclined,
    PaymentUnavailable,
    PaymentUncertain,
)
from worker.domain.intent import PaymentIntent

TIME_LIMIT_S = 20.0
"""For one request and its whole answer. Refunds of some payment methods take Stripe seconds."""

_PAGE = 100

Answer = TypeVar("Answer")


class StripePayments:
    """Gives back `intent.payment_reference`, a payment intent (pi_…) or a charge (ch_…, py_…), to where it came from.

    `api_base` is another address of the API, for tests. Connections are kept and shared; `aclose` ends them.
    """

    def __init__(self, api_key: str, *, api_base: str | None = None, time_limit_s: float = TIME_LIMIT_S) -> None:
        if not api_key.strip():
            raise PaymentsError("Stripe needs an API key: set SIGNOFF_STRIPE_API_KEY")
        self._time_limit_s = time_limit_s
        self._connection = StripeConnection(time_limit_s)
        # The worker retries itself, and looks the refund up first: the library must not.
        client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            http_client=self._connection,
            max_network_retries=0,
        )
        self._refunds = client.v1.refunds
        self._charges = client.v1.charges
        self._payment_intents = client.v1.payment_intents

    async def aclose(self) -> None:
        await self._connection.close_async()

    async def pay(self, intent: PaymentIntent) -> Payment:
        payment = payment_of(intent)
        amount = stripe_amount(intent.amount)
        await self._check_currency(payment, intent)
        try:
            refund = await self._timed(self._refund(payment, amount, intent))
        except TimeoutError as error:
            raise PaymentUncertain(f"Stripe gave no answer within {self._time_limit_s:g} s") from error
        except stripe.StripeError as error:
            raise refund_error(error, intent.idempotency_key) from error
        except Exception as error:  # what the library raises when it reads an answer that is none
            raise PaymentUncertain(f"Stripe's answer is no refund: {type(error).__name__}") from error
        try:
            return payment_in(refund, intent)
        except NotAsAsked as error:
            raise PaymentUncertain(str(error)) from error

    async def look_up(self, intent: PaymentIntent) -> Payment | None:
        try:
            payment = payment_of(intent)
            stripe_amount(intent.amount)
        except PaymentDeclined:
            return None  # `pay` declined it before it asked Stripe for anything
        refund = await self._asked(lambda: self._find(payment, intent))
        if refund is None:
            return None
        try:
            return payment_in(refund, intent)
        except NotAsAsked as error:
            raise PaymentUnavailable(str(error)) from error

    async def _check_currency(self, payment: RefundedPayment, intent: PaymentIntent) -> None:
        """A refund has the currency of its payment, whatever ours says: 150.00 EUR must not become 150.00 USD."""
        currency = await self._asked(lambda: self._currency_of(payment), unknown=PaymentDeclined)
        if currency != intent.amount.currency:
            raise PaymentDeclined(f"{intent.payment_reference} was paid in {currency}, not in {intent.amount.currency}")

    async def _refund(self, payment: RefundedPayment, amount: int, intent: PaymentIntent) -> stripe.Refund:
        params = {**payment, "amount": amount, "metadata": metadata_of(intent)}
        return await self._refunds.create_async(
            cast("RefundCreateParams", params), {"idempotency_key": intent.idempotency_key}
        )

    async def _currency_of(self, payment: RefundedPayment) -> str:
        if "charge" in payment:
            return currency_in(await self._charges.retrieve_async(payment["charge"]))
        return currency_in(await self._payment_intents.retrieve_async(payment["payment_intent"]))

    async def _find(self, payment: RefundedPayment, intent: PaymentIntent) -> stripe.Refund | None:
        """Stripe's lists are up to date at once; its search is not."""
        page = await self._refunds.list_async(cast("RefundListParams", {**payment, "limit": _PAGE}))
        async for refund in page.auto_paging_iter():
            if is_of(refund, intent):
                return refund
        return None

    async def _asked(
        self, question: Callable[[], Awaitable[Answer]], *, unknown: type[Exception] = PaymentUnavailable
    ) -> Answer:
        """The answer to a request that only reads. `unknown` is raised where Stripe knows no such payment."""
        try:
            return await self._timed(question())
        except TimeoutError as error:
            raise PaymentUnavailable(f"Stripe gave no answer within {self._time_limit_s:g} s") from error
        except stripe.InvalidRequestError as error:
            raise unknown(f"Stripe: {said_in(error)}") from error
        except stripe.StripeError as error:
            raise PaymentUnavailable(problem(error)) from error
        except Exception as error:  # what the library raises when it reads an answer that is none
            raise PaymentUnavailable(f"Stripe's answer cannot be read: {type(error).__name__}") from error

    async def _timed(self, request: Awaitable[Answer]) -> Answer:
        async with asyncio.timeout(self._time_limit_s):
            return await request
