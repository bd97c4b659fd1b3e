"""Stripe's library on connections of ours: its own on httpx sends a form in a way that httpx has deprecated, and reads
answers of any size.
"""

from collections.abc import Mapping
from typing import Any

import httpx
import stripe

from worker.adapters.payments.remote import patience

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes. A page of 100 refunds with all metadata that Stripe allows is about half of it."""


class StripeConnection(stripe.HTTPClient):
    """Connections are kept and shared; `close_async` ends them."""

    name = "httpx"

    def __init__(self, time_limit_s: float) -> None:
        super().__init__(verify_ssl_certs=True)
        self._client = httpx.AsyncClient(timeout=patience(time_limit_s))

    async def close_async(self) -> None:
        await self._client.aclose()

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            async with self._client.stream(method, url, headers=headers, content=post_data or None) as response:
                content = bytearray()
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > LARGEST_ANSWER:
                        raise _no_answer(f"Stripe answered more than {LARGEST_ANSWER} bytes")
                return bytes(content), response.status_code, response.headers
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _no_answer(type(error).__name__) from error


def _no_answer(problem: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(problem)  # type: ignore[no-untyped-call]
