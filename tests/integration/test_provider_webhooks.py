"""Stripe says that a refund failed after it succeeded: its word becomes an event, or is refused."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import stripe
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from schemas.catalogue import ORDER_EXCEPTIONS
from schemas.cloudevents import decode
from schemas.events import PaymentFailed
from tests.commands import signoff
from tests.stack.payment_ledger import Entry
from tests.stack.payment_stripe_api import refund_of
from worker.cli import webhook_server
from worker.entrypoints.provider_webhooks import LARGEST_BODY, Publish, provider_webhooks
from worker.entrypoints.stripe_refunds import Report
from worker.settings import Settings

SECRET = "whsec_of_the_tests"  # noqa: S105 - nobody else's
FAILED = Entry(
    "re_7", "signoff:7:1", "ORD-7", "case-7", 15_000, "USD", "original_method", "pi_7",
    status="failed", reason="expired_or_canceled_card",
)  # fmt: skip
PATIENCE_S = 30


def event(refund: dict[str, Any] | None = None, **fields: Any) -> bytes:
    known = {"id": "evt_1", "object": "event", "type": "refund.failed", "created": 1_767_607_200}
    return json.dumps({**known, "data": {"object": refund or refund_of(FAILED)}, **fields}).encode()


def signature(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    signed: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at or time.time()))
    return signed


class Taken(list[Report]):
    """What was published."""

    async def __call__(self, report: Report) -> None:
        self.append(report)


@pytest.fixture
def taken() -> Taken:
    return Taken()


@asynccontextmanager
async def door(publish: Publish, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = provider_webhooks(SECRET, publish, **options)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://signoff") as client:
        yield client


async def post(publish: Publish, body: bytes, header: str | None = None, **options: Any) -> httpx.Response:
    async with door(publish, **options) as client:
        signed = signature(body) if header is None else header
        return await client.post("/stripe", content=body, headers={b"stripe-signature": signed.encode("latin-1")})


@pytest.mark.parametrize("type_", ["refund.failed", "refund.updated", "charge.refund.updated"])
async def test_a_refund_that_failed_becomes_an_event_of_its_order(taken: Taken, type_: str) -> None:
    assert (await post(taken, event(type=type_))).status_code == 200
    [report] = taken
    record = decode(report.value, report.headers)
    assert report.key == "ORD-7"
    assert record.attributes["id"] == "stripe:evt_1"
    assert ORDER_EXCEPTIONS.model(record.type).model_validate(record.data) == PaymentFailed(
        idempotency_key="signoff:7:1",
        payment_reference="re_7",
        reason="refund failed: expired_or_canceled_card",
        provider="stripe",
        reported_by="provider:stripe",
    )


async def test_the_same_event_again_is_the_same_record(taken: Taken) -> None:
    for _ in range(2):
        await post(taken, event())
    assert taken[0] == taken[1]


@pytest.mark.parametrize(
    "body",
    [
        event({**refund_of(FAILED), "status": "succeeded"}),
        event({**refund_of(FAILED), "status": "pending"}),
        event({**refund_of(FAILED), "metadata": {}}),
        event({**refund_of(FAILED), "metadata": {"order_id": "ORD-7"}}),
        event(type="charge.refunded"),
        event({"id": "cus_1"}, type="customer.created"),
    ],
)
async def test_what_is_not_about_a_failed_refund_of_ours_is_taken_and_ignored(taken: Taken, body: bytes) -> None:
    assert (await post(taken, body)).status_code == 200
    assert taken == []


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="missing"),
        pytest.param("t=1,v1=00", id="too short"),
        pytest.param("nonsense", id="no signature"),
        pytest.param(signature(event(), secret="whsec_of_somebody"), id="of another secret"),  # noqa: S106 - nobody's
        pytest.param(signature(event(), at=time.time() - 3600), id="an hour old"),
        pytest.param(signature(event(id="evt_2")), id="of another body"),
        pytest.param(f"t={int(time.time())},v1=\u00e9", id="no hexadecimal digits"),
        pytest.param("t=" + "9" * 5_000 + ",v1=00", id="beyond all years"),
        pytest.param("t=\u00b2,v1=00", id="a date of strange digits"),
    ],
)
async def test_a_signature_that_is_missing_wrong_or_old_is_refused(taken: Taken, header: str) -> None:
    answer = await post(taken, event(), header)
    assert answer.status_code == 400
    assert "signature is missing, wrong or old" in answer.text
    assert taken == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b"no json", 400),
        (event(created="yesterday"), 400),
        (event(created=253_402_300_800), 400),
        (event({"id": 7, "status": "failed"}), 400),
        (b'{"a":' * 5_000, 400),
        (b" " * (LARGEST_BODY + 1), 413),
    ],
)
async def test_a_signed_body_that_is_no_event_is_refused(taken: Taken, body: bytes, status: int) -> None:
    assert (await post(taken, body)).status_code == status
    assert taken == []


async def test_bytes_that_are_no_text_are_refused(taken: Taken) -> None:
    assert (await post(taken, b"\xff\xfe", "t=1,v1=00")).status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_a_webhook_comes_by_post_only(taken: Taken, method: str) -> None:
    async with door(taken) as client:
        assert (await client.request(method, "/stripe")).status_code == 405


async def test_stripe_is_asked_to_send_again_while_kafka_is_away() -> None:
    async def refuse(_: Report) -> None:
        raise KafkaConnectionError("no broker")

    assert (await post(refuse, event())).status_code == 503


async def test_stripe_is_asked_to_send_again_when_kafka_does_not_answer() -> None:
    async def never(_: Report) -> None:
        await asyncio.Event().wait()

    assert (await post(never, event(), publish_s=0.05)).status_code == 503


@asynccontextmanager
async def serving_alone(publish: Publish) -> AsyncIterator[tuple[str, int]]:
    """The server of `signoff webhooks` without Kafka."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = asyncio.create_task(webhook_server.run_server(provider_webhooks(SECRET, publish), listener))
        try:
            yield listener.getsockname()
        finally:
            server.cancel()
            await asyncio.gather(server, return_exceptions=True)


async def test_connections_that_never_say_what_they_want_hold_up_nobody(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_server, "HEAD_S", 0.3)
    monkeypatch.setattr(webhook_server, "CONNECTIONS", 5)
    async with serving_alone(taken) as (host, port), asyncio.timeout(PATIENCE_S):
        silent = [await asyncio.open_connection(host, port) for _ in range(5)]
        for _, writer in silent:
            writer.write(b"POST /stripe HTTP/1.1\r\nhost: signoff\r\nx-slow: ")
        for reader, writer in silent:
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            answer = await client.post("/stripe", content=event(), headers={"stripe-signature": signature(event())})
    assert answer.status_code == 200
    assert len(taken) == 1


async def test_a_request_that_takes_long_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka may need longer than a head may take."""
    looks: asyncio.Queue[None] = asyncio.Queue()

    class Watched(webhook_server.ImpatientConnection):
        def look_later(self) -> None:
            super().look_later()
            looks.put_nowait(None)

    async def three_looks_later(_: Report) -> None:
        for _look in range(3):
            await looks.get()

    monkeypatch.setattr(webhook_server, "HEAD_S", 0.05)
    monkeypatch.setattr(webhook_server, "ImpatientConnection", Watched)
    async with (
        serving_alone(three_looks_later) as (host, port),
        httpx.AsyncClient(base_url=f"http://{host}:{port}") as client,
    ):
        answer = await client.post("/stripe", content=event(), headers={"stripe-signature": signature(event())})
    assert answer.status_code == 200


@asynccontextmanager
async def webhooks_running(settings: Settings) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The address of `signoff webhooks`, and its process."""
    own = {
        "SIGNOFF_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "SIGNOFF_TOPIC_PREFIX": settings.topic_prefix,
        "SIGNOFF_STRIPE_WEBHOOK_SECRET": SECRET,
    }
    others = {name: text for name, text in os.environ.items() if not name.startswith("SIGNOFF_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "worker", "webhooks", "--listen", "127.0.0.1:0",
        env=others | own, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stderr.readline()).decode()
        assert "takes the webhooks of Stripe" in line
        yield line.split()[1], process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_event_is_on_the_topic_before_stripe_has_its_answer(migrated: Settings) -> None:
    async with webhooks_running(migrated) as (address, process), httpx.AsyncClient() as provider:
        answer = await provider.post(address, content=event(), headers={"stripe-signature": signature(event())})
        assert answer.status_code == 200
        record = await _first_exception(migrated)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
    assert record.key == b"ORD-7"
    assert decode(record.value, list(record.headers)).type == PaymentFailed.TYPE


async def _first_exception(settings: Settings) -> Any:
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + ORDER_EXCEPTIONS.name,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await consumer.getone()
    finally:
        await consumer.stop()


def test_the_command_wants_the_secret_of_the_endpoint() -> None:
    ran = signoff("webhooks")
    assert ran.code == 1
    assert "SIGNOFF_STRIPE_WEBHOOK_SECRET: set it" in ran.err


@pytest.mark.parametrize("address", ["8787", "here:there", "127.0.0.1:70000"])
def test_an_address_that_is_none_is_wrong_usage(address: str) -> None:
    ran = signoff("webhooks", "--listen", address, SIGNOFF_STRIPE_WEBHOOK_SECRET=SECRET)
    assert ran.code == 2
    assert "is no HOST:PORT" in ran.err


def test_an_address_that_is_taken_is_named() -> None:
    ran = signoff("webhooks", "--listen", "192.0.2.1:8787", SIGNOFF_STRIPE_WEBHOOK_SECRET=SECRET)
    assert ran.code == 1
    assert "nobody can listen there" in ran.err


def test_no_broker_is_a_named_failure() -> None:
    ran = signoff(
        "webhooks",
        "--listen",
        "127.0.0.1:0",
        SIGNOFF_STRIPE_WEBHOOK_SECRET=SECRET,
        SIGNOFF_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
    )
    assert ran.code == 1
    assert "Kafka at 127.0.0.1:1 cannot be reached" in ran.err
