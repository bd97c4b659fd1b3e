"""What an executor answered becomes part of the case and of its outcome: plain JSON, and no more than fits there."""

import json
import re
from typing import Any

LARGEST_RESULT = 16 * 1024
"""Bytes of JSON. An outcome holds the results of all actions, and a record of Kafka is at most 1 MiB."""

DEEPEST_RESULT = 50
"""Objects and lists in each other. The checkpoint's format ends at 254, of which the case around it needs some."""

_HEAD = LARGEST_RESULT // 4
"""Characters of the head of a result that was cut: in UTF-8 one takes four bytes at most."""

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def plain_result(result: Any) -> Any:
    """The result as JSON has it, without NUL, which PostgreSQL stores nowhere. Of one that is too large, too deep or no
    JSON, its head as text."""
    try:
        text = json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        return _cut(_as_text(result))
    if size > LARGEST_RESULT or _deeper_than(DEEPEST_RESULT, result):
        return _cut(text)
    return json.loads(_ESCAPED_NUL.sub(r"\1", text))


def _cut(text: str) -> dict[str, Any]:
    """Lone surrogates are no UTF-8."""
    head = text[:_HEAD].replace("\x00", "").encode("utf-8", "replace").decode()
    return {"truncated": True, "head": head}


def _deeper_than(levels: int, value: Any) -> bool:
    if not isinstance(value, dict | list | tuple):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(levels - 1, part) for part in inner)


def _as_text(result: Any) -> str:
    """A result that cannot even be printed has an answer too: its type."""
    try:
        return str(result)
    except Exception:
        return type(result).__name__
