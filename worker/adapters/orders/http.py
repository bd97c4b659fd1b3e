"""The orders port over HTTP: the shop answers two questions, as docs/orders-port.md describes them.

Whatever is not a clear answer is none: the exception is tried again later, and nothing is decided on half an order.
"""

import asyncio
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from schemas.values import Customer, Order
from worker.application.ports.orders import OrdersUnavailable

TIMEOUT_S = 5.0
"""For a whole answer, from the first byte sent to the last one received."""

LARGEST_ANSWER = 1024 * 1024
"""Bytes. An order is some kilobytes; what is larger is something else."""

Known = TypeVar("Known", bound=BaseModel)


class HttpOrders:
    """Asks `{base}/orders/{id}` and `{base}/customers/{id}`. Connections are kept and shared; `aclose` ends them."""

    def __init__(self, base: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._base = base.rstrip("/")
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(timeout=timeout_s, headers={"accept": "application/json"})

    async def find_order(self, order_id: str) -> Order | None:
        return await self._find("orders", order_id, Order, must_say={"captured", "status"})

    async def find_customer(self, customer_id: str) -> Customer | None:
        return await self._find("customers", customer_id, Customer, must_say={"tier"})

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _find(self, kind: str, known_as: str, model: type[Known], must_say: set[str]) -> Known | None:
        """`must_say` are fields without which a rule that asks for a person could miss."""
        if known_as in {".", ".."}:
            return None  # in a path these are places, and no shop has an order of that name
        where = f"{self._base}/{kind}/{quote(known_as, safe='')}"
        content = await self._get(where)
        if content is None:
            return None
        try:
            found = model.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "the body"
            raise OrdersUnavailable(f"{where} answered what cannot be read: {field}: {first['msg']}") from error
        if silent := must_say - found.model_fields_set:
            raise OrdersUnavailable(f"{where} does not say {', '.join(sorted(silent))}")
        return found

    async def _get(self, where: str) -> bytes | None:
        """The body of a 200, or None for a 404."""
        try:
            async with asyncio.timeout(self._timeout_s), self._client.stream("GET", where) as response:
                if response.status_code == httpx.codes.NOT_FOUND:
                    return None
                if response.status_code != httpx.codes.OK:
                    raise OrdersUnavailable(f"{where} answered {response.status_code}; 200 or 404 is an answer")
                return await _body(where, response)
        except TimeoutError as error:
            raise OrdersUnavailable(f"{where} gave no answer within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OrdersUnavailable(f"{where} cannot be reached: {error or type(error).__name__}") from error


async def _body(where: str, response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > LARGEST_ANSWER:
            raise OrdersUnavailable(f"{where} answered more than {LARGEST_ANSWER} bytes")
    return bytes(content)
