"""JSON as the event contract wants it, read here once more with the standard library's own parser.

An independent reading: where the worker takes what this refuses, or the other way round, one of them is wrong.
"""

import json
from hashlib import blake2b
from typing import Any, NoReturn

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
_INT64 = range(-(2**63), 2**63)


class Illegible(ValueError):
    """The bytes are no JSON that the contract allows."""


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Raises Illegible for what is too large or too deep, for bytes that are no UTF-8, and for what RFC 8259 does not
    have or PostgreSQL cannot hold: NaN, infinities, a key twice, NUL, lone surrogates, integers beyond 64 bits."""
    if len(raw) > MAX_BYTES:
        raise Illegible("too large")
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Illegible(str(error)) from error
    _check(value, max_depth)
    return value


def digest(value: Any) -> bytes:
    """The same for the same JSON value, however it is written."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).digest()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise Illegible("a key twice")
    return mapping


def _integer(digits: str) -> int:
    if len(digits) > 20 or (number := int(digits)) not in _INT64:
        raise Illegible("an integer beyond 64 bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Illegible("a number beyond all bounds")
    return number


def _constant(name: str) -> NoReturn:
    raise Illegible(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise Illegible("NUL")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Illegible("half of a surrogate pair") from error
    elif isinstance(value, dict | list):
        if depth == 0:
            raise Illegible("too deep")
        if isinstance(value, dict):
            for key in value:
                _check(key, depth)
        for held in value.values() if isinstance(value, dict) else value:
            _check(held, depth - 1)
