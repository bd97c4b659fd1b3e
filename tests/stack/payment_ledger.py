"""What a payment provider knows: the payments that can be given back, and what became of each refund.

`entries` is the truth that tests compare with. Amounts are as the provider counts them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """What becomes of one request. Those "after" happen when the money has moved, the others before."""

    TIMEOUT = "timeout"
    TIMEOUT_AFTER = "timeout-after"
    ERROR = "error"
    ERROR_AFTER = "error-after"
    REMEMBERED_ERROR = "remembered-error"
    """A 500 without effect, which Stripe answers again to the same key until it forgets that."""
    RESET = "reset"
    RESET_AFTER = "reset-after"
    RATE_LIMITED = "rate-limited"
    IN_PROGRESS = "in-progress"
    DECLINED = "declined"
    GARBAGE = "garbage"
    """The money moves, and the answer is a page of a proxy."""
    WRONG_AMOUNT = "wrong-amount"
    """The money moves as asked, and the answer says another amount."""
    PENDING_THEN_SUCCEEDED = "pending-then-succeeded"
    PENDING_THEN_FAILED = "pending-then-failed"
    SLOW = "slow"


class Captured(NamedTuple):
    amount: int
    currency: str


class Refused(Exception):
    """The provider's final no. `code` is Stripe's word for the reason."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass
class Entry:
    """`becomes` is what a pending refund will be: the first look still finds it pending, the next one settled."""

    reference: str
    idempotency_key: str
    order_id: str
    case_id: str
    amount: int
    currency: str
    method: str = "original_method"
    payment_reference: str | None = None
    status: str = "succeeded"
    becomes: str | None = None
    reason: str | None = None
    looks: int = 0

    @property
    def same_as(self) -> tuple[object, ...]:
        """What a second request with the same key must ask for as well."""
        return (self.order_id, self.case_id, self.amount, self.currency, self.method, self.payment_reference)


_BECOMES = {Fault.PENDING_THEN_SUCCEEDED: "succeeded", Fault.PENDING_THEN_FAILED: "failed"}


@dataclass
class Ledger:
    """`faults` meet the next requests for a refund, one each (None: no fault); `look_up_faults` those that look one up.

    `unregistered` is what a payment that nobody registered is taken to be; None: it is unknown.
    """

    payments: dict[str, Captured] = field(default_factory=dict)
    unregistered: Captured | None = None
    faults: deque[Fault | None] = field(default_factory=deque)
    look_up_faults: deque[Fault | None] = field(default_factory=deque)
    _entries: list[Entry] = field(default_factory=list)

    def entries(self) -> list[Entry]:
        """Every refund that was accepted, in order, whatever became of it."""
        return list(self._entries)

    def captured(self, reference: str) -> Captured:
        """Raises Refused for a payment that is not known."""
        known = self.payments.get(reference, self.unregistered)
        if known is None:
            raise Refused(f"No such payment: '{reference}'", "resource_missing")
        return known

    def given_back(self, payment_reference: str) -> int:
        return sum(
            entry.amount
            for entry in self._entries
            if entry.payment_reference == payment_reference and entry.status != "failed"
        )

    def refund(self, new: Entry, fault: Fault | None) -> Entry:
        """Raises Refused when there is not enough left of the payment."""
        if fault is Fault.DECLINED:
            raise Refused("The account of the customer is closed.", "expired_or_canceled_card")
        if new.payment_reference is not None:
            left = self.captured(new.payment_reference).amount - self.given_back(new.payment_reference)
            if left <= 0:
                raise Refused(f"{new.payment_reference} has already been refunded.", "charge_already_refunded")
            if new.amount > left:
                raise Refused(f"Refund amount ({new.amount}) is greater than what is left ({left})", "amount_too_large")
        if fault in _BECOMES:
            new.status, new.becomes = "pending", _BECOMES[fault]
        self._entries.append(new)
        return new

    def find(self, wanted: Callable[[Entry], bool]) -> list[Entry]:
        """Whoever looks at a pending refund a second time finds it settled."""
        found = [entry for entry in self._entries if wanted(entry)]
        for entry in found:
            if entry.becomes is not None and entry.looks > 0:
                self.settle(entry.idempotency_key, entry.becomes)
            entry.looks += 1
        return found

    def settle(self, idempotency_key: str, status: str) -> Entry:
        """Also long after it succeeded: that is how a refund fails late. Raises LookupError."""
        for entry in self._entries:
            if entry.idempotency_key == idempotency_key:
                entry.status, entry.becomes = status, None
                entry.reason = "expired_or_canceled_card" if status == "failed" else None
                return entry
        raise LookupError(f"no refund has the idempotency key {idempotency_key}")
