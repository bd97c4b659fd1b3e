"""What all providers behind HTTP have in common."""

import httpx

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Errors after which the request cannot have arrived; any other one leaves that open."""

LONGEST_QUOTE = 300
"""Characters of a provider's own words that we repeat: a page of some proxy comes as one text."""


def patience(time_limit_s: float) -> httpx.Timeout:
    """A connection that takes half of the limit is not made: then nothing was sent, and nothing can have moved."""
    return httpx.Timeout(time_limit_s, connect=time_limit_s / 2)


def quoted(text: str) -> str:
    """On one line, and not too long."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
