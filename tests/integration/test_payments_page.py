"""What docs/payments.md shows runs as it stands there."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from schemas.catalogue import ORDER_EXCEPTIONS, topic_name
from tests.builders import an_intent, an_unopened_case, usd
from tests.integration.conftest import worker_running
from tests.records import raise_exceptions, seen
from tests.stack.payment_ledger import Captured, Entry, Fault, Ledger
from tests.stack.payment_provider import STRIPE_KEY, PaymentProvider, payment_provider, serving
from tests.stack.payment_stripe_api import refund_of
from worker.adapters.kafka.sending import Sending, sender
from worker.adapters.payments.http import HttpPayments
from worker.application.ports.payments import PaymentDeclined
from worker.entrypoints.stripe_refunds import Report, report_of
from worker.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "payments.md").read_text(encoding="utf-8")
CASE = an_unopened_case(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@asynccontextmanager
async def service_of_the_page() -> AsyncIterator[str]:
    [program] = blocks("python")
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - our own page
    async with serving(names["app"]) as address:
        yield address


async def test_the_service_on_the_page_keeps_its_promises() -> None:
    async with service_of_the_page() as address, aclosing(HttpPayments(address)) as payments:
        intent = an_intent(CASE)
        assert await payments.look_up(intent) is None
        paid = await payments.pay(intent)
        assert await payments.pay(intent) == paid
        assert await payments.look_up(intent) == paid
        with pytest.raises(PaymentDeclined, match="used before"):
            await payments.pay(an_intent(CASE, amount=usd(1)))


@asynccontextmanager
async def worker_on_stripe(settings: Settings, provider: PaymentProvider) -> AsyncIterator[None]:
    chosen = {"payments": "stripe", "stripe_api_key": SecretStr(STRIPE_KEY), "stripe_api_base": provider.address}
    async with worker_running(settings.model_copy(update=chosen)):
        yield


@pytest.fixture
async def provider() -> AsyncIterator[PaymentProvider]:
    """As the page starts it."""
    async with payment_provider(Ledger(unregistered=Captured(20_000, "USD"))) as provider:
        yield provider


async def test_the_exception_on_the_page_is_refunded_although_the_answer_is_lost(
    migrated: Settings, provider: PaymentProvider
) -> None:
    [exception] = [json.loads(block) for block in blocks("json")]
    provider.ledger.faults.append(Fault.RESET_AFTER)
    async with worker_on_stripe(migrated, provider):
        await raise_exceptions(migrated, exception)
    [entry] = provider.ledger.entries()
    with psycopg.connect(migrated.database_url) as database:
        [(state, reference)] = database.execute("select state, body ->> 'payment_reference' from cases").fetchall()
    assert (entry.payment_reference, entry.amount, entry.currency) == ("pi_7001", 2_500, "USD")
    assert (state, reference) == ("executed", entry.reference)


async def test_a_refund_that_fails_days_later_is_put_before_a_person(
    migrated: Settings, provider: PaymentProvider
) -> None:
    [exception] = [json.loads(block) for block in blocks("json")]
    async with worker_on_stripe(migrated, provider):
        await raise_exceptions(migrated, exception)
        [paid] = provider.ledger.entries()
        provider.ledger.settle(paid.idempotency_key, "failed")
        for number in (1, 2):
            await publish_report(migrated, failure_of(paid, f"evt_{number}"))
        await seen(migrated, ("approvals",), "exception_id", {f"payment-failed:{paid.idempotency_key}"})
    assert provider.ledger.entries() == [paid]


def failure_of(refund: Entry, event_id: str) -> Report:
    event = {
        "id": event_id,
        "type": "refund.failed",
        "created": 1_767_607_200,
        "data": {"object": refund_of(refund)},
    }
    report = report_of(json.dumps(event).encode())
    assert report is not None
    return report


async def publish_report(settings: Settings, report: Report) -> None:
    async with sender(settings.kafka_bootstrap_servers) as kafka:
        topic = topic_name(settings.topic_prefix, ORDER_EXCEPTIONS)
        await kafka.send(Sending(topic, report.key.encode(), report.value, report.headers))
