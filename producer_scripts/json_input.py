"""JSON values from a file or from standard input, each with the place where it stood."""

import sys
from pathlib import Path

from producer_scripts.failure import Failure
from schemas.json_values import Located, UnreadableValues, members_of, values_in

STANDARD_INPUT = "-"


def read_bytes(path: str) -> bytes:
    """Raises Failure when the file cannot be read."""
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {(error.strerror or str(error)).lower()}") from None


def read_values(path: str, members: str | None = None) -> list[Located]:
    """All values; with `members`, in place of an object with this field the members of the list that it holds.

    Raises Failure when the file cannot be read, holds nothing, or holds something that is not JSON.
    """
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        values = values_in(read_bytes(path), name)
        return values if members is None else members_of(values, members)
    except UnreadableValues as error:
        raise Failure(str(error)) from None


def raw_records(path: str) -> list[bytes]:
    """What `path` holds, unread: each line of a `.jsonl` file, else the whole as one record."""
    raw = read_bytes(path)
    if path.endswith((".jsonl", ".ndjson")):
        return [line for line in raw.splitlines() if line.strip()]
    return [raw]
