"""The part of Stripe's API that the worker uses, with Stripe's manners: https://docs.stripe.com/api/refunds.

The parameters of a key must stay the same; its first answer is given again, until the key is forgotten, which Stripe
does after 24 hours at the earliest.
"""

from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.stack.payment_faults import answered
from tests.stack.payment_ledger import Entry, Fault, Ledger, Refused

_CHARGES = ("ch_", "py_")


class StripeApi:
    def __init__(self, ledger: Ledger, key: str) -> None:
        self._ledger = ledger
        self._key = key
        self._answers: dict[str, tuple[str, int, dict[str, Any]]] = {}

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/v1/refunds", self.create, methods=["POST"]),
            Route("/v1/refunds", self.list_refunds, methods=["GET"]),
            Route("/v1/refunds/{id}", self.retrieve, methods=["GET"]),
            Route("/v1/charges/{id}", self.payment, methods=["GET"]),
            Route("/v1/payment_intents/{id}", self.payment, methods=["GET"]),
        ]

    def forget_keys(self) -> None:
        self._answers.clear()

    def failure(self, status: int) -> Response:
        kind = "rate_limit_error" if status == 429 else "api_error"
        return _error(status, kind, "Something went wrong.", "rate_limit" if status == 429 else None)

    async def create(self, request: Request) -> Response:
        if refusal := self._stranger(request):
            return refusal
        body = (await request.body()).decode()
        fault = self._ledger.next_fault()
        key = request.headers["idempotency-key"]
        return await answered(request, fault, self, lambda fault: self._create(key, body, fault))

    async def list_refunds(self, request: Request) -> Response:
        if refusal := self._stranger(request):
            return refusal
        payment = request.query_params.get("payment_intent") or request.query_params.get("charge")

        def page(_: Fault | None) -> Response:
            try:
                self._ledger.captured(payment or "")
            except Refused as error:
                return _missing(error.message)
            newest_first = self._ledger.find(lambda entry: entry.payment_reference == payment)[::-1]
            references = [entry.reference for entry in newest_first]
            after = request.query_params.get("starting_after")
            start = references.index(after) + 1 if after else 0
            end = start + int(request.query_params.get("limit", 10))
            data = [refund_of(entry) for entry in newest_first[start:end]]
            has_more = end < len(newest_first)
            return JSONResponse({"object": "list", "data": data, "has_more": has_more, "url": "/v1/refunds"})

        return await answered(request, self._look_up_fault(), self, page)

    async def retrieve(self, request: Request) -> Response:
        if refusal := self._stranger(request):
            return refusal
        wanted = request.path_params["id"]

        def one(_: Fault | None) -> Response:
            found = self._ledger.find(lambda entry: entry.reference == wanted)
            return JSONResponse(refund_of(found[0])) if found else _missing(f"No such refund: '{wanted}'")

        return await answered(request, self._look_up_fault(), self, one)

    async def payment(self, request: Request) -> Response:
        if refusal := self._stranger(request):
            return refusal
        reference = request.path_params["id"]
        try:
            captured = self._ledger.captured(reference)
        except Refused as error:
            return _missing(error.message)
        kind = "charge" if reference.startswith(_CHARGES) else "payment_intent"
        return JSONResponse(
            {"id": reference, "object": kind, "amount": captured.amount, "currency": captured.currency.lower()}
        )

    def _create(self, key: str, body: str, fault: Fault | None) -> Response:
        if key in self._answers:
            parameters, status, content = self._answers[key]
            if parameters == body:
                return JSONResponse(content, status, headers={"idempotent-replayed": "true"})
            told = "Keys for idempotent requests can only be used with the same parameters they were first used with."
            return _error(400, "idempotency_error", told)
        if fault is Fault.REMEMBERED_ERROR:
            status, content = 500, _error_body("api_error", "Something went wrong.")
        else:
            status, content = self._refunded(key, dict(parse_qsl(body)), fault)
        self._answers[key] = (body, status, content)
        if fault is Fault.WRONG_AMOUNT:
            content = {**content, "amount": content["amount"] + 1}
        return JSONResponse(content, status)

    def _refunded(self, key: str, asked: dict[str, str], fault: Fault | None) -> tuple[int, dict[str, Any]]:
        reference = asked.get("payment_intent") or asked["charge"]
        try:
            entry = Entry(
                reference=f"re_{len(self._ledger.entries()) + 1}",
                idempotency_key=key,
                order_id=asked["metadata[order_id]"],
                case_id=asked["metadata[case_id]"],
                amount=int(asked["amount"]),
                currency=self._ledger.captured(reference).currency,
                payment_reference=reference,
            )
            return 200, refund_of(self._ledger.refund(entry, fault))
        except Refused as error:
            return 400, _error_body("invalid_request_error", error.message, error.code)

    def _look_up_fault(self) -> Fault | None:
        return self._ledger.next_look_up_fault()

    def _stranger(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {self._key}":
            return None
        return _error(401, "invalid_request_error", "Invalid API Key provided")


def refund_of(entry: Entry) -> dict[str, Any]:
    """A refund as Stripe describes it."""
    reference = entry.payment_reference or ""
    return {
        "id": entry.reference,
        "object": "refund",
        "amount": entry.amount,
        "currency": entry.currency.lower(),
        "charge": reference if reference.startswith(_CHARGES) else None,
        "payment_intent": None if reference.startswith(_CHARGES) else reference,
        "status": entry.status,
        "failure_reason": entry.reason,
        "metadata": {
            "signoff_idempotency_key": entry.idempotency_key,
            "case_id": entry.case_id,
            "order_id": entry.order_id,
        },
    }


def _missing(message: str) -> Response:
    return _error(404, "invalid_request_error", message, "resource_missing")


def _error(status: int, kind: str, message: str, code: str | None = None) -> Response:
    return JSONResponse(_error_body(kind, message, code), status)


def _error_body(kind: str, message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, "code": code}}
