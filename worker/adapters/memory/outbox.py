"""The outbox in memory: what a commit announced and nobody has published yet."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Protocol

from worker.adapters.memory.database import MemoryDatabase, OutboxRow


class Publisher(Protocol):
    """Takes the rows of a commit. `unsent` are the older rows of their cases that were not published by then."""

    def hand_over(self, rows: list[OutboxRow], unsent: Mapping[str, set[int]]) -> None: ...


class MemoryOutbox:
    """The rows as the publisher and the relay see them."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    def unsent_of(self, orderings: Iterable[str]) -> dict[str, set[int]]:
        """The ids of what is not published, by ordering."""
        asked = set(orderings)
        waiting: dict[str, set[int]] = {}
        for row in self._database.unsent.values():
            if row.message.ordering in asked:
                waiting.setdefault(row.message.ordering, set()).add(row.outbox_id)
        return waiting

    def unsent_rows(self, grace: timedelta, limit: int) -> list[OutboxRow]:
        """What was committed longer ago than the grace, lowest ids first."""
        before = self._database.clock() - grace
        return sorted(
            (row for row in self._database.unsent.values() if row.created_at < before), key=lambda row: row.outbox_id
        )[:limit]

    def mark_published(self, outbox_ids: Iterable[int]) -> list[OutboxRow]:
        """Returns the rows that were not marked before."""
        marked = [row for number in outbox_ids if (row := self._database.unsent.pop(number, None)) is not None]
        for row in marked:
            row.published_at = self._database.clock()
        return marked
