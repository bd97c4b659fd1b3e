"""The payment port: the one place where money leaves."""

from dataclasses import dataclass
from typing import Protocol

from worker.application.unit_of_work import Booking
from worker.domain.intent import PaymentIntent


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that took effect. `reference` is the provider's own id of it."""

    reference: str


class Payments(Protocol):
    """`pay` must be safe to repeat with the same idempotency key: the second call changes nothing and answers alike.

    `pay` raises PaymentDeclined, PaymentUnavailable, PaymentUncertain, or PaymentPending. `look_up` answers whether
    the payment with the intent's key took effect (None: it did not, and `pay` may be called). It raises
    PaymentUnavailable when it cannot say, PaymentPending, and PaymentDeclined when it was made and then failed.
    """

    async def pay(self, intent: PaymentIntent) -> Payment: ...

    async def look_up(self, intent: PaymentIntent) -> Payment | None: ...


class Books(Protocol):
    """A ledger that lives in the store. Where there is one, nothing can come between a decision and its payment."""

    def book(self, intent: PaymentIntent) -> Booking: ...


class PaymentDeclined(Exception):
    """The provider said no, and will say so again: nothing moved."""


class PaymentUnavailable(Exception):
    """The provider was not reached or refused to work: nothing moved; try again later."""


class PaymentUncertain(Exception):
    """No answer came: money may have moved. It must be looked up before anything else is done."""


class PaymentPending(Exception):
    """The provider has accepted the payment, and it is not settled: it is no success yet. Look it up later."""
