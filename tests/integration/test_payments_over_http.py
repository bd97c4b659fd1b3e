"""Payments through a service of one's own: what its document says is what the adapter asks, and what it understands."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from starlette.responses import JSONResponse, Response

from schemas.values import PayoutMethod
from tests.builders import an_intent, an_unopened_case, usd
from tests.stack.payment_http_api import Exchange
from tests.stack.payment_ledger import Captured, Fault, Ledger
from tests.stack.payment_provider import TOKEN, PaymentProvider, payment_provider
from worker.adapters.payments.errors import PaymentsError
from worker.adapters.payments.http import LARGEST_ANSWER, HttpPayments
from worker.application.ports.payments import (
    Payment,
    PaymentDeclined,
    PaymentPending,
    PaymentUnavailable,
    PaymentUncertain,
)
from worker.domain.intent import PaymentIntent

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docs" / "payments-openapi.yaml").read_text())
CASE = an_unopened_case(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
IMPATIENT_S = 1.0
PATIENCE_S = 30

PLAN = [
    (Fault.TIMEOUT, PaymentUncertain),
    (Fault.TIMEOUT_AFTER, PaymentUncertain),
    (Fault.ERROR, PaymentUncertain),
    (Fault.ERROR_AFTER, PaymentUncertain),
    (Fault.RESET, PaymentUncertain),
    (Fault.RESET_AFTER, PaymentUncertain),
    (Fault.GARBAGE, PaymentUncertain),
    (Fault.WRONG_AMOUNT, PaymentUncertain),
    (Fault.RATE_LIMITED, PaymentUnavailable),
    (Fault.IN_PROGRESS, PaymentUnavailable),
]


def intent_of(payment_round: int = 1, **fields: Any) -> PaymentIntent:
    return an_intent(CASE, **{"idempotency_key": f"signoff:{CASE.case_id}:{payment_round}", **fields})


@pytest.fixture
async def provider() -> AsyncIterator[PaymentProvider]:
    async with payment_provider(Ledger(payments={"pay-7": Captured(20_000, "USD")})) as provider:
        yield provider


@asynccontextmanager
async def payments_at(address: str, token: str = TOKEN, **options: Any) -> AsyncIterator[HttpPayments]:
    async with aclosing(HttpPayments(address, token, **options)) as payments:
        yield payments


@pytest.mark.parametrize(("fault", "error"), PLAN, ids=[fault for fault, _ in PLAN])
async def test_whatever_fails_the_money_has_moved_once_in_the_end(
    provider: PaymentProvider, fault: Fault, error: type[Exception]
) -> None:
    provider.ledger.faults.append(fault)
    async with payments_at(provider.address, time_limit_s=IMPATIENT_S) as payments:
        with pytest.raises(error):
            await payments.pay(intent_of())
    async with payments_at(provider.address) as payments:
        paid = await payments.look_up(intent_of()) or await payments.pay(intent_of())
    assert [(entry.reference, entry.amount) for entry in provider.ledger.entries()] == [(paid.reference, 15_000)]


async def test_a_pending_payment_is_no_success_until_it_is_settled(provider: PaymentProvider) -> None:
    provider.ledger.faults.append(Fault.PENDING_THEN_SUCCEEDED)
    async with payments_at(provider.address) as payments:
        with pytest.raises(PaymentPending):
            await payments.pay(intent_of())
        with pytest.raises(PaymentPending):
            await payments.look_up(intent_of())
        assert await payments.look_up(intent_of()) == Payment("pay-1")


async def test_a_payment_that_fails_after_all_says_why(provider: PaymentProvider) -> None:
    async with payments_at(provider.address) as payments:
        await payments.pay(intent_of())
        provider.ledger.settle(intent_of().idempotency_key, "failed")
        with pytest.raises(PaymentDeclined, match="pay-1 failed: expired_or_canceled_card"):
            await payments.look_up(intent_of())


async def test_a_decline_repeats_the_reason_of_the_service(provider: PaymentProvider) -> None:
    async with payments_at(provider.address) as payments:
        with pytest.raises(PaymentDeclined, match=r"greater than what is left \(20000\)"):
            await payments.pay(intent_of(amount=usd(20_001), payment_reference="pay-7"))


async def test_a_reason_is_repeated_as_text_that_can_be_stored_and_shown(
    provider: PaymentProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL stores no NUL: a reason with one could never be recorded, and the case would never end."""
    detail = {"title": "no", "detail": "closed\0 acc\x1b[2Jount\u202e\u2028."}
    refused = JSONResponse(detail, 402, media_type="application/problem+json")
    monkeypatch.setattr(provider.payments, "_pay", lambda *_: refused)
    async with payments_at(provider.address) as payments:
        with pytest.raises(PaymentDeclined) as declined:
            await payments.pay(intent_of())
    assert str(declined.value) == "closed acc[2Jount ."


async def test_a_token_that_is_not_accepted_is_never_repeated(provider: PaymentProvider) -> None:
    async with payments_at(provider.address, "stolen-or-old") as payments:
        for call in (payments.pay, payments.look_up):
            with pytest.raises(PaymentUnavailable, match="check SIGNOFF_PAYMENTS_TOKEN") as refused:
                await call(intent_of())
            assert "stolen-or-old" not in str(refused.value)
        assert "stolen-or-old" not in repr(payments)


async def test_a_service_that_is_away_took_nothing() -> None:
    async with payment_provider() as provider:
        pass
    async with payments_at(provider.address) as payments:
        for call in (payments.pay, payments.look_up):
            with pytest.raises(PaymentUnavailable, match="cannot be reached"):
                await call(intent_of())


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.ERROR, Fault.RESET, Fault.GARBAGE, Fault.RATE_LIMITED])
async def test_a_look_up_that_fails_says_nothing(provider: PaymentProvider, fault: Fault) -> None:
    provider.ledger.look_up_faults.append(fault)
    async with payments_at(provider.address, time_limit_s=IMPATIENT_S) as payments:
        with pytest.raises(PaymentUnavailable):
            await payments.look_up(intent_of())


@pytest.mark.parametrize("path", ["/nowhere", "/v1"])
async def test_a_wrong_address_is_named_and_is_no_proof_that_nothing_was_paid(
    provider: PaymentProvider, path: str
) -> None:
    async with payments_at(provider.address + path) as payments:
        for call in (payments.pay, payments.look_up):
            with pytest.raises(PaymentUnavailable, match="check SIGNOFF_PAYMENTS_URL"):
                await call(intent_of())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Response("{}", 201), "the answer is no payment: idempotency_key"),
        (Response(b"x" * (LARGEST_ANSWER + 1), 201), f"more than {LARGEST_ANSWER} bytes"),
        (Response('{"idempotency_key": "another", "reference": "1", "status": "failed",'
                  ' "amount": {"amount_minor": 1, "currency": "USD"}}'), "about another payment"),
        (Response(f'{{"idempotency_key": "signoff:{CASE.case_id}:1", "reference": "1", "status": "succeeded",'
                  ' "amount": {"amount_minor": 15000, "currency": "USD"}, "status": "failed"}'), "the same key twice"),
        (JSONResponse({"idempotency_key": f"signoff:{CASE.case_id}:1", "reference": "pay\x1b", "status": "succeeded",
                       "amount": {"amount_minor": 15_000, "currency": "USD"}}), "reference: .* cannot be seen"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_none_leaves_the_payment_uncertain(
    provider: PaymentProvider, monkeypatch: pytest.MonkeyPatch, answer: Response, told: str
) -> None:
    monkeypatch.setattr(provider.payments, "_pay", lambda *_: answer)
    async with payments_at(provider.address) as payments:
        with pytest.raises(PaymentUncertain, match=told):
            await payments.pay(intent_of())


@pytest.mark.parametrize("status", [400, 402, 422])
async def test_a_no_of_a_proxy_in_between_is_none_of_the_service(
    provider: PaymentProvider, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A final no frees the amount, and a person may pay it anew under another key."""
    refused = Response("<html>Bad Request</html>", status, media_type="text/html")
    monkeypatch.setattr(provider.payments, "_pay", lambda *_: refused)
    async with payments_at(provider.address) as payments:
        with pytest.raises(PaymentUncertain, match=rf"answered {status}.* no answer of a payment service"):
            await payments.pay(intent_of())


async def test_a_redirect_is_not_followed(provider: PaymentProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Response(status_code=307, headers={"location": f"{provider.address}/elsewhere"})
    monkeypatch.setattr(provider.payments, "_pay", lambda *_: elsewhere)
    async with payments_at(provider.address) as payments:
        with pytest.raises(PaymentUnavailable, match="redirects are not followed"):
            await payments.pay(intent_of())


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("payments.example.com", "needs a full address"),
        ("ftp://payments.example.com", "needs a full address"),
        ("https://ada:secret@payments.example.com", "SIGNOFF_PAYMENTS_TOKEN instead"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_the_start(address: str, told: str) -> None:
    with pytest.raises(PaymentsError, match=told) as refused:
        HttpPayments(address)
    assert "secret" not in str(refused.value)


async def test_every_request_and_every_answer_is_as_the_document_says(provider: PaymentProvider) -> None:
    intents = [
        intent_of(1, payment_reference="pay-7"),
        intent_of(1, amount=usd(1)),
        intent_of(2, method=PayoutMethod.STORE_CREDIT),
        intent_of(3, amount=usd(20_001), payment_reference="pay-7"),
        *(intent_of(number) for number in range(4, 9)),
    ]
    provider.ledger.faults.extend([None] * 4)
    provider.ledger.faults.extend([Fault.ERROR, Fault.RATE_LIMITED, Fault.IN_PROGRESS, Fault.PENDING_THEN_FAILED])
    async with payments_at(provider.address) as payments:
        for intent in intents:
            await _whatever_comes(payments.pay(intent))
            await _whatever_comes(payments.look_up(intent))
    async with payments_at(provider.address, "unknown") as strangers:
        await _whatever_comes(strangers.pay(intents[0]))
    seen = provider.payments.exchanges
    for exchange in seen:
        assert list(contradictions(exchange)) == []
    assert {exchange.status for exchange in seen} == {200, 201, 401, 402, 404, 409, 422, 429, 500}


def test_the_document_is_a_schema_where_it_says_so() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    for name in DOCUMENT["components"]["schemas"]:
        Draft202012Validator.check_schema(_schema(name))
    assert not _valid("Payment", {"reference": "1", "status": "succeeded"})


async def _whatever_comes(call: Any) -> None:
    try:
        await call
    except (PaymentDeclined, PaymentPending, PaymentUnavailable, PaymentUncertain):
        return


def contradictions(exchange: Exchange) -> Any:
    """What the document does not allow of one request and its answer."""
    path = "/payments" if exchange.path == "/payments" else "/payments/{idempotency_key}"
    operation = DOCUMENT["paths"][path][exchange.method.lower()]
    if exchange.method == "POST":
        wanted = {header["name"].lower() for header in operation["parameters"] if header["in"] == "header"}
        if not wanted <= exchange.headers.keys():
            yield f"headers are missing: {wanted}"
        if not _valid("PaymentOrder", json.loads(exchange.body)):
            yield f"no PaymentOrder: {exchange.body!r}"
    if str(exchange.status) not in operation["responses"]:
        yield f"{exchange.method} answers {exchange.status}"
        return
    component = operation["responses"][str(exchange.status)]["$ref"].rpartition("/")[2]
    [media_type] = DOCUMENT["components"]["responses"][component]["content"]
    if exchange.media_type != media_type or not _valid(component, json.loads(exchange.answer)):
        yield f"no {component}: {exchange.media_type} {exchange.answer!r}"


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def _valid(name: str, instance: object) -> bool:
    return bool(Draft202012Validator(_schema(name)).is_valid(instance))


async def test_the_provider_can_be_told_what_to_do_from_another_process(provider: PaymentProvider) -> None:
    async with httpx.AsyncClient(base_url=provider.address) as admin, payments_at(provider.address) as payments:
        await admin.post("/_admin/payments", json={"pay-8": [500, "USD"]})
        await admin.post("/_admin/faults", json={"pay": ["error"], "look_up": ["rate-limited"]})
        with pytest.raises(PaymentUncertain):
            await payments.pay(intent_of(payment_reference="pay-8", amount=usd(500)))
        with pytest.raises(PaymentUnavailable):
            await payments.look_up(intent_of())
        await payments.pay(intent_of(payment_reference="pay-8", amount=usd(500)))
        key = intent_of().idempotency_key
        await admin.post("/_admin/settle", json={"idempotency_key": key, "status": "failed"})
        [entry] = (await admin.get("/_admin/entries")).json()
    assert (entry["idempotency_key"], entry["amount"], entry["status"]) == (key, 500, "failed")


async def test_the_provider_runs_as_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.stack.payment_provider", "--captured", "20000", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            told = json.loads(await process.stdout.readline())
        async with payments_at(told["address"], told["token"]) as payments:
            assert await payments.pay(intent_of(payment_reference="pay-9")) == Payment("pay-1")
    finally:
        process.terminate()
        await process.communicate()
