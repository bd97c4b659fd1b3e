"""The worker asks a shop over HTTP for what an exception leaves out."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from tests.integration.conftest import worker_running
from tests.records import raise_exceptions, refund
from worker.settings import Settings

ANSWERS = {
    "/orders/ORD-1": {"captured": {"amount_minor": 9_000, "currency": "USD"}, "status": "delivered"},
    "/customers/CUST-1": {"tier": "vip"},
}


@asynccontextmanager
async def shop() -> AsyncIterator[str]:
    """The address of a shop with one order and one VIP."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        body = json.dumps(ANSWERS.get(request.split()[1].decode(), {})).encode()
        status = b"404 Not Found" if body == b"{}" else b"200 OK"
        writer.write(b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_what_the_shop_says_of_order_and_customer_decides_who_is_asked(migrated: Settings) -> None:
    async with shop() as address:
        settings = migrated.model_copy(update={"orders": "http", "orders_url": address})
        small = {"amount_minor": 5_000, "currency": "USD"}
        known = {"customer_id": "CUST-1", "amount": small, "order": None, "customer": None}
        async with worker_running(settings):
            await raise_exceptions(
                settings,
                refund("EXC-vip", order_id="ORD-1", **known),
                refund("EXC-nobody", order_id="ORD-unknown", **known),
            )
    with psycopg.connect(settings.database_url) as database:
        asked = [body for (body,) in database.execute("select body from approvals")]
    rules = {approval["exception_id"]: {rule["rule"] for rule in approval["question"]["why"]} for approval in asked}
    assert rules == {"EXC-vip": {"vip-customer"}, "EXC-nobody": {"vip-customer", "order-unknown"}}
