"""What a payment service's answers say, as docs/payments-openapi.yaml has them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.strict_json import Refused, parse_json
from schemas.values import Money
from worker.adapters.payments.remote import Reference, quoted
from worker.application.ports.payments import Payment, PaymentDeclined, PaymentPending
from worker.domain.intent import PaymentIntent


class Contradiction(Exception):
    """The answer is not about the payment that was asked for, or cannot be read."""


class _Payment(BaseModel):
    model_config = ConfigDict(extra="ignore")

    idempotency_key: str
    reference: Reference
    status: Literal["succeeded", "pending", "failed"]
    amount: Money
    reason: str | None = None


class _Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="ignore")

    title: str = Field(default="", max_length=10_000)
    detail: str = Field(default="", max_length=10_000)


def payment_in(content: bytes, intent: PaymentIntent) -> Payment:
    """Raises PaymentDeclined, PaymentPending, or Contradiction."""
    try:
        payment = _Payment.model_validate(parse_json(content))
    except Refused as refused:  # a field that stands there twice among others: who is paid must not hang on the reader
        raise Contradiction(f"the answer is no payment: {refused.detail}") from refused
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Contradiction(f"the answer is no payment: {where}: {first['msg']}") from error
    if payment.idempotency_key != intent.idempotency_key:
        raise Contradiction(f"the answer is about another payment than {intent.idempotency_key}")
    if payment.status == "failed":
        raise PaymentDeclined(f"payment {payment.reference} failed: {quoted(payment.reason or 'no reason given')}")
    if payment.amount != intent.amount:
        raise Contradiction(f"payment {payment.reference} is of {payment.amount}, not of {intent.amount}")
    if payment.status == "pending":
        raise PaymentPending(f"payment {payment.reference} is pending")
    return Payment(payment.reference)


def problem_in(content: bytes) -> str:
    """Why the service refused, in its words."""
    try:
        problem = _Problem.model_validate_json(content)
    except ValidationError:
        return "the payment service gave no reason"
    return quoted(problem.detail or problem.title or "the payment service gave no reason")
