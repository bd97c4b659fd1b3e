"""The ids of outbox rows as a sequence of PostgreSQL gives them out: to transactions in the order in which they ask,
and those become visible in another one."""

import random
from collections.abc import Sequence
from itertools import count

from worker.translation.outbound import OutgoingMessage

HELD_BACK = 6


class OutboxSequence:
    """Now and then a few ids are taken by a transaction that commits later. Of one case the order holds: its row is
    locked while its ids are taken."""

    def __init__(self, choice: random.Random) -> None:
        self._random = choice
        self._next = count(1)
        self._held: list[int] = []
        self._last: dict[str, int] = {}

    def next_ids(self, messages: Sequence[OutgoingMessage]) -> Sequence[int]:
        newest = max((self._last.get(message.ordering, 0) for message in messages), default=0)
        if 0 < len(messages) <= len(self._held) and newest < self._held[0] and self._random.random() < 0.5:
            ids, self._held = self._held[: len(messages)], []
        else:
            if messages and not self._held and self._random.random() < 0.2:
                self._held = [next(self._next) for _ in range(HELD_BACK)]
            ids = [next(self._next) for _ in messages]
        for number, message in zip(ids, messages, strict=True):
            self._last[message.ordering] = number
        return ids
