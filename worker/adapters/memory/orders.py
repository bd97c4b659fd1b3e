"""The orders port over two dictionaries."""

from collections.abc import Mapping

from schemas.values import Customer, Order
from worker.application.ports.orders import OrdersUnavailable


class MemoryOrders:
    """While `problem` is set, no question can be answered: each raises OrdersUnavailable with that sentence."""

    def __init__(
        self, orders: Mapping[str, Order] | None = None, customers: Mapping[str, Customer] | None = None
    ) -> None:
        self.orders = dict(orders or {})
        self.customers = dict(customers or {})
        self.problem: str | None = None

    async def find_order(self, order_id: str) -> Order | None:
        self._answer()
        return self.orders.get(order_id)

    async def find_customer(self, customer_id: str) -> Customer | None:
        self._answer()
        return self.customers.get(customer_id)

    def _answer(self) -> None:
        if self.problem is not None:
            raise OrdersUnavailable(self.problem)
