"""JSON values from a file or from standard input, each with the place where it stood.

JSON, JSON Lines, values one after another and an array of values are all read by the same rule: whatever values
there are, in order; an array at the top is opened.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer_scripts.failure import Failure
from schemas.strict_json import Refused, parse_json

STANDARD_INPUT = "-"

_SPACE = " \t\r\n"
_SCANNER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it begins, in words: `events.jsonl, line 3`."""

    place: str
    data: Any


def read_bytes(path: str) -> bytes:
    """Raises Failure when the file cannot be read."""
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {(error.strerror or str(error)).lower()}") from None


def read_values(path: str) -> list[Located]:
    """Raises Failure when the file cannot be read, holds nothing, or holds something that is not JSON."""
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(f"{name}: byte {error.start} is not valid UTF-8") from None
    values = [_strict(f"{name}, line {line}", part) for line, part in _parts(name, text)]
    if not values:
        raise Failure(f"{name}: there is nothing to send in it")
    return values


def raw_records(path: str) -> list[bytes]:
    """What `path` holds, unread: each line of a `.jsonl` file, else the whole as one record."""
    raw = read_bytes(path)
    if path.endswith((".jsonl", ".ndjson")):
        return [line for line in raw.splitlines() if line.strip()]
    return [raw]


def _strict(place: str, part: str) -> Located:
    """As strict as the worker will be: duplicate keys, NaN and the like are refused before they are sent."""
    raw = part.encode("utf-8", errors="surrogatepass")
    try:
        return Located(place, parse_json(raw, max_bytes=len(raw)))
    except Refused as refused:
        raise Failure(f"{place}: {refused.detail}") from None


def _parts(name: str, text: str) -> Iterator[tuple[int, str]]:
    """The text of each value, and the line on which it begins."""
    position = _after_space(text, 0)
    if text[position : position + 1] == "[":
        yield from _members(name, text, position + 1)
        return
    while position < len(text):
        end = _end_of_value(name, text, position)
        yield _line(text, position), text[position:end]
        position = _after_space(text, end)


def _members(name: str, text: str, position: int) -> Iterator[tuple[int, str]]:
    position = _after_space(text, position)
    closed = text[position : position + 1] == "]"
    while not closed:
        end = _end_of_value(name, text, position)
        yield _line(text, position), text[position:end]
        position = _after_space(text, end)
        closed = text[position : position + 1] == "]"
        if not closed:
            if text[position : position + 1] != ",":
                raise Failure(f"{name}, line {_line(text, position)}: a comma or the end of the array is missing")
            position = _after_space(text, position + 1)
    if text[position + 1 :].strip(_SPACE):
        raise Failure(f"{name}, line {_line(text, position)}: there is more behind the end of the array")


def _end_of_value(name: str, text: str, position: int) -> int:
    try:
        return _SCANNER.raw_decode(text, position)[1]
    except json.JSONDecodeError as error:
        raise Failure(f"{name}, line {error.lineno}: not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise Failure(f"{name}, line {_line(text, position)}: nested far too deeply") from None
    except ValueError:
        raise Failure(f"{name}, line {_line(text, position)}: a number is far too long") from None


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
