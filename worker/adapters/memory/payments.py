"""A payment provider in memory: honours idempotency keys for ever, and fails when it is told to."""

from collections import deque
from enum import StrEnum

from worker.application.ports.payments import Payment, PaymentDeclined, PaymentUnavailable, PaymentUncertain
from worker.application.unit_of_work import Booking
from worker.domain.intent import PaymentIntent


class Fault(StrEnum):
    """What becomes of one call of `pay`."""

    DECLINED = "declined"
    UNAVAILABLE = "unavailable"
    LOST_REQUEST = "lost request"
    """No answer came, and nothing moved."""
    LOST_ANSWER = "lost answer"
    """No answer came, but the money moved."""


class MemoryPayments:
    """`entries` is the provider's own ledger. The next calls of `pay` meet `faults`, one each; `calls` is every call
    in order, as ("pay" or "look_up", idempotency key)."""

    def __init__(self) -> None:
        self.entries: dict[str, PaymentIntent] = {}
        self.faults: deque[Fault] = deque()
        self.blind = False
        """While it is set, `look_up` cannot say anything."""
        self.returned: set[str] = set()
        """The keys of payments that were made, and came back later."""
        self.calls: list[tuple[str, str]] = []

    async def pay(self, intent: PaymentIntent) -> Payment:
        self.calls.append(("pay", intent.idempotency_key))
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.DECLINED and intent.idempotency_key not in self.entries:
            raise PaymentDeclined("the account of the customer is closed")
        if fault is Fault.UNAVAILABLE:
            raise PaymentUnavailable("the provider is under maintenance")
        if fault is Fault.LOST_REQUEST:
            raise PaymentUncertain("no answer in time")
        payment = self._enter(intent)
        if fault is Fault.LOST_ANSWER:
            raise PaymentUncertain("no answer in time")
        return payment

    async def look_up(self, intent: PaymentIntent) -> Payment | None:
        key = intent.idempotency_key
        self.calls.append(("look_up", key))
        if self.blind:
            raise PaymentUnavailable("the provider is under maintenance")
        if key in self.returned:
            raise PaymentDeclined("the account of the customer is closed")
        return _payment(key) if key in self.entries else None

    def paid_minor(self, order_id: str) -> int:
        """What went back of an order, in minor units."""
        return sum(entry.amount.amount_minor for entry in self.entries.values() if entry.order_id == order_id)

    def _enter(self, intent: PaymentIntent) -> Payment:
        """As providers do: the same key with other parameters is an error, not a second payment."""
        entry = self.entries.setdefault(intent.idempotency_key, intent)
        if (entry.order_id, entry.amount) != (intent.order_id, intent.amount):
            raise PaymentDeclined(f"{intent.idempotency_key} was used before for another payment")
        return _payment(intent.idempotency_key)


class MemoryBooks:
    """A ledger in the store: what it books is written by the commit that decides it, or not at all."""

    def book(self, intent: PaymentIntent) -> Booking:
        return Booking(intent, _payment(intent.idempotency_key).reference)


def _payment(idempotency_key: str) -> Payment:
    return Payment(f"memory-{idempotency_key}")
