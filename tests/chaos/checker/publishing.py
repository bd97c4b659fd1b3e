"""6. Published event ids are outbox ids, with the same bytes for the same id, in the order of their case's commits; and
nothing is published that the database lacks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.checker.events import Appearance, Published, seal_of
from tests.chaos.checker.folder import Dump, Row
from tests.chaos.checker.run import Run
from tests.chaos.checker.violation import Violation


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """`line` names the events among which there is an order: those that changed one case. Refusals change nothing, so
    two workers may commit them at the same time and in any order; nor have dead letters one."""

    number: int
    topic: str
    line: str | None
    seal: bytes
    is_marked: bool

    @classmethod
    def of(cls, row: Row) -> "OutboxRow":
        headers = [(name, held.encode()) for name, held in row["headers"].items()]
        return cls(
            number=row["outbox_id"],
            topic=row["topic"],
            line=_line(row),
            seal=seal_of(row["topic"], row["key"].encode(), headers, row["payload"].encode()),
            is_marked=row["published_at"] is not None,
        )


def _line(row: Row) -> str | None:
    if row["topic"] == "dead-letters":
        return None
    if row["topic"] == "decision-receipts" and not json.loads(row["payload"])["accepted"]:
        return None
    return str(row["ordering"])


def check(run: Run) -> Iterator[Violation]:
    yield from _agree(run.folder.first, run.published, "")
    yield from _agree(run.folder.replayed, run.published_after_replay, " after the topics were read again")


def _agree(dump: Dump, published: Published, when: str) -> Iterator[Violation]:
    rows: dict[str, OutboxRow] = {}
    for row in dump.table("outbox"):
        if row["event_id"] in rows:
            yield Violation(6, f"two outbox rows for one event{when}", {"event": row["event_id"]})
        rows[row["event_id"]] = OutboxRow.of(row)
    seen: set[str] = set()
    latest: dict[tuple[str, int, str], int] = {}
    for appearance in published.appearances:
        kept = rows.get(appearance.event_id or "")
        if kept is None:
            yield Violation(6, f"published, and the database lacks it{when}", appearance.where)
            continue
        if kept.seal != appearance.seal:
            yield Violation(6, f"published otherwise than it was committed{when}", appearance.where)
        if appearance.event_id in seen:
            continue
        seen.add(str(appearance.event_id))
        yield from _is_in_order(kept, appearance, latest, when)
    for event_id, kept in rows.items():
        where = {"topic": kept.topic, "event": event_id, "outbox": kept.number}
        if event_id not in seen:
            yield Violation(6, f"committed and never published{when}", where)
        if not kept.is_marked:
            yield Violation(6, f"never marked as published{when}", where)


def _is_in_order(
    kept: OutboxRow, appearance: Appearance, latest: dict[tuple[str, int, str], int], when: str
) -> Iterator[Violation]:
    """Only within a partition is there an order that anybody can see."""
    if kept.line is None:
        return
    line = appearance.topic, appearance.partition, kept.line
    if kept.number < latest.get(line, 0):
        yield Violation(6, f"published after what was committed later{when}", appearance.where)
    latest[line] = max(kept.number, latest.get(line, 0))
