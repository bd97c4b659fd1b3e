"""A run's folder, read file by file. Nothing is judged here: what is not there or cannot be read is Incomplete."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

Row = dict[str, Any]

PARTIES = ("traffic", "people", "adversary", "harness")
INPUTS = ("order-exceptions", "review-decisions")
OUTPUTS = ("approvals", "decision-receipts", "order-outcomes", "dead-letters")
TABLES = (
    "approvals",
    "audit",
    "cases",
    "checkpoint_blobs",
    "checkpoint_writes",
    "checkpoints",
    "dead_letters",
    "decisions",
    "inbox",
    "intents",
    "ledger_entries",
    "order_balances",
    "outbox",
)


class Incomplete(Exception):
    """The folder cannot be judged. The message names the file and what is wrong with it."""


class Folder:
    """`first` is the state that the run came to rest in, `replayed` the one after all topics were read again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = Dump(path / "dump")
        self.replayed = Dump(path / "replayed")

    def check(self) -> None:
        """Raises Incomplete with every file that is not there."""
        wanted = [self.path / f"{name}.json" for name in ("plan", "orders", "reviewers", "levels", "canaries")]
        wanted += [self.path / "history" / f"{party}.jsonl" for party in PARTIES]
        wanted.append(self.path / "payments.jsonl")
        for dump in (self.first, self.replayed):
            wanted += [dump.table_file(name) for name in TABLES]
            wanted += [dump.topic_file(name) for name in (*INPUTS, *OUTPUTS)]
        missing = [str(file.relative_to(self.path)) for file in wanted if not file.is_file()]
        if not self.logs():
            missing.append("logs/*.log")
        if missing:
            raise Incomplete(f"{self.path}: {', '.join(missing)} not there; was the run interrupted before its end?")

    def document(self, name: str) -> Any:
        file = self.path / f"{name}.json"
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Incomplete(f"{file}: {error}") from error

    def history(self, party: str) -> Iterator[Row]:
        return lines(self.path / "history" / f"{party}.jsonl")

    def payments(self) -> Iterator[Row]:
        return journal(self.path / "payments.jsonl")

    def effects(self) -> Iterator[Row]:
        """There is no such file before the first executor ran."""
        file = self.path / "effects.jsonl"
        return journal(file) if file.is_file() else iter(())

    def logs(self) -> list[Path]:
        return sorted((self.path / "logs").glob("*.log"))


class Dump:
    """All tables and topics as they were at one moment."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def table_file(self, name: str) -> Path:
        return self.path / "tables" / f"{name}.jsonl"

    def topic_file(self, name: str) -> Path:
        return self.path / "topics" / f"{name}.jsonl"

    def table(self, name: str) -> Iterator[Row]:
        return lines(self.table_file(name))

    def topic(self, name: str) -> Iterator[Row]:
        return lines(self.topic_file(name))


def lines(file: Path) -> Iterator[Row]:
    """The objects of a file of JSON lines. A last line without its end was cut off when its writer was killed."""
    try:
        with file.open(encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                if line.endswith("\n"):
                    yield _row(file, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise Incomplete(f"{file}: {error}") from error


def journal(file: Path) -> Iterator[Row]:
    """The objects of a file that several processes appended to, one after the other. What one of them was killed in
    the middle of writing was never answered for, and another goes on behind it."""
    with file.open("rb") as text:
        for line in text:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def _row(file: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise Incomplete(f"{file}:{number}: {error}") from error
    if not isinstance(row, dict):
        raise Incomplete(f"{file}:{number}: a JSON object is expected")
    return row


def seconds(moment: str | None) -> float | None:
    """A time of PostgreSQL or of an event, as seconds since 1970; None stays None."""
    return None if moment is None else datetime.fromisoformat(moment).timestamp()
