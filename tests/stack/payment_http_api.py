"""The API of docs/payments-openapi.yaml. A key is honoured for ever, and a second payment under it is refused."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.stack.payment_faults import answered
from tests.stack.payment_ledger import Entry, Fault, Ledger, Refused

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Exchange:
    """One request and what was answered, for those who hold both to the document."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    media_type: str
    answer: bytes


class PaymentApi:
    def __init__(self, ledger: Ledger, token: str) -> None:
        self._ledger = ledger
        self._token = token
        self.exchanges: list[Exchange] = []

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/payments", self.pay, methods=["POST"]),
            Route("/payments/{key}", self.look_up, methods=["GET"]),
        ]

    def failure(self, status: int) -> Response:
        return _problem(status, "Something went wrong.")

    async def pay(self, request: Request) -> Response:
        if refusal := self._stranger(request):
            return await self._recorded(request, refusal)
        asked = await request.json()
        key = request.headers.get("idempotency-key")
        if not key:
            return await self._recorded(request, _problem(400, "The header Idempotency-Key is missing."))
        fault = self._ledger.next_fault()
        wanted = self._wanted(key, asked)
        if self._ledger.witness is not None:
            self._ledger.witness.asked(wanted, fault)
        response = await answered(request, fault, self, lambda fault: self._pay(wanted, fault))
        return await self._recorded(request, response)

    async def look_up(self, request: Request) -> Response:
        if refusal := self._stranger(request):
            return await self._recorded(request, refusal)
        key = request.path_params["key"]

        def look(_: Fault | None) -> Response:
            found = self._ledger.look_up(key)
            return JSONResponse(payment_of(found)) if found else _problem(404, "There is no such payment.")

        fault = self._ledger.next_look_up_fault()
        if self._ledger.witness is not None:
            self._ledger.witness.looked_up(key, self._ledger.under(key), fault)
        return await self._recorded(request, await answered(request, fault, self, look))

    def _wanted(self, key: str, asked: dict[str, Any]) -> Entry:
        return Entry(
            reference="",
            idempotency_key=key,
            order_id=asked["order_id"],
            case_id=asked["case_id"],
            amount=asked["amount"]["amount_minor"],
            currency=asked["amount"]["currency"],
            method=asked["method"],
            payment_reference=asked.get("payment_reference"),
        )

    def _pay(self, wanted: Entry, fault: Fault | None) -> Response:
        """A slow one has its number when it is made: others may have come in between."""
        key = wanted.idempotency_key
        wanted.reference = f"pay-{self._ledger.next_number()}"
        made = self._ledger.under(key)
        if made is not None:
            if made.same_as != wanted.same_as:
                return _problem(422, f"{key} was used before for another payment")
            return JSONResponse(payment_of(made))
        if fault is Fault.REMEMBERED_ERROR:
            return self.failure(500)
        try:
            content = payment_of(self._ledger.refund(wanted, fault))
        except Refused as error:
            return _problem(402, error.message)
        if fault is Fault.WRONG_AMOUNT:
            content["amount"]["amount_minor"] += 1
        return JSONResponse(content, 201)

    def _stranger(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {self._token}":
            return None
        return _problem(401, "The token is not known.")

    async def _recorded(self, request: Request, response: Response) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "authorization"}
        media_type = response.headers.get("content-type", "").partition(";")[0]
        exchange = Exchange(
            request.method,
            request.url.path,
            headers,
            await request.body(),
            response.status_code,
            media_type,
            bytes(response.body),
        )
        self.exchanges.append(exchange)
        return response


def payment_of(entry: Entry) -> dict[str, Any]:
    return {
        "idempotency_key": entry.idempotency_key,
        "reference": entry.reference,
        "status": entry.status,
        "amount": {"amount_minor": entry.amount, "currency": entry.currency},
        **({"reason": entry.reason} if entry.reason else {}),
    }


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"title": detail, "status": status, "detail": detail}, status, media_type=PROBLEM)
