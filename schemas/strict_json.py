"""JSON as RFC 8259 means it, with limits: what passes here can be stored, checkpointed and
answered.

Size and depth are judged on the bytes, before anything is parsed, in linear time. Then refused is
what common parsers let through and a later step would choke on or misread: NaN and infinities,
duplicate keys (the two readers of one record would see two amounts), NUL (PostgreSQL's JSONB
refuses it), lone surrogates (not UTF-8), and integers beyond 64 bits (the checkpoint format has
none).

A `detail` never repeats what was sent: it may be personal, and it ends up in logs and dead letters.
"""

import json
import re
from itertools import accumulate
from typing import Any, NoReturn

from schemas.values import RejectionReason

MAX_BYTES = 256 * 1024
"""An order exception is 1 kB; this is far above any honest one and far below what hurts."""

MAX_DEPTH = 32
"""The checkpoint serializer gives up at 254; no event of ours nests deeper than 10."""

# Possessive and with an optional closing quote, so that an unterminated string is consumed in one
# go: each byte is looked at once, whatever was sent.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_RISKY_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_INT64 = range(-(2**63), 2**63)
_LONGEST_INTEGER = 20


class Refused(Exception):
    """A record that cannot be accepted: a reason for machines and a sentence for people."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def parse_json(raw: bytes | None, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """The value that `raw` holds.

    Raises `Refused` with EMPTY (a tombstone, too), TOO_LARGE, TOO_DEEP, INVALID_UTF8 or
    INVALID_JSON.
    """
    if not raw or (len(raw) <= max_bytes and raw.isspace()):
        raise Refused(RejectionReason.EMPTY, "the record has no value")
    if len(raw) > max_bytes:
        raise Refused(RejectionReason.TOO_LARGE, f"{len(raw)} bytes; at most {max_bytes} are taken")
    if _is_deeper_than(max_depth, raw):
        raise Refused(RejectionReason.TOO_DEEP, f"nested deeper than {max_depth} levels")
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused(RejectionReason.INVALID_UTF8, f"byte {error.start} is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        problem = error.msg.removesuffix(" starting at")
        raise _invalid(f"{problem} at line {error.lineno} column {error.colno}") from None
    if _RISKY_ESCAPE.search(raw):
        _refuse_unstorable_text(value)
    return value


def _is_deeper_than(limit: int, raw: bytes) -> bool:
    """Brackets in strings do not count, so strings are cut out first, when it could matter."""
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return False
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    return max(accumulate(_STEP[bracket] for bracket in brackets), default=0) > limit


def _invalid(detail: str) -> Refused:
    return Refused(RejectionReason.INVALID_JSON, detail)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise _invalid("an object has the same key twice")
    return mapping


def _integer(digits: str) -> int:
    if len(digits) <= _LONGEST_INTEGER and (number := int(digits)) in _INT64:
        return number
    raise _invalid("an integer does not fit into 64 bits")


def _number(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _invalid("a number is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid(f"{name} is not JSON")


def _refuse_unstorable_text(value: Any) -> None:
    """Walks the whole value; called only when an escape was seen that could stand for such text."""
    match value:
        case str():
            if "\0" in value:
                raise _invalid("a string holds the NUL character")
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise _invalid("a string holds half of a surrogate pair")
        case dict():
            for key, held in value.items():
                _refuse_unstorable_text(key)
                _refuse_unstorable_text(held)
        case list():
            for held in value:
                _refuse_unstorable_text(held)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_refuse_constant,
)
