"""What an intent asks of Stripe, and what one of Stripe's refunds says of the intent."""

from typing import TypedDict

import stripe
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.values import Currency, PayoutMethod
from worker.adapters.payments.remote import Reference, quoted
from worker.adapters.payments.stripe_amounts import says_the_same
from worker.application.ports.payments import Payment, PaymentDeclined, PaymentPending
from worker.domain.intent import PaymentIntent

KEY_FIELD = "signoff_idempotency_key"
"""Where a refund's metadata say that it is ours, and which."""

_CHARGES = ("ch_", "py_")
_PAYMENT_INTENTS = ("pi_",)
_CURRENCY = TypeAdapter(Currency)
_GONE = ("failed", "canceled")


class RefundedPayment(TypedDict, total=False):
    """The payment that is given back, as Stripe's parameter: one of the two."""

    charge: str
    payment_intent: str


class NotAsAsked(Exception):
    """There is a refund, and it is not what we asked for, or cannot be read. Money may have moved: look at it."""


class _Refund(BaseModel):
    """What we read of Stripe's refund; amounts are as Stripe counts them."""

    id: Reference
    status: str | None
    amount: int
    currency: str
    failure_reason: str | None = None


def payment_of(intent: PaymentIntent) -> RefundedPayment:
    """The payment as Stripe's parameter. Raises PaymentDeclined: a person decides how the money goes back."""
    if intent.method is not PayoutMethod.ORIGINAL:
        raise PaymentDeclined(
            f"Stripe gives money back to where it came from only, not as {intent.method}; "
            "pay it by other means, or approve original_method"
        )
    reference = intent.payment_reference
    if reference is None:
        raise PaymentDeclined(
            f"order {intent.order_id} names no payment to give back; "
            "add its `payment_reference` (pi_… or ch_…) to the order"
        )
    if reference.startswith(_PAYMENT_INTENTS):
        return {"payment_intent": reference}
    if reference.startswith(_CHARGES):
        return {"charge": reference}
    raise PaymentDeclined(
        f"`payment_reference` of order {intent.order_id} is no payment of Stripe: it begins with pi_, ch_ or py_"
    )


def metadata_of(intent: PaymentIntent) -> dict[str, str]:
    return {KEY_FIELD: intent.idempotency_key, "case_id": str(intent.case_id), "order_id": intent.order_id}


def currency_in(paid: stripe.Charge | stripe.PaymentIntent) -> str:
    """By its ISO code. Raises ValidationError."""
    return _CURRENCY.validate_python(paid.currency.upper())


def is_of(refund: stripe.Refund, intent: PaymentIntent) -> bool:
    metadata = refund.metadata.to_dict() if refund.metadata else {}
    return bool(metadata.get(KEY_FIELD) == intent.idempotency_key)


def payment_in(answer: stripe.Refund, intent: PaymentIntent) -> Payment:
    """Raises PaymentDeclined, PaymentPending, or NotAsAsked.

    Stripe may add statuses; one that is not known here is not settled.
    """
    refund = _read(answer)
    if refund.status in _GONE:
        reason = quoted(refund.failure_reason or "Stripe gives no reason")
        raise PaymentDeclined(f"refund {refund.id} {refund.status}: {reason}")
    if not says_the_same(intent.amount, refund.amount, refund.currency):
        raise NotAsAsked(
            f"refund {refund.id} is of {refund.amount} {quoted(refund.currency)} as Stripe counts, "
            f"not of {intent.amount}; look at it in Stripe's dashboard"
        )
    if refund.status != "succeeded":
        raise PaymentPending(f"refund {refund.id} is {quoted(refund.status or 'not settled')}")
    return Payment(refund.id)


def _read(answer: stripe.Refund) -> _Refund:
    try:
        return _Refund.model_validate(answer.to_dict() if isinstance(answer, stripe.Refund) else answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise NotAsAsked(f"Stripe's answer is no refund: {where}: {first['msg']}") from error
