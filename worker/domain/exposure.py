"""What is at stake besides this one case: what else was asked for the same customer and the same order."""

from datetime import datetime
from uuid import UUID

from schemas.values import Money, Value


class RelatedCase(Value):
    """A case that may be the same thing once more: the same order, kind and amount, still open or ended lately."""

    case_id: UUID
    exception_id: str
    state: str
    amount: Money | None = None
    opened_at: datetime


class Exposure(Value):
    """Other cases of the customer and of the order that were opened in the policy's window, and move or moved money.

    Sums are by currency; a case that was rejected, expired, was withdrawn or failed counts in none of them.
    `near_duplicates` is what a reviewer is shown.
    """

    customer: tuple[Money, ...] = ()
    customer_cases: int = 0
    order: tuple[Money, ...] = ()
    order_cases: int = 0
    near_duplicates: tuple[RelatedCase, ...] = ()
