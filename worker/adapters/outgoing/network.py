"""Connections of httpcore to checked addresses only, which a cancelled handshake does not leave open."""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from worker.adapters.outgoing.addresses import Doorkeeper, Place

CONNECT_S = 5.0
"""For one address: a host that has several is tried at each within the time of the whole request."""


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the very addresses that the doorkeeper let pass."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's own signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._doorkeeper.addresses_of(Place(host, port))
        for address in others:
            try:
                return await self._connect(address, port)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._connect(last, port)

    async def _connect(self, address: str, port: int) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._network.connect_tcp(address, port, CONNECT_S))


class _Stream(httpcore.AsyncNetworkStream):
    """A connection before its encryption. httpcore 1.0 closes it when the handshake fails, and forgets it when the
    handshake is cancelled, as a time limit does."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's own signature)
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
