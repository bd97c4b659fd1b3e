"""An https server on loopback that does to each request what a test says: answers, waits, drips, or hangs up.

It has a certificate for `127.0.0.1` and `localhost`, of an authority that `trust` knows.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trustme


@dataclass(frozen=True, slots=True)
class Received:
    """`headers` by lower-case name. `path` is the target as it was sent, with its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """`waits`: no answer comes until the receiver ends. `drips`: the status line comes, and then a header for ever, a
    byte at a time. `hangs_up`: the connection ends once the request was read, without an answer. `lingers`: the answer
    comes, without a length, and the connection that would end it stays open."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False
    drips: bool = False
    hangs_up: bool = False
    lingers: bool = False


class HttpsReceiver:
    """`replies` maps a path, without its query, to what is done there; elsewhere `otherwise` is. A list of replies is
    used up one request at a time, and its last stays; a function is asked for each.

    `authority` is a PEM file's content, for clients that are told of their trust by a file."""

    def __init__(self, *names: str) -> None:
        self.replies: dict[str, Reply | list[Reply] | Callable[[Received], Reply]] = {}
        self.otherwise: Reply | list[Reply] | Callable[[Received], Reply] = Reply()
        self.received: list[Received] = []
        self.connections = 0
        authority = trustme.CA()
        self.trust = ssl.create_default_context()
        authority.configure_trust(self.trust)
        self.authority = authority.cert_pem.bytes()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(self._tls)
        self._arrived = asyncio.Condition()
        self._serving: set[asyncio.Task[None]] = set()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self.port}{path}"

    @property
    def place(self) -> str:
        """`host:port`, for allow lists."""
        return f"127.0.0.1:{self.port}"

    async def open(self, port: int = 0) -> None:
        """A port of its own choice by default; one that was its own before to come back after an outage."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=self._tls)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def wait_for(self, count: int, within_s: float = 10.0) -> list[Received]:
        """All requests, as soon as there are so many."""
        async with asyncio.timeout(within_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
                await self._answer(await self._read(reader), writer)
        finally:
            self._serving.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Received:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        received = Received(method, path, headers, body)
        async with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()
        return received

    def _reply_to(self, request: Received) -> Reply:
        reply = self.replies.get(request.path.partition("?")[0], self.otherwise)
        if isinstance(reply, list):
            return reply.pop(0) if len(reply) > 1 else reply[0]
        return reply if isinstance(reply, Reply) else reply(request)

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        reply = self._reply_to(request)
        if reply.hangs_up:
            return
        if reply.waits:
            await asyncio.Event().wait()
        if reply.drips:
            await _drip(writer)
        length = {} if reply.lingers else {"content-length": str(len(reply.body))}
        headers = {**length, "connection": "close", **reply.headers}
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1") + reply.body)
        await writer.drain()
        if reply.lingers:
            await asyncio.Event().wait()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nx-slow: ")
    while not writer.is_closing():
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)  # the pace of the drip, which nothing waits for


@contextlib.asynccontextmanager
async def receiving(*names: str) -> AsyncIterator[HttpsReceiver]:
    """A receiver while it is open; `names` are those of its certificate, by default `127.0.0.1` and `localhost`."""
    receiver = HttpsReceiver(*names)
    await receiver.open()
    try:
        yield receiver
    finally:
        await receiver.close()
