"""Takes the webhooks of payment providers, and publishes what they say of payments that failed after all.

A webhook is answered with 200 when the broker has the record, and not before: a provider sends again what was not
taken. Nothing is kept here, so that several may run side by side.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import stripe
from aiokafka.errors import KafkaError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from worker.entrypoints.stripe_refunds import Report, Unreadable, report_of

TOLERANCE_S = 300
"""How old a signature may be, as Stripe recommends: an older one may be somebody's copy."""

LARGEST_BODY = 256 * 1024
"""Bytes. An event about a refund is some kilobytes."""

BODY_S = 10.0
PUBLISH_S = 10.0
"""Stripe waits longer than both together."""

Publish = Callable[[Report], Awaitable[None]]
"""Returns when all replicas have the record. Raises KafkaError."""

_log = logging.getLogger(__name__)


class _Refusal(Exception):
    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


def provider_webhooks(stripe_secret: str, publish: Publish, *, publish_s: float = PUBLISH_S) -> Starlette:
    """`POST /stripe`, and nothing else. `stripe_secret` is the signing secret of the endpoint, `whsec_…`."""

    async def take(request: Request) -> Response:
        try:
            body = await _body(request)
            _verify(body, request.headers.get("stripe-signature"), stripe_secret)
            report = _report_in(body)
            if report is None:
                return PlainTextResponse("not about a refund of ours that failed")
            await _publish(report, publish, publish_s)
        except _Refusal as refusal:
            _log.warning("a webhook was refused with %d: %s", refusal.status, refusal)
            return PlainTextResponse(str(refusal), refusal.status)
        return PlainTextResponse("taken")

    return Starlette(routes=[Route("/stripe", take, methods=["POST"])])


async def _body(request: Request) -> bytes:
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                content += part
                if len(content) > LARGEST_BODY:
                    raise _Refusal(413, f"the body is larger than {LARGEST_BODY} bytes")
    except TimeoutError:
        raise _Refusal(408, f"the body did not come within {BODY_S:g} s") from None
    except ClientDisconnect:
        raise _Refusal(400, "the body did not come to its end") from None
    return bytes(content)


def _verify(body: bytes, signature: str | None, secret: str) -> None:
    """What is wrong with a signature is not said: whoever forges one need not learn it."""
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_S)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError):  # the last for one that is not ASCII
        raise _Refusal(400, "the signature is missing, wrong or old; check SIGNOFF_STRIPE_WEBHOOK_SECRET") from None


def _report_in(body: bytes) -> Report | None:
    try:
        return report_of(body)
    except Unreadable as error:
        raise _Refusal(400, f"no event of Stripe: {error}") from error


async def _publish(report: Report, publish: Publish, publish_s: float) -> None:
    try:
        async with asyncio.timeout(publish_s):
            await publish(report)
    except (KafkaError, TimeoutError) as error:
        raise _Refusal(503, f"Kafka did not take it ({type(error).__name__}); send it again") from error
