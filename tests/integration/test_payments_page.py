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

from tests.builders import an_intent, an_unopened_case, usd
from tests.integration.conftest import worker_running
from tests.records import raise_exceptions
from tests.stack.payment_ledger import Captured, Fault, Ledger
from tests.stack.payment_provider import STRIPE_KEY, payment_provider, serving
from worker.adapters.payments.http import HttpPayments
from worker.application.ports.payments import PaymentDeclined
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


async def test_the_exception_on_the_page_is_refunded_although_the_answer_is_lost(migrated: Settings) -> None:
    [exception] = [json.loads(block) for block in blocks("json")]
    ledger = Ledger(unregistered=Captured(20_000, "USD"))
    ledger.faults.append(Fault.RESET_AFTER)
    async with payment_provider(ledger) as provider:
        chosen = {
            "payments": "stripe",
            "stripe_api_key": SecretStr(STRIPE_KEY),
            "stripe_api_base": provider.address,
        }
        async with worker_running(migrated.model_copy(update=chosen)):
            await raise_exceptions(migrated, exception)
    [entry] = ledger.entries()
    with psycopg.connect(migrated.database_url) as database:
        [(state, reference)] = database.execute("select state, body ->> 'payment_reference' from cases").fetchall()
    assert (entry.payment_reference, entry.amount, entry.currency) == ("pi_7001", 2_500, "USD")
    assert (state, reference) == ("executed", entry.reference)
