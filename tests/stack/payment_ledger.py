"""What a payment provider knows: the payments that can be given back, and what became of each refund.

`entries` is the truth that tests compare with. Amounts are as the provider counts them.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol


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


class Weather(Protocol):
    """What befalls requests that no test planned a fault for."""

    def of_payment(self) -> Fault | None: ...

    def of_look_up(self) -> Fault | None: ...


class Witness(Protocol):
    """Who is told of each step at once, before anybody is answered."""

    def asked(self, entry: Entry, fault: Fault | None) -> None: ...

    def looked_up(self, idempotency_key: str, entry: Entry | None, fault: Fault | None) -> None: ...

    def moved(self, entry: Entry, fault: Fault | None) -> None: ...

    def refused(self, entry: Entry, fault: Fault | None) -> None: ...

    def settled(self, entry: Entry) -> None: ...


_BECOMES = {Fault.PENDING_THEN_SUCCEEDED: "succeeded", Fault.PENDING_THEN_FAILED: "failed"}


@dataclass
class Ledger:
    """`faults` meet the next requests for a refund, one each (None: no fault); `look_up_faults` those that look one up.

    Where no fault is left, the `weather` decides.
    `unregistered` is what a payment that nobody registered is taken to be; None: it is unknown. `before` are entries
    that an earlier process made, `refused` the keys that it or this one said no to: a key is answered as it was before,
    or a request that the network held back would move what has been given up since.
    """

    payments: dict[str, Captured] = field(default_factory=dict)
    unregistered: Captured | None = None
    faults: deque[Fault | None] = field(default_factory=deque)
    look_up_faults: deque[Fault | None] = field(default_factory=deque)
    weather: Weather | None = None
    witness: Witness | None = None
    before: Iterable[Entry] = ()
    refused: set[str] = field(default_factory=set)
    _entries: list[Entry] = field(default_factory=list)
    _by_key: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.before:
            self._keep(entry)

    def entries(self) -> list[Entry]:
        """Every refund that was accepted, in order, whatever became of it."""
        return list(self._entries)

    def next_fault(self) -> Fault | None:
        """Of a request for a refund."""
        if self.faults:
            return self.faults.popleft()
        return self.weather.of_payment() if self.weather else None

    def next_look_up_fault(self) -> Fault | None:
        if self.look_up_faults:
            return self.look_up_faults.popleft()
        return self.weather.of_look_up() if self.weather else None

    def under(self, idempotency_key: str) -> Entry | None:
        return self._by_key.get(idempotency_key)

    def next_number(self) -> int:
        """Of the next entry, counted from 1."""
        return len(self._entries) + 1

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
        try:
            self._check(new, fault)
        except Refused:
            self.refused.add(new.idempotency_key)
            if self.witness is not None:
                self.witness.refused(new, fault)
            raise
        if fault in _BECOMES:
            new.status, new.becomes = "pending", _BECOMES[fault]
        self._keep(new)
        if self.witness is not None:
            self.witness.moved(new, fault)
        return new

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._by_key[entry.idempotency_key] = entry

    def _check(self, new: Entry, fault: Fault | None) -> None:
        if fault is Fault.DECLINED or new.idempotency_key in self.refused:
            raise Refused("The account of the customer is closed.", "expired_or_canceled_card")
        if new.payment_reference is not None:
            left = self.captured(new.payment_reference).amount - self.given_back(new.payment_reference)
            if left <= 0:
                raise Refused(f"{new.payment_reference} has already been refunded.", "charge_already_refunded")
            if new.amount > left:
                raise Refused(f"Refund amount ({new.amount}) is greater than what is left ({left})", "amount_too_large")

    def find(self, wanted: Callable[[Entry], bool]) -> list[Entry]:
        """Whoever looks at a pending refund a second time finds it settled."""
        return [self._looked_at(entry) for entry in self._entries if wanted(entry)]

    def look_up(self, idempotency_key: str) -> Entry | None:
        """`find` by key."""
        entry = self.under(idempotency_key)
        return None if entry is None else self._looked_at(entry)

    def _looked_at(self, entry: Entry) -> Entry:
        if entry.becomes is not None and entry.looks > 0:
            self.settle(entry.idempotency_key, entry.becomes)
        entry.looks += 1
        return entry

    def settle(self, idempotency_key: str, status: str) -> Entry:
        """Also long after it succeeded: that is how a refund fails late. Raises LookupError."""
        entry = self.under(idempotency_key)
        if entry is None:
            raise LookupError(f"no refund has the idempotency key {idempotency_key}")
        entry.status, entry.becomes = status, None
        entry.reason = "expired_or_canceled_card" if status == "failed" else None
        if self.witness is not None:
            self.witness.settled(entry)
        return entry
