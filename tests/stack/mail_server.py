"""A mail server on loopback: it keeps what it takes, and fails as a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from aiosmtpd.smtp import LoginPassword as Login


@dataclass
class Post:
    """What the server was given, and what it answers.

    `rcpt` and `data` are its replies where a test wants others than 250. `drops` loses the connection after the text
    came, and `holds` answers it only when `released`.
    """

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    rcpt: dict[str, str] = field(default_factory=dict)
    data: str = "250 2.0.0 queued as 4711"
    drops: bool = False
    holds: bool = False
    text_came: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds its handlers by these names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.rcpt.get(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.text_came.set()
        if self.holds:
            await self.released.wait()
        if self.drops and server.transport is not None:
            server.transport.close()
        if self.data.startswith("250"):
            self.envelopes.append(envelope)
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append(message_from_bytes(content, policy=policy.default))
        return self.data


@asynccontextmanager
async def mail_server(
    *, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
) -> AsyncIterator[Post]:
    """It listens on an ephemeral port of 127.0.0.1. With `tls` it wants STARTTLS first, with `login` that name and
    password."""
    post = Post()
    connections: list[SMTP] = []

    def let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        assert isinstance(given, Login)
        known = login is not None and (given.login.decode(), given.password.decode()) == login
        return AuthResult(success=known, handled=False)

    def connection() -> SMTP:
        protocol = SMTP(
            post,
            hostname="mail.test",
            enable_SMTPUTF8=False,
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=login is not None,
            auth_require_tls=tls is not None,
            authenticator=let_in if login else None,
            loop=asyncio.get_running_loop(),
        )
        connections.append(protocol)
        return protocol

    listening = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    post.port = listening.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        listening.close()
        post.released.set()
        for protocol in connections:
            if protocol.transport is not None:
                protocol.transport.close()
        await listening.wait_closed()
