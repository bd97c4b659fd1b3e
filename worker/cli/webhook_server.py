"""The server behind `signoff webhooks`: HTTP on one side, the topic of exceptions on the other."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from schemas.catalogue import ORDER_EXCEPTIONS, topic_name
from worker.adapters.kafka.sending import Sending, sender
from worker.cli.output import note
from worker.cli.readiness import report_readiness
from worker.entrypoints.provider_webhooks import provider_webhooks
from worker.entrypoints.stripe_refunds import Report
from worker.settings import Settings

CONNECTIONS = 100
"""At once. A provider sends a few side by side; what is more gets 503, and comes again."""


HEAD_S = 10.0
"""For the head of a request. uvicorn waits for one without end, so that a few silent connections would be all."""


async def serve_webhooks(settings: Settings, secret: str, listener: socket.socket) -> None:
    """Raises KafkaConnectionError when no broker is there at the start; one that goes away later is waited for."""
    async with sender(settings.kafka_bootstrap_servers) as kafka:

        async def publish(report: Report) -> None:
            topic = topic_name(settings.topic_prefix, ORDER_EXCEPTIONS)
            await kafka.send(Sending(topic, report.key.encode(), report.value, report.headers))

        await run_server(provider_webhooks(secret, publish), listener)


async def run_server(app: Starlette, listener: socket.socket) -> None:
    """Ends when it is cancelled; requests that are under way get their answer first."""
    server = _Server(
        uvicorn.Config(
            app,
            http=ImpatientConnection,
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


class ImpatientConnection(H11Protocol):
    """Ends when no request is under way after HEAD_S seconds, and again after as many: a provider connects anew."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def look_later(self) -> None:
        """At whether it still has a request under way."""
        self._look = asyncio.get_running_loop().call_later(HEAD_S, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            self.look_later()
