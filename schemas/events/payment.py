"""What a payment provider says of a payment long after it accepted it."""

from typing import ClassVar

from schemas.events.event import Event
from schemas.values import Identifier, Text


class PaymentFailed(Event):
    """A payment that counted as made did not arrive, and the money is back with the merchant.

    A refund can fail days later: the customer's card was closed, the bank sent the money back. `idempotency_key` is
    the one under which Signoff asked for the payment, `payment_reference` the provider's own id of it. `reported_by`
    is who says so, such as `provider:stripe`. A provider may report one failure several times, as several events.
    """

    TYPE: ClassVar[str] = "signoff.payment.failed.v1"

    idempotency_key: Identifier
    payment_reference: Identifier
    reason: Text = ""
    provider: Identifier
    reported_by: Identifier | None = None
