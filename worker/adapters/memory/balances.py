"""What an order has left to refund, over all its cases."""

from worker.adapters.memory.database import BalanceRow
from worker.application.ports.store import UnitRefused
from worker.application.unit_of_work import Reservation

Balances = dict[str, BalanceRow]


def open_balance(balances: Balances, reservation: Reservation) -> None:
    """The first reservation of an order says what it captured; later ones find it. Raises UnitRefused when more went
    back before us than was captured."""
    if reservation.already_refunded > reservation.captured.amount_minor:
        raise UnitRefused(f"order {reservation.order_id}: more is refunded than was captured")
    balances.setdefault(reservation.order_id, BalanceRow(reservation.captured, reservation.already_refunded))


def reserve(balances: Balances, reservation: Reservation) -> bool:
    """Sets the amount aside, or gives it back. False, and nothing is changed, when the order has less left, or was
    paid in another currency."""
    row = balances[reservation.order_id]
    change = reservation.amount.amount_minor * (-1 if reservation.release else 1)
    refunded = row.refunded_minor + change
    if reservation.amount.currency != row.captured.currency:
        return False
    captured = row.captured.amount_minor
    if not reservation.release:
        captured = min(captured, reservation.captured.amount_minor)
    if not 0 <= refunded <= captured:
        return False
    row.refunded_minor = refunded
    return True
