"""The server behind `signoff webhooks`: HTTP on one side, the topic of exceptions on the other."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from schemas.catalogue import ORDER_EXCEPTIONS, topic_name
from worker.adapters.kafka.sending import Sending, sender
from worker.cli.output import note
from worker.cli.readiness import report_readiness
from worker.entrypoints.provider_webhooks import provider_webhooks
from worker.entrypoints.stripe_refunds import Report
from worker.settings import Settings

CONNECTIONS = 100
"""At once. A provider sends a few side by side; what is more gets 503, and comes again."""


async def serve_webhooks(settings: Settings, secret: str, listener: socket.socket) -> None:
    """Raises KafkaConnectionError when no broker is there at the start; one that goes away later is waited for."""
    async with sender(settings.kafka_bootstrap_servers) as kafka:

        async def publish(report: Report) -> None:
            topic = topic_name(settings.topic_prefix, ORDER_EXCEPTIONS)
            await kafka.send(Sending(topic, report.key.encode(), report.value, report.headers))

        await _run(provider_webhooks(secret, publish), listener)


async def _run(app: Starlette, listener: socket.socket) -> None:
    """Ends when it is cancelled; requests that are under way get their answer first."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    host, port = listener.getsockname()[:2]
    note(f"POST http://{host}:{port}/stripe takes the webhooks of Stripe")
    ready = asyncio.Event()
    ready.set()
    try:
        await report_readiness(ready)
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Signals are the business of `run_until_signalled`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
