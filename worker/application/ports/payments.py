"""The payment port: the one place where money leaves."""

from dataclasses import dataclass
from typing import Protocol

from worker.application.unit_of_work import Booking
from worker.domain.resolution import Intent


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that took effect. `reference` is the provider's own id of it."""

    reference: str


class Payments(Protocol):
    """`pay` must be safe to repeat with the same idempotency key: the second call changes nothing and answers alike.

    `pay` raises PaymentDeclined, PaymentUnavailable or PaymentUncertain. `look_up` answers whether a payment with
    that key took effect (None: it did not), and raises PaymentUnavailable when it cannot say.
    """

    async def pay(self, intent: Intent) -> Payment: ...

    async def look_up(self, idempotency_key: str) -> Payment | None: ...


class Books(Protocol):
    """A ledger that lives in the store. Where there is one, nothing can come between a decision and its payment."""

    def book(self, intent: Intent) -> Booking: ...


class PaymentDeclined(Exception):
    """The provider said no, and will say so again: nothing moved."""


class PaymentUnavailable(Exception):
    """The provider was not reached or refused to work: nothing moved; try again later."""


class PaymentUncertain(Exception):
    """No answer came: money may have moved. It must be looked up before anything else is done."""
