"""What all providers behind HTTP have in common."""

from typing import Annotated

import httpx
from pydantic import AfterValidator

from schemas.values import Identifier

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Errors after which the request cannot have arrived; any other one leaves that open."""

LONGEST_QUOTE = 300
"""Characters of a provider's own words that we repeat: a page of some proxy comes as one text."""


def patience(time_limit_s: float) -> httpx.Timeout:
    """A connection that takes half of the limit is not made: then nothing was sent, and nothing can have moved."""
    return httpx.Timeout(time_limit_s, connect=time_limit_s / 2)


def quoted(text: str) -> str:
    """On one line, not too long, and without what cannot be seen: no log obeys it, and every store takes it."""
    text = " ".join("".join(map(_visible, text)).split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else ""


def _of_visible_characters(reference: str) -> str:
    if not reference.isprintable():
        raise ValueError("it holds characters that cannot be seen")
    return reference


Reference = Annotated[Identifier, AfterValidator(_of_visible_characters)]
"""A provider's own id of a payment."""
