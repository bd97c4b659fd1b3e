"""A payment provider's books on disk: each step is a line before anybody is answered, and a new process reads them.

A line is written by one `write` to a file that only grows, so that whoever kills the process loses no line that it
answered for. Against a loss of power it would need fsync, which tests do without.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from tests.stack.payment_ledger import Entry, Fault


class Journal:
    """`before` are the entries that earlier processes made, in their order, `said_no_to` the keys they refused."""

    def __init__(self, path: Path) -> None:
        lines = [_line(text) for text in path.read_bytes().split(b"\n")] if path.exists() else []
        self.before = _entries(lines)
        self.said_no_to = {line["idempotency_key"] for line in lines if line.get("event") == "refused"}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if _ends_within_a_line(path):
            os.write(self._file, b"\n")

    def asked(self, entry: Entry, fault: Fault | None) -> None:
        self._write("asked", entry, fault)

    def looked_up(self, idempotency_key: str, entry: Entry | None, fault: Fault | None) -> None:
        self._append(event="looked-up", idempotency_key=idempotency_key, found=entry is not None, fault=fault)

    def moved(self, entry: Entry, fault: Fault | None) -> None:
        self._write("moved", entry, fault)

    def refused(self, entry: Entry, fault: Fault | None) -> None:
        self._write("refused", entry, fault, status="refused")

    def settled(self, entry: Entry) -> None:
        self._write("settled", entry, None)

    def close(self) -> None:
        os.close(self._file)

    def _write(self, event: str, entry: Entry, fault: Fault | None, **more: Any) -> None:
        self._append(event=event, **{**{name: getattr(entry, name) for name in _KEPT}, "fault": fault, **more})

    def _append(self, **line: Any) -> None:
        os.write(self._file, json.dumps({"at": time.time(), **line}).encode() + b"\n")


_KEPT = (
    "idempotency_key",
    "order_id",
    "case_id",
    "amount",
    "currency",
    "method",
    "status",
    "becomes",
    "payment_reference",
    "reference",
)
"""What a line says of an entry, and a new process knows of it."""


def _entries(lines: list[dict[str, Any]]) -> list[Entry]:
    """What was moved, as it was settled, and how often it was looked at."""
    entries: dict[str, Entry] = {}
    for line in lines:
        key = line.get("idempotency_key", "")
        if line.get("event") == "moved":
            entries[key] = Entry(**{name: line[name] for name in _KEPT})
        elif line.get("event") == "looked-up" and key in entries and line["fault"] is None:
            entries[key].looks += 1
        elif line.get("event") == "settled":
            entries[key].status, entries[key].becomes = line["status"], None
            entries[key].reason = "expired_or_canceled_card" if line["status"] == "failed" else None
    return list(entries.values())


def _line(text: bytes) -> dict[str, Any]:
    """Empty for a last one that was cut off: it was never answered for."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _ends_within_a_line(path: Path) -> bool:
    content = path.read_bytes()
    return bool(content) and not content.endswith(b"\n")
