"""JSON values that somebody put into a file, each with the place where it stood.

JSON, JSON Lines, values one after another and an array of values are all read by the same rule: whatever values there
are, in order; an array at the top is opened. Each is read as strictly as a record of its own.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from schemas.strict_json import Refused, parse_json

_SPACE = " \t\r\n"
_SCANNER = json.JSONDecoder()


class UnreadableValues(ValueError):
    """The message says where, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it begins, in words: `events.jsonl, line 3`; in an array also `item 7`, counted from 1."""

    place: str
    data: Any


def values_in(raw: bytes, name: str) -> list[Located]:
    """All values of a file that is called `name`. Raises UnreadableValues when one is not JSON, or there is none."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableValues(f"{name}: byte {error.start} is not valid UTF-8") from None
    values = [_strict(f"{name}, {place}", part) for place, part in _parts(name, text)]
    if not values:
        raise UnreadableValues(f"{name}: there is nothing to send in it")
    return values


def members_of(values: Iterable[Located], field: str) -> list[Located]:
    """The values, and in place of an object with this field the members of the list that it holds.

    Raises UnreadableValues when that is no list, or an empty one.
    """
    found: list[Located] = []
    for value in values:
        members = value.data.get(field) if isinstance(value.data, dict) else None
        if members is None:
            found.append(value)
            continue
        if not isinstance(members, list) or not members:
            raise UnreadableValues(f"{value.place}: {field}: must be a list with something in it")
        noun = field.removesuffix("s")
        found += [Located(f"{value.place}, {noun} {number}", data) for number, data in enumerate(members, start=1)]
    return found


def _strict(place: str, part: str) -> Located:
    """As strict as the worker will be: duplicate keys, NaN and the like are refused before they are sent."""
    raw = part.encode("utf-8", errors="surrogatepass")
    try:
        return Located(place, parse_json(raw, max_bytes=len(raw)))
    except Refused as refused:
        raise UnreadableValues(f"{place}: {refused.detail}") from None


class _Lines:
    """The numbers of lines, counted on from the last that was asked for: a file is looked through once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line = 1

    def at(self, position: int) -> int:
        """`position` is never before that of an earlier call."""
        self._line += self._text.count("\n", self._position, position)
        self._position = position
        return self._line


def _parts(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Where each value begins, and its text."""
    position, lines = _after_space(text, 0), _Lines(text)
    if text[position : position + 1] == "[":
        yield from _members(name, text, position + 1, lines)
        return
    while position < len(text):
        end = _end_of_value(name, text, position)
        yield f"line {lines.at(position)}", text[position:end]
        position = _after_space(text, end)


def _members(name: str, text: str, position: int, lines: _Lines) -> Iterator[tuple[str, str]]:
    position = _after_space(text, position)
    closed = text[position : position + 1] == "]"
    for number in count(1):
        if closed:
            break
        end = _end_of_value(name, text, position)
        yield f"line {lines.at(position)}, item {number}", text[position:end]
        position = _after_space(text, end)
        closed = text[position : position + 1] == "]"
        if not closed:
            if text[position : position + 1] != ",":
                raise UnreadableValues(f"{name}, line {lines.at(position)}: a comma or the end of the array is missing")
            position = _after_space(text, position + 1)
    if text[position + 1 :].strip(_SPACE):
        raise UnreadableValues(f"{name}, line {lines.at(position)}: there is more behind the end of the array")


def _end_of_value(name: str, text: str, position: int) -> int:
    try:
        return _SCANNER.raw_decode(text, position)[1]
    except json.JSONDecodeError as error:
        raise UnreadableValues(f"{name}, line {error.lineno}: not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise UnreadableValues(f"{name}, line {_line(text, position)}: nested far too deeply") from None
    except ValueError:
        raise UnreadableValues(f"{name}, line {_line(text, position)}: a number is far too long") from None


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
