"""Judges what is published, and what counts as published."""

import json
from collections.abc import Sequence

from schemas.catalogue import DEAD_LETTERS, DECISION_RECEIPTS
from tests.simulation.kafka import StoredRecord
from worker.adapters.memory.database import OutboxRow
from worker.translation.outbound import OutgoingMessage


class TopicsWitness:
    """6: published ids are outbox ids, with the same bytes, in the order of their case; nothing else is published."""

    def __init__(self) -> None:
        self._events: dict[str, tuple[int, OutgoingMessage]] = {}
        self._published: set[str] = set()
        self._last: dict[tuple[str, str, str], int] = {}

    def announced(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            event_id = str(row.message.event_id)
            assert event_id not in self._events, f"the event id {event_id} was used before"
            self._events[event_id] = (row.outbox_id, row.message)

    def published(self, record: StoredRecord) -> None:
        event_id = record.event_id
        assert event_id in self._events, f"{record} was published, and the database knows nothing of it"
        number, message = self._events[event_id]
        headers = [(name, text.encode()) for name, text in message.headers.items()]
        found = (record.topic, record.key, record.value, list(record.headers))
        assert found == (message.topic, message.key.encode(), message.payload.encode(), headers), (record, message)
        if event_id not in self._published:
            self._published.add(event_id)
            self._check_order(number, message)

    def _check_order(self, number: int, message: OutgoingMessage) -> None:
        """Of one topic and key: between topics, and between partitions, nobody sees an order. Dead letters and refusals
        change no case."""
        is_refusal = message.topic == DECISION_RECEIPTS.name and not json.loads(message.payload)["accepted"]
        if message.topic != DEAD_LETTERS.name and not is_refusal:
            place = (message.topic, message.key, message.ordering)
            assert self._last.get(place, 0) < number, f"{message} was published after a later event of its case"
            self._last[place] = number

    def marked(self, rows: Sequence[OutboxRow]) -> None:
        missing = [row for row in rows if str(row.message.event_id) not in self._published]
        assert not missing, f"marked as published, and on no topic: {missing}"

    def not_published(self) -> list[OutgoingMessage]:
        return [message for event_id, (_, message) in self._events.items() if event_id not in self._published]
