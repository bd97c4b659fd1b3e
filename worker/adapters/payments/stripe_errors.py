"""What the errors of Stripe's library mean for money: it did not move, or nobody knows.

Source: https://docs.stripe.com/error-handling and https://docs.stripe.com/error-low-level. Texts of Stripe are
repeated where they say why a refund is impossible; those about the key are not.
"""

import stripe

from worker.adapters.payments.remote import NEVER_SENT, quoted
from worker.application.ports.payments import PaymentDeclined, PaymentUnavailable, PaymentUncertain

_CONFLICT = 409


def refund_error(error: stripe.StripeError, idempotency_key: str) -> Exception:
    """What to raise when the request for a refund ended with `error`."""
    if isinstance(error, stripe.IdempotencyError):
        return PaymentDeclined(f"{idempotency_key} was used before for another payment: {said_in(error)}")
    if isinstance(error, stripe.CardError | stripe.InvalidRequestError):
        return PaymentDeclined(f"Stripe declined the refund: {said_in(error)}")
    if _nothing_was_done(error):
        return PaymentUnavailable(problem(error))
    return PaymentUncertain(problem(error))


def problem(error: stripe.StripeError) -> str:
    """Why Stripe gave no answer, and what to look at."""
    if isinstance(error, stripe.AuthenticationError):
        return "Stripe does not accept the API key; check SIGNOFF_STRIPE_API_KEY"
    if isinstance(error, stripe.PermissionError):
        return (
            "the key in SIGNOFF_STRIPE_API_KEY lacks a permission; "
            "a restricted key needs to write refunds and to read charges and payment intents"
        )
    if isinstance(error, stripe.RateLimitError):
        return "Stripe limits the rate of requests"
    if isinstance(error, stripe.APIConnectionError):
        return f"Stripe cannot be reached: {said_in(error)}"
    return f"Stripe answered {error.http_status or 'what cannot be read'}: {said_in(error)}"


def said_in(error: stripe.StripeError) -> str:
    """Stripe's own words."""
    return quoted(error.user_message or "no reason given")


def _nothing_was_done(error: stripe.StripeError) -> bool:
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError | stripe.RateLimitError):
        return True
    if isinstance(error, stripe.APIConnectionError):
        return isinstance(error.__cause__, NEVER_SENT)
    # A request with the same key, or one on the same payment, is under way.
    return error.http_status == _CONFLICT
