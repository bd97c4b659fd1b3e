"""Before money moves the order is looked at once more: approvals can be days old."""

from schemas.values import Order, OrderStatus
from worker.application.follow_run import available_of
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.domain.exception_case import Case
from worker.domain.order_exception import Facts
from worker.domain.resolution import MOVES_MONEY


async def difference_since(case: Case, view: CaseView, ports: Ports) -> Facts | None:
    """The facts with the order as it is now and the difference in words; None when nothing material changed.

    An order that the shop does not know is left as the sender described it. Raises OrdersUnavailable.
    """
    facts = case.facts
    if facts.exception.kind not in MOVES_MONEY or facts.exception.order_id is None:
        return None
    now = await ports.orders.find_order(facts.exception.order_id)
    if now is None:
        return None
    difference = _difference(facts.order, now)
    if difference is None:
        return None
    changed = facts.model_copy(update={"order": now, "difference": difference})
    return changed.model_copy(update={"available": available_of(changed, view)})


def _difference(before: Order | None, now: Order) -> str | None:
    if before is None:
        return f"it is known now, and {now.captured} was paid"
    told = []
    if before.captured.currency != now.captured.currency:
        told.append(f"it was paid in {now.captured.currency}, not in {before.captured.currency}")
    elif before.captured != now.captured:
        told.append(f"{now.captured} was paid, not {before.captured}")
    if now.payment_reference and before.payment_reference and now.payment_reference != before.payment_reference:
        told.append("it was paid by another payment than the request names")
    if now.status is OrderStatus.CANCELLED and before.status is not OrderStatus.CANCELLED:
        told.append("it was cancelled meanwhile")
    return "; ".join(told) or None
