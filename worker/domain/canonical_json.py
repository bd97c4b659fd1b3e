"""Canonical JSON (RFC 8785): the one way to write a value, so that a hash of it means something to others.

The library writes it in Python, at a cost that shows in every case. The standard encoder, in C, gives the same bytes
for nearly all values; which ones is decided here, and a property test holds the two against each other.
"""

import json
from typing import Any

import rfc8785

_EXACT = 2**53
"""RFC 8785 knows the numbers of IEEE 754 only: beyond this a double skips integers."""


def canonical_json(value: Any) -> bytes:
    """UTF-8. An integer that no double holds is written as the double that JavaScript would read.

    Raises ValueError for what is no JSON: NaN, an infinity, a lone surrogate.
    """
    if _is_written_alike(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        return rfc8785.dumps(_as_doubles(value))
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


def _is_written_alike(value: Any) -> bool:
    """Keys in ASCII sort alike by code point and by UTF-16; most numbers are printed alike."""
    if value is None or isinstance(value, (str, bool)):
        return True
    if isinstance(value, dict):
        return all(key.isascii() for key in value) and all(map(_is_written_alike, value.values()))
    if isinstance(value, list):
        return all(map(_is_written_alike, value))
    if isinstance(value, int):
        return -_EXACT < value < _EXACT
    return isinstance(value, float) and 1e-4 <= abs(value) < 1e15 and not value.is_integer()


def _as_doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_doubles(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_doubles(inner) for inner in value]
    is_large = isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT
    return float(value) if is_large else value
