"""What the shop knows of an order and its customer."""

from typing import Protocol

from schemas.values import Customer, Order


class Orders(Protocol):
    """Raises OrdersUnavailable when the question cannot be answered now; an unknown one is None."""

    async def find_order(self, order_id: str) -> Order | None: ...

    async def find_customer(self, customer_id: str) -> Customer | None: ...


class OrdersUnavailable(Exception):
    """The shop did not answer; the message is tried again later."""
