"""How a payment provider misbehaves on the wire, whichever of its APIs was asked."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Protocol

import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tests.stack.payment_ledger import Fault

SLOW_S = 3.0
"""How long a slow provider takes; clients with a shorter limit are gone by then."""

AFTER_EFFECT = (Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.GARBAGE)
_STATUS = {
    Fault.ERROR: 500,
    Fault.ERROR_AFTER: 500,
    Fault.RATE_LIMITED: 429,
    Fault.IN_PROGRESS: 409,
}


class Misbehaving(Protocol):
    """One of the provider's APIs: how it words a failure."""

    def failure(self, status: int) -> Response: ...


async def answered(
    request: Request, fault: Fault | None, api: Misbehaving, act: Callable[[Fault | None], Response]
) -> Response:
    """`act` moves the money, and answers as the API does."""
    if fault is None:
        return act(None)
    if fault in AFTER_EFFECT:
        act(None)
    if fault in _STATUS:
        return api.failure(_STATUS[fault])
    match fault:
        case Fault.TIMEOUT | Fault.TIMEOUT_AFTER:
            return await _silence(request)
        case Fault.RESET | Fault.RESET_AFTER:
            return _reset(request)
        case Fault.GARBAGE:
            return HTMLResponse("<html>Bad gateway</html>")
        case Fault.SLOW:
            await asyncio.sleep(SLOW_S)
            return act(None)
        case _:
            return act(fault)


async def _silence(request: Request) -> Response:
    """Until the client gives up."""
    await request.body()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def _reset(request: Request) -> Response:
    """Ends the connection with RST instead of an answer."""
    server: uvicorn.Server = request.app.state.server
    for connection in server.server_state.connections:
        if getattr(connection, "client", None) == tuple(request.client or ()):
            transport = connection.transport
            raw: socket.socket = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
    return Response()
