"""Composes a message from text that agents and customers wrote: nothing of it can become a header or a recipient."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr

LONGEST_SUBJECT = 300
"""Characters. What is longer is no subject, and a mail programme cuts it anyway."""

_LONGEST_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3: a path is at most 256 octets with its angle brackets."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
"""RFC 5322's dot-atom form in ASCII. Quoted local parts, comments and domain literals are left out: no person has such
an address, and each is a way to show a reviewer one address and to write to another."""

_ENCODED_WORD = re.compile(r"=\?.*\?=", re.DOTALL)
"""RFC 2047. The library decodes it where it writes a header: what it stands for, a line break or another address, would
be in the message, and not what the reviewer read."""


class BadMessage(ValueError):
    """It cannot be a message; nothing was sent. Names the field, and never quotes what could be a person's text."""


def parse_address(text: str, field: str) -> Address:
    """A bare address, `local@domain`. A display name is refused: it could show another address than the one that is
    written to."""
    found = _ADDRESS.fullmatch(text.strip(" "))
    if found is None or len(text) > _LONGEST_ADDRESS or len(found["local"]) > 64:
        raise BadMessage(
            f"{field}: {text[:80]!a} is no e-mail address; write it as name@example.org, without a display name, an "
            "international domain in its xn-- form"
        )
    _refuse_encoded_words(text, field)
    return Address(username=found["local"], domain=found["domain"].lower())


def _refuse_encoded_words(text: str, field: str) -> None:
    if _ENCODED_WORD.search(text):
        raise BadMessage(f"{field}: it holds an encoded word, =?...?=; write its characters themselves")


def parse_sender(text: str) -> Address:
    """An address that may have a display name, `Orders <orders@example.org>`: an operator wrote it."""
    _refuse_controls(text, "from")
    _refuse_encoded_words(text, "from")
    name, address = parseaddr(text)
    bare = parse_address(address or text, "from")
    return Address(display_name=name, username=bare.username, domain=bare.domain)


def compose(
    *,
    sender: str,
    to: Sequence[str],
    subject: str,
    text: str,
    key: str,
    at: datetime,
    cc: Sequence[str] = (),
    html: str | None = None,
) -> EmailMessage:
    """A message in plain text, beside it `html` where that is given, which must be escaped already.

    The Message-ID follows from `key`, an idempotency key: a message that is sent twice is one to whoever files by it.
    Auto-Submitted (RFC 3834) keeps robots from answering. Raises BadMessage.
    """
    from_address = parse_sender(sender)
    if not to:
        raise BadMessage("to: at least one address is needed")
    message = EmailMessage()
    message["From"] = from_address
    message["To"] = [parse_address(address, "to") for address in to]
    if cc:
        message["Cc"] = [parse_address(address, "cc") for address in cc]
    message["Subject"] = _subject(subject)
    message["Date"] = at
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{from_address.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_written(text, "body"))
    if html is not None:
        message.add_alternative(_written(html, "html"), subtype="html")
    return message


def _subject(text: str) -> str:
    _refuse_controls(text, "subject")
    _refuse_encoded_words(text, "subject")
    if len(text) > LONGEST_SUBJECT:
        raise BadMessage(f"subject: it has {len(text)} characters; at most {LONGEST_SUBJECT} are sent")
    return _written(text, "subject")


def _refuse_controls(text: str, field: str) -> None:
    """A line break in a header begins another header."""
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        raise BadMessage(f"{field}: it holds a line break or a control character; write it as one line")


def _written(text: str, field: str) -> str:
    if "\0" in text:
        raise BadMessage(f"{field}: it holds a NUL character, which no mail may")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadMessage(f"{field}: it holds half a surrogate pair, which is no text") from None
    return text
