"""Payments through a service of your own over HTTP, as docs/payments-openapi.yaml describes it.

A clear answer is one that the document names. Anything else that comes to the request for a payment leaves it
uncertain; anything else that comes to a look-up says nothing.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from worker.adapters.payments.errors import PaymentsError
from worker.adapters.payments.http_answers import Contradiction, payment_in, problem_in
from worker.adapters.payments.remote import NEVER_SENT, patience
from worker.application.ports.payments import (
    Payment,
    PaymentDeclined,
    PaymentUnavailable,
    PaymentUncertain,
)
from worker.domain.intent import PaymentIntent

TIME_LIMIT_S = 20.0
"""For a whole answer, from the first byte sent to the last one received."""

LARGEST_ANSWER = 64 * 1024
"""Bytes. A payment is some hundred; what is larger is something else."""

_PROBLEM = "application/problem+json"

_DECLINED = frozenset({400, 402, 422})
"""A final no: the amount is free again, and somebody may pay it under another key. So it counts when it is said as the
document has it, and not when a proxy says it."""

_SAID_AS_A_PROBLEM = _DECLINED | {404}

_NOT_DONE = {
    401: "it does not accept the token; check SIGNOFF_PAYMENTS_TOKEN",
    403: "it does not accept the token; check SIGNOFF_PAYMENTS_TOKEN",
    404: "it has no payments there; check SIGNOFF_PAYMENTS_URL",
    405: "it takes no payments there; check SIGNOFF_PAYMENTS_URL",
    409: "a request with the same idempotency key is under way",
    429: "it limits the rate of requests",
}


class _NoAnswer(Exception):
    """`sent` says whether the request may have arrived."""

    def __init__(self, problem: str, *, sent: bool) -> None:
        super().__init__(problem)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    media_type: str
    content: bytes


class HttpPayments:
    """Asks `POST {base}/payments` and `GET {base}/payments/{idempotency_key}`. Redirects are not followed.

    Connections are kept and shared; `aclose` ends them.
    """

    def __init__(self, base: str, token: str | None = None, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._payments = f"{_checked(base).rstrip('/')}/payments"
        self._time_limit_s = time_limit_s
        headers = {"accept": "application/json, application/problem+json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._client = httpx.AsyncClient(timeout=patience(time_limit_s), headers=headers, follow_redirects=False)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def pay(self, intent: PaymentIntent) -> Payment:
        body = intent.model_dump(
            mode="json", include={"case_id", "order_id", "amount", "method", "payment_reference"}, exclude_none=True
        )
        request = self._client.build_request(
            "POST", self._payments, json=body, headers={"idempotency-key": intent.idempotency_key}
        )
        try:
            answer = await self._answer(request)
        except _NoAnswer as error:
            raise (PaymentUncertain if error.sent else PaymentUnavailable)(str(error)) from error
        if answer.status in (200, 201):
            return self._paid(answer, intent)
        if answer.status in _DECLINED and answer.media_type == _PROBLEM:
            raise PaymentDeclined(problem_in(answer.content))
        if answer.status in _NOT_DONE or 300 <= answer.status < 400:
            raise PaymentUnavailable(self._said(answer))
        raise PaymentUncertain(self._said(answer))

    async def look_up(self, intent: PaymentIntent) -> Payment | None:
        where = f"{self._payments}/{quote(intent.idempotency_key, safe='')}"
        try:
            answer = await self._answer(self._client.build_request("GET", where))
        except _NoAnswer as error:
            raise PaymentUnavailable(str(error)) from error
        if answer.status == 404 and answer.media_type == _PROBLEM:
            return None
        if answer.status != 200:
            raise PaymentUnavailable(self._said(answer))
        try:
            return payment_in(answer.content, intent)
        except Contradiction as error:
            raise PaymentUnavailable(f"{self._payments}: {error}") from error

    def _paid(self, answer: _Answer, intent: PaymentIntent) -> Payment:
        try:
            return payment_in(answer.content, intent)
        except Contradiction as error:
            raise PaymentUncertain(f"{self._payments}: {error}") from error

    def _said(self, answer: _Answer) -> str:
        meaning = _NOT_DONE.get(answer.status)
        if answer.status in _SAID_AS_A_PROBLEM and answer.media_type != _PROBLEM:
            meaning = f"not as {_PROBLEM}, so that is no answer of a payment service; check SIGNOFF_PAYMENTS_URL"
        elif 300 <= answer.status < 400:
            meaning = "redirects are not followed; check SIGNOFF_PAYMENTS_URL"
        return f"{self._payments} answered {answer.status}: {meaning or problem_in(answer.content)}"

    async def _answer(self, request: httpx.Request) -> _Answer:
        try:
            async with asyncio.timeout(self._time_limit_s):
                response = await self._client.send(request, stream=True)
                try:
                    content = await _body(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise _NoAnswer(f"{self._payments} gave no answer within {self._time_limit_s:g} s", sent=True) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = f"{self._payments} cannot be reached: {error or type(error).__name__}"
            raise _NoAnswer(problem, sent=not isinstance(error, NEVER_SENT)) from error
        except AttributeError as error:
            # A connection that is reset as it opens has no socket any more when the client asks uvloop for it.
            raise _NoAnswer(f"{self._payments} cannot be reached: connection lost", sent=True) from error
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return _Answer(response.status_code, media_type, content)


def _checked(base: str) -> str:
    """Raises PaymentsError, which does not repeat the address: it may hold a password."""
    try:
        address = httpx.URL(base)
    except httpx.InvalidURL as error:
        raise PaymentsError(f"SIGNOFF_PAYMENTS_URL cannot be read as an address: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise PaymentsError("SIGNOFF_PAYMENTS_URL needs a full address, such as https://payments.example.com/v1")
    if address.userinfo:
        raise PaymentsError("SIGNOFF_PAYMENTS_URL holds a password; give a token in SIGNOFF_PAYMENTS_TOKEN instead")
    return base


async def _body(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > LARGEST_ANSWER:
            raise _NoAnswer(f"the payment service answered more than {LARGEST_ANSWER} bytes", sent=True)
    return bytes(content)
