"""What every orders port promises: the fake, the tables of our own database, and a shop behind HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import pytest
import yaml

from schemas.values import Customer, CustomerTier, LineItem, Order, OrderStatus
from tests.builders import an_order, usd
from worker.adapters.memory.orders import MemoryOrders
from worker.adapters.orders.http import HttpOrders
from worker.adapters.orders.tables import OrderTables
from worker.adapters.postgres.migrator import migrate
from worker.adapters.postgres.pool import make_pool
from worker.application.ports.orders import Orders, OrdersUnavailable

ORDER = an_order(
    usd(20_000),
    refunded=usd(5_000),
    status=OrderStatus.SHIPPED,
    payment_method="card",
    items=(LineItem(sku="MUG-1", name="Becher, groß", quantity=2, unit_price=usd(7_500)),),
)
ORDERS = {"ORD-1": ORDER, "A/1 ?#%2F": an_order(usd(1)), "ä": an_order(usd(2))}
CUSTOMERS = {"CUST-1": Customer(tier=CustomerTier.VIP, name="Ada")}

Answer = Callable[[str], tuple[int, bytes]]


class Shop:
    """A shop behind HTTP. `answer` gives the status and the body for a path; None never answers."""

    def __init__(self) -> None:
        self.answer: Answer | None = well_stocked
        self._ended = asyncio.Event()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"http://{host}:{port}/api/"

    async def close(self) -> None:
        self._ended.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if self.answer is None:
            await self._ended.wait()
        else:
            status, body = self.answer(request.split()[1].decode())
            head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nlocation: /api/orders/ORD-1\r\n"
            writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
        writer.close()


def well_stocked(path: str) -> tuple[int, bytes]:
    _, kind, name = path.removeprefix("/api").split("/")
    shelves: dict[str, Mapping[str, Order | Customer]] = {"orders": ORDERS, "customers": CUSTOMERS}
    known = shelves[kind].get(unquote(name))
    return (200, known.model_dump_json().encode()) if known else (404, b"no such thing")


class House(Protocol):
    """An orders port that knows ORDERS and CUSTOMERS, and how to make it unable to answer."""

    orders: Orders

    async def break_down(self) -> None: ...


class MemoryHouse:
    def __init__(self) -> None:
        self.orders = MemoryOrders(ORDERS, CUSTOMERS)

    async def break_down(self) -> None:
        self.orders.problem = "the shop is closed"


class HttpHouse:
    def __init__(self, shop: Shop) -> None:
        self.orders = HttpOrders(shop.address)
        self._shop = shop

    async def break_down(self) -> None:
        self._shop.answer = lambda path: (503, b"")


class TablesHouse:
    def __init__(self, orders: OrderTables, close: Callable[[], Awaitable[None]]) -> None:
        self.orders = orders
        self.break_down = close


@pytest.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    shop = Shop()
    await shop.open()
    yield shop
    await shop.close()


@pytest.fixture
async def memory_house() -> MemoryHouse:
    return MemoryHouse()


@pytest.fixture
async def http_house(shop: Shop) -> AsyncIterator[HttpHouse]:
    house = HttpHouse(shop)
    yield house
    await house.orders.aclose()


@pytest.fixture
async def tables_house(database: str) -> AsyncIterator[TablesHouse]:
    await migrate(database)
    pool = make_pool(database, size=2)
    await pool.open(wait=True)
    orders = OrderTables(pool)
    await orders.store(ORDERS, CUSTOMERS)
    yield TablesHouse(orders, pool.close)
    await pool.close()


@pytest.fixture(params=["memory", "http", pytest.param("tables", marks=pytest.mark.services)])
def house(request: pytest.FixtureRequest) -> House:
    chosen: House = request.getfixturevalue(f"{request.param}_house")
    return chosen


async def test_an_order_comes_back_as_it_was_kept(house: House) -> None:
    assert await house.orders.find_order("ORD-1") == ORDER


async def test_a_customer_comes_back_as_they_were_kept(house: House) -> None:
    assert await house.orders.find_customer("CUST-1") == CUSTOMERS["CUST-1"]


@pytest.mark.parametrize("order_id", ["ORD-404", "CUST-1", "ord-1", "..", ".", "' or 1=1 --"])
async def test_an_order_that_is_not_there_is_unknown(house: House, order_id: str) -> None:
    assert await house.orders.find_order(order_id) is None


async def test_a_customer_that_is_not_there_is_unknown(house: House) -> None:
    assert await house.orders.find_customer("ORD-1") is None


@pytest.mark.parametrize("order_id", ["A/1 ?#%2F", "ä"])
async def test_an_id_is_taken_as_it_is_whatever_it_is_made_of(house: House, order_id: str) -> None:
    assert await house.orders.find_order(order_id) == ORDERS[order_id]


async def test_many_that_ask_at_once_get_their_own_answers(house: House) -> None:
    asked = [*ORDERS, "ORD-404", *ORDERS] * 10
    answers = await asyncio.gather(*(house.orders.find_order(order_id) for order_id in asked))
    assert answers == [ORDERS.get(order_id) for order_id in asked]


async def test_a_shop_that_cannot_answer_says_so_and_does_not_say_unknown(house: House) -> None:
    await house.break_down()
    with pytest.raises(OrdersUnavailable):
        await house.orders.find_order("ORD-1")
    with pytest.raises(OrdersUnavailable):
        await house.orders.find_customer("CUST-1")


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (500, b"", "answered 500"),
        (429, b"", "answered 429"),
        (302, b"", "answered 302"),
        (204, b"", "answered 204"),
        (200, b"", "cannot be read"),
        (200, b"<html>please log in</html>", "cannot be read"),
        (200, b"\xff\xfe", "cannot be read"),
        (200, b"[]", "cannot be read"),
        (200, b"{}", "captured"),
        (200, b'{"captured": {"amount_minor": 1.5, "currency": "USD"}, "status": "paid"}', "captured.amount_minor"),
        (200, b'{"captured": {"amount_minor": 1, "currency": "dollars"}, "status": "paid"}', "captured.currency"),
        (200, b'{"captured": {"amount_minor": 1, "currency": "USD"}, "status": "lost"}', "status"),
        (200, b'{"captured": {"amount_minor": 1, "currency": "USD"}}', "does not say status"),
        (200, b" " * (1024 * 1024 + 1), "more than 1048576 bytes"),
    ],
)
async def test_an_answer_that_is_none_is_named(
    shop: Shop, http_house: HttpHouse, status: int, body: bytes, complaint: str
) -> None:
    shop.answer = lambda path: (status, body)
    with pytest.raises(OrdersUnavailable, match=complaint):
        await http_house.orders.find_order("ORD-1")


async def test_a_customer_whose_tier_is_not_said_is_not_taken_for_an_ordinary_one(
    shop: Shop, http_house: HttpHouse
) -> None:
    shop.answer = lambda path: (200, b'{"error": "try again"}')
    with pytest.raises(OrdersUnavailable, match="does not say tier"):
        await http_house.orders.find_customer("CUST-1")


async def test_fields_of_a_newer_shop_are_ignored(shop: Shop, http_house: HttpHouse) -> None:
    answer = {**json.loads(ORDER.model_dump_json()), "gift": True}
    shop.answer = lambda path: (200, json.dumps(answer).encode())
    assert await http_house.orders.find_order("ORD-1") == ORDER


async def test_a_shop_that_takes_too_long_is_not_waited_for(shop: Shop) -> None:
    shop.answer = None
    orders = HttpOrders(shop.address, timeout_s=0.05)
    with pytest.raises(OrdersUnavailable, match=r"no answer within 0\.05 s"):
        await orders.find_order("ORD-1")
    await orders.aclose()


async def test_a_shop_that_is_not_there_is_named(shop: Shop) -> None:
    await shop.close()
    orders = HttpOrders(shop.address)
    with pytest.raises(OrdersUnavailable, match="cannot be reached"):
        await orders.find_order("ORD-1")
    await orders.aclose()


def test_the_published_description_names_the_fields_that_are_read() -> None:
    published = yaml.safe_load(Path("docs/orders-port.yaml").read_text(encoding="utf-8"))
    schemas: dict[str, dict[str, Any]] = published["components"]["schemas"]
    for model in (Order, Customer, LineItem):
        assert set(schemas[model.__name__]["properties"]) == set(model.model_fields)
    assert schemas["Order"]["properties"]["status"]["enum"] == [status.value for status in OrderStatus]
    assert schemas["Customer"]["properties"]["tier"]["enum"] == [tier.value for tier in CustomerTier]
