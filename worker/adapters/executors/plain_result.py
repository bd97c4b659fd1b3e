"""What an executor answered becomes part of the case and of its outcome: plain JSON, and no more than fits there."""

import json
from typing import Any

from schemas.strict_json import Refused, parse_json

LARGEST_RESULT = 16 * 1024
"""Bytes of JSON. An outcome holds the results of all actions, and a record of Kafka is at most 1 MiB."""

_HEAD = LARGEST_RESULT // 4
"""Characters of the head of a result that was cut: in UTF-8 one takes four bytes at most."""


def plain_result(result: Any) -> Any:
    """The result as strict JSON has it. Of one that is too large, or that no case could hold, its head as text."""
    try:
        text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return _cut(_as_text(result))
    try:
        return parse_json(text.encode(), max_bytes=LARGEST_RESULT)
    except (Refused, UnicodeEncodeError):
        return _cut(text)


def plain_text(text: str, longest: int) -> str:
    """Up to that many characters, as a case can hold them: PostgreSQL stores no NUL, and lone surrogates are no
    UTF-8."""
    return text[:longest].replace("\x00", "").encode("utf-8", "replace").decode()


def _cut(text: str) -> dict[str, Any]:
    return {"truncated": True, "head": plain_text(text, _HEAD)}


def _as_text(result: Any) -> str:
    """A result that cannot even be printed has an answer too: its type."""
    try:
        return str(result)
    except Exception:
        return type(result).__name__
