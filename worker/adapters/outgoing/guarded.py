"""Outgoing HTTPS that cannot be turned against the house.

The address that was checked is the one that is connected to, so that a name which resolves differently a moment later
(DNS rebinding) gains nothing; the certificate is still checked against the name. No redirect is followed, no proxy of
the environment is used, no cookie is kept, and nobody can make us wait or read without end.
"""

import asyncio
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

from worker.adapters.outgoing.addresses import Doorkeeper, Place, Resolve, place_of, resolve
from worker.adapters.outgoing.errors import Forbidden, NoAnswer, Unreachable
from worker.adapters.outgoing.network import CheckedNetwork

__all__ = ["Answer", "Forbidden", "Guarded", "NoAnswer", "Unreachable"]

MOST_CONNECTIONS = 100

_LONGEST_REASON = 200
"""Characters: of an answer that is no HTTP, what broke can be quoted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by lower-case name; of one that came several times the last."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Guarded:
    """Sends requests over https; `aclose` ends it.

    `allow_private` names hosts, or `host:port`, that may have private addresses. `verify` holds the certificates that
    are trusted: by default those of certifi, or of SSL_CERT_FILE. `largest_answer` is in bytes.
    """

    def __init__(
        self,
        *,
        allow_private: Collection[str] = (),
        verify: ssl.SSLContext | None = None,
        timeout_s: float = 20.0,
        largest_answer: int = 64 * 1024,
        resolve: Resolve = resolve,
    ) -> None:
        self._timeout_s = timeout_s
        self._largest_answer = largest_answer
        self._doorkeeper = Doorkeeper(allow_private, resolve)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify or httpx.create_ssl_context(),
            max_connections=MOST_CONNECTIONS,
            # A kept connection can end while a request is written to it: nobody then knows whether it arrived.
            max_keepalive_connections=0,
            network_backend=CheckedNetwork(self._doorkeeper),
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str],
        timeout_s: float | None = None,
    ) -> Answer:
        """The answer, whatever its status. `timeout_s` is for all of it, from the look-up of the name to the last byte.

        Raises Forbidden, Unreachable or NoAnswer.
        """
        place, progress, limit_s = place_of(url), _Progress(), timeout_s or self._timeout_s
        request = httpcore.Request(
            method,
            _target(url),
            headers=_sendable(place, headers, body),
            content=body,
            extensions={"trace": progress.note},
        )
        try:
            async with asyncio.timeout(limit_s):
                return await self._exchange(request, place, progress)
        except TimeoutError as error:
            raise progress.failure(place, f"within {limit_s:g} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            why = str(error)[:_LONGEST_REASON] or type(error).__name__
            raise progress.failure(place, why) from error

    async def check(self, url: str) -> None:
        """Whether a request to this URL would be sent at all, now. Raises Forbidden, and Unreachable when the name has
        no address."""
        place = place_of(url)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._doorkeeper.addresses_of(place)
        except TimeoutError as error:
            raise Unreachable(f"{place.host} was not resolved within {self._timeout_s:g} s") from error

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _exchange(self, request: httpcore.Request, place: Place, progress: "_Progress") -> Answer:
        response = await self._pool.handle_async_request(request)
        progress.status = response.status
        try:
            body = bytearray()
            async for part in response.aiter_stream():
                body += part
                if len(body) > self._largest_answer:
                    raise NoAnswer(f"{place} answered more than {self._largest_answer} bytes", response.status)
        finally:
            await response.aclose()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answer(response.status, headers, bytes(body))


class _Progress:
    """Whether any of the request went out, told by httpcore as it happens, and the status that came back."""

    def __init__(self) -> None:
        self._sent = False
        self.status: int | None = None

    async def note(self, event: str, _info: Mapping[str, Any]) -> None:
        if event == "http11.send_request_headers.started":
            self._sent = True

    def failure(self, place: Place, why: str) -> Exception:
        if not self._sent:
            return Unreachable(f"{place} not reached: {why}")
        return NoAnswer(f"{place} gave no answer: {why}", self.status)


def _target(url: str) -> httpcore.URL:
    """The URL as httpx reads it, which is how it was checked."""
    parsed = httpx.URL(url)
    return httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)


def _sendable(place: Place, headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    """Raises Forbidden for a header that would end the line it stands on."""
    for name, value in headers.items():
        if not (name.isascii() and value.isascii() and f"{name}{value}".isprintable()):
            raise Forbidden(f"the header {name!r} holds characters that no header may have")
    ours = {
        "host": str(place),
        "content-length": str(len(body)),
        "accept-encoding": "identity",
        "user-agent": "signoff",
    }
    return [*ours.items(), *((name, value) for name, value in headers.items() if name.lower() not in ours)]
