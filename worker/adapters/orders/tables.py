"""The default orders port: two tables of our own database, which the shop (or the demo) fills."""

from collections.abc import Mapping
from typing import TypeVar

from psycopg.rows import dict_row
from pydantic import BaseModel
from pydantic_core import to_json

from schemas.values import Customer, Order
from worker.adapters.postgres.batching import Batcher
from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.pool import DatabaseUnreachable, Pool, borrowed
from worker.application.ports.orders import OrdersUnavailable

_QUERIES = load("orders.sql", __package__)

Known = TypeVar("Known", bound=BaseModel)


class OrderTables:
    """Reads are batched: many cases that ask at the same time share one query."""

    def __init__(self, pool: Pool, *, batch: int = 200) -> None:
        self._pool = pool
        self._orders = Batcher[str, Order | None](lambda ids: self._read("orders", Order, ids), size=batch)
        self._customers = Batcher[str, Customer | None](lambda ids: self._read("customers", Customer, ids), size=batch)

    async def find_order(self, order_id: str) -> Order | None:
        return await self._orders(order_id)

    async def find_customer(self, customer_id: str) -> Customer | None:
        return await self._customers(customer_id)

    async def store(self, orders: Mapping[str, Order], customers: Mapping[str, Customer]) -> None:
        """Adds orders and customers by id, or replaces what is known of them."""
        order_rows = [{"order_id": key, "body": order} for key, order in orders.items()]
        customer_rows = [{"customer_id": key, "body": each} for key, each in customers.items()]
        async with borrowed(self._pool) as connection, connection.transaction():
            await connection.execute(_QUERIES["store_orders"], {"rows": to_json(order_rows).decode()})
            await connection.execute(_QUERIES["store_customers"], {"rows": to_json(customer_rows).decode()})

    async def _read(self, query: str, model: type[Known], ids: list[str]) -> list[Known | None]:
        try:
            async with borrowed(self._pool) as connection:
                cursor = connection.cursor(row_factory=dict_row)
                await cursor.execute(_QUERIES[query], {"keys": list(dict.fromkeys(ids))})
                bodies = {row["key"]: row["body"] for row in await cursor.fetchall()}
        except DatabaseUnreachable as error:
            raise OrdersUnavailable(str(error)) from error
        return [model.model_validate_json(bodies[key]) if key in bodies else None for key in ids]
