"""Signatures by Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, for a receiver to verify.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SMALLEST_SECRET, LARGEST_SECRET = 24, 64
"""Bytes, by the specification."""

_ID = re.compile(r"[!-\-/-~]{1,255}")
"""Visible ASCII without the full stop, which divides what is signed: with it, one signature could fit two messages."""


class BadSecret(ValueError):
    """A secret that nothing can be signed with. The message does not repeat it."""


def key_of(secret: str) -> bytes:
    """The bytes of a `whsec_…` secret. Raises BadSecret."""
    if not secret.startswith(PREFIX):
        raise BadSecret(f"a webhook secret starts with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret(f"a webhook secret is base64 after {PREFIX}") from None
    if not SMALLEST_SECRET <= len(key) <= LARGEST_SECRET:
        raise BadSecret(f"a webhook secret has {SMALLEST_SECRET} to {LARGEST_SECRET} bytes, and not {len(key)}")
    return key


def sign(secrets: Sequence[str], id: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a signed message. One signature for each secret: a receiver accepts any of them, so that a
    secret can be replaced without a gap. Raises BadSecret, and ValueError for an id that cannot be signed."""
    if not secrets:
        raise BadSecret("there is no webhook secret to sign with")
    if not _ID.fullmatch(id):
        raise ValueError("the id of a signed message is up to 255 characters of visible ASCII without a full stop")
    seconds = int(timestamp.timestamp())
    signed = f"{id}.{seconds}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
