"""Hands a message to a mail server, and says which of three things came of it.

A recipient that the server refuses stops the message before its text is sent: a message goes to everybody whom the
reviewer saw, or to nobody.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from ipaddress import ip_address
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from worker.adapters.mail.message import parse_sender

Encryption = Literal["starttls", "tls", "none"]

TIMEOUT_S = 20.0
"""For a whole delivery, from the first packet to the server's last answer."""

_LONGEST_ANSWER = 300
"""Characters of a server's answer that are kept."""

_PERMANENT = 500
"""RFC 5321, 4.2.1: a reply of 500 and above will be the same next time; one of 400 and above may not be."""

_REFUSALS = range(400, 600)
"""What else a server answers to the text says nothing of what it did with it."""


class MailRefused(Exception):
    """The server refuses this message, and would again. Nothing was sent."""


class MailUnavailable(Exception):
    """The server was not reached, or refuses to work now. Nothing was sent."""


class MailUncertain(Exception):
    """The connection was lost after the text began: the server may have taken the message."""


class Mailer:
    """Sends each message over a connection of its own: mail is rare here, and a kept connection is found dead."""

    def __init__(
        self,
        *,
        host: str,
        from_address: str,
        port: int = 587,
        tls: Encryption = "starttls",
        username: str | None = None,
        password: str | None = None,
        timeout_s: float = TIMEOUT_S,
        insecure: bool = False,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` none is for this machine only, unless `insecure` says that it is meant. `tls_context` is for a
        server whose certificate is not of a public authority. Raises ValueError."""
        if tls == "none" and not insecure and not is_loopback(host):
            raise ValueError(
                f"tls: mail to {host} would go over the network unencrypted; say starttls or tls, or insecure: true"
            )
        if (username is None) != (password is None):
            raise ValueError("username, password: a server asks for both or for neither")
        self.from_address = str(parse_sender(from_address))
        self._server = f"{host}:{port}"
        self._host, self._port, self._tls = host, port, tls
        self._username, self._password = username, password
        self._timeout_s = timeout_s
        self._tls_context = tls_context

    async def send(self, message: EmailMessage) -> str:
        """The server's answer. Raises MailRefused, MailUnavailable or MailUncertain."""
        text_began = False
        try:
            async with asyncio.timeout(self._timeout_s), self._connected() as server:
                await server.mail(_addresses(message, "from")[0])
                for recipient in _addresses(message, "to", "cc"):
                    await server.rcpt(recipient)
                text_began = True
                answer = await server.data(message.as_bytes(policy=WIRE.clone(cte_type="7bit")))
                return _in_short(answer.message)
        except (SMTPSenderRefused, SMTPRecipientRefused, SMTPDataError) as error:
            said = f"{self._server} answered {error.code} {_in_short(error.message)}"
            if text_began and error.code not in _REFUSALS:
                raise MailUncertain(said) from error
            raise (MailRefused(said) if error.code >= _PERMANENT else MailUnavailable(said)) from error
        except (SMTPException, OSError) as error:
            if text_began:
                raise MailUncertain(f"{self._server} did not say whether it took the message: {_why(error)}") from error
            raise MailUnavailable(f"{self._server} cannot be used: {_why(error)}") from error

    async def check(self) -> str | None:
        """What is wrong with the server, or None when it would let us in."""
        try:
            async with asyncio.timeout(self._timeout_s), self._connected() as server:
                await server.noop()
        except (SMTPException, OSError) as error:
            return f"{self._server} cannot be used: {_why(error)}"
        return None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[SMTP]:
        """Greeted, encrypted and let in. It is closed without waiting for a farewell: a message that was taken stays
        taken."""
        server = SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            timeout=self._timeout_s,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
            tls_context=self._tls_context,
        )
        try:
            await server.connect()
            await server.ehlo()
            yield server
        finally:
            server.close()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _addresses(message: EmailMessage, *headers: str) -> list[str]:
    """Each address once, in order."""
    found = [header for name in headers for header in message.get_all(name, [])]
    each = [address.addr_spec for header in found if isinstance(header, AddressHeader) for address in header.addresses]
    return list(dict.fromkeys(each))


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, SMTPResponseException):
        return f"it answered {error.code} {_in_short(error.message)}"
    return _in_short(str(error)) or type(error).__name__


def _in_short(answer: str) -> str:
    """On one line, and fit to be kept: a server's bytes may be no text at all."""
    shown = "".join(character if character.isprintable() else " " for character in answer)
    return " ".join(shown.split())[:_LONGEST_ANSWER]
