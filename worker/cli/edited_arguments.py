"""Edited arguments as people type them: `0={"to": "bob"}`, or `0=@FILE` for those that are too long for a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.strict_json import Refused, parse_json


class EditProblem(ValueError):
    """The message says what is wrong with the edit and how to write it."""


def parse_edits(texts: Sequence[str]) -> list[dict[str, Any]]:
    """The `edited_actions` of a decision. Raises EditProblem."""
    edits = [_parsed(text) for text in texts]
    indexes = [edit["index"] for edit in edits]
    twice = next((index for place, index in enumerate(indexes) if index in indexes[:place]), None)
    if twice is not None:
        raise EditProblem(f"action {twice} is edited twice; give all of its arguments once")
    return edits


def _parsed(text: str) -> dict[str, Any]:
    number, equals, said = text.partition("=")
    number = number.strip()
    if not equals or not (number.isascii() and number.isdecimal()):
        raise EditProblem(f'{text!r} is no edit; write NUMBER={{"name": "value"}} or NUMBER=@FILE, counted from 0')
    args = _object(said.strip(), f"action {int(number)}")
    return {"index": int(number), "args": args}


def _object(said: str, what: str) -> dict[str, Any]:
    raw, place = _content(said, what)
    if not raw.strip():
        raise EditProblem(f"{place}: holds nothing; the arguments are a JSON object, {{}} for none")
    try:
        args = parse_json(raw)
    except Refused as refused:
        raise EditProblem(f"{place}: {refused.detail}") from refused
    if not isinstance(args, dict):
        raise EditProblem(f"{place}: the arguments must be a JSON object, all of them as they shall be")
    return args


def _content(said: str, what: str) -> tuple[bytes, str]:
    """The bytes, and what to call the place where they stand."""
    if not said.startswith("@"):
        return said.encode(errors="surrogateescape"), what
    path = said[1:]
    try:
        return Path(path).read_bytes(), f"{what}, {path}"
    except OSError as error:
        raise EditProblem(f"{what}: {path}: {(error.strerror or str(error)).lower()}") from error
