"""8. Reading all topics again from offset 0 changes nothing."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tests.chaos.checker.folder import Folder, Row
from tests.chaos.checker.json_text import digest
from tests.chaos.checker.run import Run
from tests.chaos.checker.violation import Violation

Key = tuple[Any, ...]

KEYS: dict[str, tuple[str, ...]] = {
    "approvals": ("approval_id",),
    "audit": ("case_id", "number"),
    "cases": ("case_id",),
    "checkpoint_blobs": ("thread_id", "checkpoint_ns", "channel", "version"),
    "checkpoint_writes": ("thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx"),
    "checkpoints": ("thread_id", "checkpoint_ns", "checkpoint_id"),
    "dead_letters": ("topic", "partition", "offset", "part"),
    "decisions": ("decision_id",),
    "inbox": ("topic", "partition", "offset", "part"),
    "intents": ("idempotency_key",),
    "ledger_entries": ("idempotency_key",),
    "order_balances": ("order_id",),
    "outbox": ("event_id",),
}
"""The tables that must be as they were, with their primary keys or what stands for them."""

_LEASES = frozenset({"available_at", "leased_by", "takes", "attempts", "published_at"})
"""Columns that say who works on a row until when, and how often it was sent."""

_NAMED = 5
"""Rows that are named of each table; the rest is counted."""


def check(run: Run) -> Iterator[Violation]:
    for table in KEYS:
        yield from _is_unchanged(run.folder, table)
    before = {each.event_id for each in run.published.appearances}
    for appearance in run.published_after_replay.appearances:
        if appearance.event_id not in before:
            yield Violation(8, "a new event after the topics were read again", appearance.where)
    yield from _records_stay(run)
    for movement in run.books.movements:
        if movement.at > run.rested_at:
            yield Violation(8, "money moved because the topics were read again", movement.where)
    for effect in run.effects:
        if run.workers_knew_the_time and effect.at > run.rested_at:
            yield Violation(8, "an action ran because the topics were read again", effect.where)


def _is_unchanged(folder: Folder, table: str) -> Iterator[Violation]:
    """The rows are read only where the files differ, and looked at one by one only where the tables do."""
    if _bytes(folder.first.table_file(table)) == _bytes(folder.replayed.table_file(table)):
        return
    if _sum(folder.first.table(table)) == _sum(folder.replayed.table(table)):
        return
    before, after = _by_key(folder.first.table(table), table), _by_key(folder.replayed.table(table), table)
    changed = [(key, "changed") for key in before.keys() & after.keys() if before[key] != after[key]]
    changed += [(key, "is gone") for key in before.keys() - after.keys()]
    changed += [(key, "is new") for key in after.keys() - before.keys()]
    for key, what in sorted(changed, key=str)[:_NAMED]:
        where = {"table": table, **dict(zip(KEYS[table], key, strict=True))}
        yield Violation(8, f"a row {what} after the topics were read again", where)
    if len(changed) > _NAMED or not changed:
        yield Violation(8, f"{len(changed)} rows differ after the topics were read again", {"table": table})


def _bytes(file: Path) -> int:
    """The same for the same lines in whatever order."""
    with file.open("rb") as lines:
        return sum(int.from_bytes(blake2b(line, digest_size=16).digest()) for line in lines)


def _sum(rows: Iterable[Row]) -> int:
    """The same for the same rows in whatever order."""
    return sum(int.from_bytes(_digest(row)) for row in rows)


def _by_key(rows: Iterable[Row], table: str) -> dict[Key, bytes]:
    return {tuple(row[name] for name in KEYS[table]): _digest(row) for row in rows}


def _digest(row: Row) -> bytes:
    return digest({name: held for name, held in row.items() if name not in _LEASES})


def _records_stay(run: Run) -> Iterator[Violation]:
    """What was published lies there still, at its place."""
    places = {(each.topic, each.partition, each.offset): each.seal for each in run.published_after_replay.appearances}
    for each in run.published.appearances:
        if places.get((each.topic, each.partition, each.offset)) != each.seal:
            yield Violation(8, "a published record is not there any more", each.where)
