"""A TCP proxy on the loopback whose wire can be cut, slowed, or made to carry one way only.

A fault acts on bytes, never on messages: what a living connection carries arrives whole and in order, or the
connection ends. So whatever goes wrong behind a wire could have gone wrong on a network.
"""

import asyncio
import contextlib
import enum
import socket
import struct
from types import TracebackType
from typing import Literal, Self

from tests.chaos.wire_flow import Flow

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: the kernel sends RST in place of FIN, and drops what was not sent."""

LISTEN_BACKLOG = 1024

Silence = Literal["there", "back", "both"]


class Way(enum.Enum):
    """Where bytes go: `THERE` from the client to the target, `BACK` from the target to the client."""

    THERE = "there"
    BACK = "back"


class Wire:
    """`async with Wire(target=port) as wire`: connect to `wire.port` in place of `target`, both on 127.0.0.1.

    `port` stays the same for the wire's life. `target` may be changed at any time, and counts for the next connection.
    Each fault may be repeated, and lasts until `heal`.
    """

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._refusing = False
        self._silent: frozenset[Way] = frozenset()
        self._delay_seconds = 0.0

    @property
    def port(self) -> int:
        return self._port

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: End(self.connection(), Way.THERE), "127.0.0.1", 0, backlog=LISTEN_BACKLOG
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()
            self.cut()
            await asyncio.gather(*(connection.closed() for connection in tuple(self._connections)))
            await self._server.wait_closed()
            self._server = None

    def connection(self) -> "Connection":
        """Makes what carries one client's bytes; a wire that understands a protocol makes one that reads them."""
        return Connection(self)

    def cut(self) -> int:
        """Reset all connections now, at both ends. Returns how many there were."""
        connections = tuple(self._connections)
        for connection in connections:
            connection.reset()
        return len(connections)

    def refuse(self, refusing: bool = True) -> None:
        """Reset each new connection as soon as it is made. Those that are open stay so."""
        self._refusing = refusing

    def silence(self, ways: Silence | None) -> None:
        """Carry nothing that way. Bytes wait, in order, until the wire is healed, like those of a sender whose
        packets are dropped and sent again; the end of a connection waits with them.
        """
        self._silent = frozenset(Way) if ways == "both" else frozenset({Way(ways)} if ways else ())
        self._tell_connections()

    def delay(self, seconds: float) -> None:
        """Carry everything this much later, each way. 0 ends that."""
        self._delay_seconds = seconds
        self._tell_connections()

    def heal(self) -> None:
        """End every fault; what waited goes out now."""
        self.refuse(False)
        self.silence(None)
        self.delay(0)

    def admits(self, connection: "Connection") -> bool:
        """Note a new connection, and say whether it may live."""
        if self._refusing:
            return False
        self._connections.add(connection)
        return True

    def forget(self, connection: "Connection") -> None:
        self._connections.discard(connection)

    def apply_to(self, way: Way, flow: Flow) -> None:
        """Put the faults of this moment on a flow."""
        flow.delay(self._delay_seconds)
        flow.hold(way in self._silent)

    def _tell_connections(self) -> None:
        for connection in tuple(self._connections):
            for way, flow in connection.flows.items():
                self.apply_to(way, flow)


class Connection:
    """One client's connection and the one to the target that belongs to it."""

    def __init__(self, wire: Wire) -> None:
        self.flows: dict[Way, Flow] = {}
        self._wire = wire
        self._client: asyncio.Transport | None = None
        self._target: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._both_closed = asyncio.Event()

    def accepted(self, client: asyncio.Transport) -> None:
        """The client is there; it is not read before the target is."""
        self._client = client
        client.pause_reading()
        if self._wire.admits(self):
            self._dialling = asyncio.create_task(self._dial(client))
        else:
            self.reset()

    def carry(self, way: Way, data: bytes) -> None:
        self.flows[way].carry(data)

    def ended(self, way: Way) -> None:
        """The sender of that way has nothing more to say, which its receiver learns after the bytes before it."""
        self.flows[way].end()

    def full(self, way: Way, is_full: bool) -> None:
        """The receiver of that way is slower than its sender."""
        if flow := self.flows.get(way):
            flow.wait_for_room(is_full)

    def reset(self) -> None:
        """End both connections at once with RST."""
        if self._dialling:
            self._dialling.cancel()
        for transport in (self._client, self._target):
            if transport:
                with contextlib.suppress(OSError):  # the socket is closed already
                    _socket(transport).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                transport.abort()

    def lost(self, transport: asyncio.BaseTransport, error: Exception | None) -> None:
        """One of the two is gone. A reset is passed on as a reset."""
        if transport is self._client:
            self._client = None
        else:
            self._target = None
        if self._client is None and self._target is None:
            if self._dialling:
                self._dialling.cancel()
            for flow in self.flows.values():
                flow.drop()
            self._wire.forget(self)
            self._both_closed.set()
        elif error or not self._said_all():
            self.reset()

    async def closed(self) -> None:
        await self._both_closed.wait()

    async def _dial(self, client: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: End(self, Way.BACK), "127.0.0.1", self._wire.target)
        except OSError:
            self._dialling = None
            self.reset()

    def dialled(self, target: asyncio.Transport) -> None:
        client = self._client
        self._dialling, self._target = None, target
        if client is None or client.is_closing():
            self.reset()
            return
        self.flows = {
            Way.THERE: Flow(source=client, sink=target, when_ended=self._close_when_all_is_said),
            Way.BACK: Flow(source=target, sink=client, when_ended=self._close_when_all_is_said),
        }
        for way, flow in self.flows.items():
            self._wire.apply_to(way, flow)

    def _said_all(self) -> bool:
        return bool(self.flows) and all(flow.ended for flow in self.flows.values())

    def _close_when_all_is_said(self) -> None:
        if self._said_all():
            for transport in (self._client, self._target):
                if transport:
                    transport.close()


class End(asyncio.Protocol):
    """One of the two sockets of a connection; `way` is where the bytes go that it receives."""

    def __init__(self, connection: Connection, way: Way) -> None:
        self._connection = connection
        self._way = way
        self._other_way = Way.BACK if way is Way.THERE else Way.THERE
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._way is Way.THERE:
            self._connection.accepted(transport)
        else:
            self._connection.dialled(transport)

    def data_received(self, data: bytes) -> None:
        self._connection.carry(self._way, data)

    def eof_received(self) -> bool:
        self._connection.ended(self._way)
        return True  # the other half stays open

    def pause_writing(self) -> None:
        self._connection.full(self._other_way, True)

    def resume_writing(self) -> None:
        self._connection.full(self._other_way, False)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport:
            self._connection.lost(self._transport, exc)


def _socket(transport: asyncio.Transport) -> socket.socket:
    found: socket.socket = transport.get_extra_info("socket")
    return found
