"""The default payment adapter: our own ledger.

In the worker's own database it is kept by `OwnBooks`: the entry is a row of the commit that decides it. In a database
of its own it is `Ledger`, with the manners of any provider: an idempotency key is honoured for ever, and a second
call with other parameters is refused.
"""

from uuid import uuid5

from psycopg.rows import dict_row
from pydantic_core import to_json

from worker.adapters.postgres.batching import Batcher
from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.pool import DatabaseUnreachable, Pool, borrowed
from worker.adapters.postgres.unit_rows import ledger_row
from worker.application.ports.payments import Payment, PaymentDeclined, PaymentUnavailable, PaymentUncertain
from worker.application.unit_of_work import Booking
from worker.domain.intent import PaymentIntent

_QUERIES = load("ledger.sql", __package__)


class OwnBooks:
    """Decision and payment are one transaction: neither is ever there without the other."""

    def book(self, intent: PaymentIntent) -> Booking:
        return Booking(intent, reference_of(intent))


class Ledger:
    def __init__(self, pool: Pool, *, batch: int = 200) -> None:
        self._pool = pool
        self._pay = Batcher[PaymentIntent, Payment](self._pay_all, size=batch, parallel=2)

    async def pay(self, intent: PaymentIntent) -> Payment:
        try:
            return await self._pay(intent)
        except DatabaseUnreachable as error:
            raise PaymentUncertain(str(error)) from error

    async def look_up(self, intent: PaymentIntent) -> Payment | None:
        try:
            async with borrowed(self._pool) as connection:
                cursor = connection.cursor(row_factory=dict_row)
                await cursor.execute(_QUERIES["entries"], {"keys": [intent.idempotency_key]})
                row = await cursor.fetchone()
        except DatabaseUnreachable as error:
            raise PaymentUnavailable(str(error)) from error
        return Payment(row["reference"]) if row else None

    async def _pay_all(self, intents: list[PaymentIntent]) -> list[Payment | Exception]:
        rows = [
            ledger_row(intent, reference_of(intent))
            for intent in sorted(intents, key=lambda intent: intent.idempotency_key)
        ]
        async with borrowed(self._pool) as connection, connection.transaction():
            await connection.execute(_QUERIES["pay"], {"rows": to_json(rows).decode()})
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(_QUERIES["entries"], {"keys": [row["idempotency_key"] for row in rows]})
            entries = {row["idempotency_key"]: row for row in await cursor.fetchall()}
        return [_answer(intent, entries[intent.idempotency_key]) for intent in intents]


def reference_of(intent: PaymentIntent) -> str:
    """The ledger's own id of the entry: the same for the same key."""
    return f"ledger-{uuid5(intent.case_id, intent.idempotency_key)}"


def _answer(intent: PaymentIntent, entry: dict[str, object]) -> Payment | Exception:
    """As providers do: the same key with other parameters is an error, not a second payment."""
    asked = (intent.order_id, intent.amount.amount_minor, intent.amount.currency)
    if asked != (entry["order_id"], entry["amount_minor"], entry["currency"]):
        return PaymentDeclined(f"{intent.idempotency_key} was used before for another payment")
    return Payment(str(entry["reference"]))
