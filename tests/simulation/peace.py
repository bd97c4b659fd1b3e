"""The end of the trouble: nothing goes wrong any more, nobody answers, and everything must come to its end in time."""

import json
from typing import TYPE_CHECKING, Any

from schemas.catalogue import ORDER_EXCEPTIONS

if TYPE_CHECKING:
    from tests.simulation.world import World

LONGEST_S = 60 * 86_400.0
"""Within this all must have come to its end: four levels that nobody answers escalate for four days each round, and a
payment is declined three times at most."""

PAUSE_S = 2.0
"""Between two looks, so that all processes have looked for work."""

MOST_LOOKS = 5_000
"""An ordinary end takes fewer than a hundred. What is due and is taken up by nobody is looked at every other second."""


class Peace:
    """Begins as it is made. When all is quiet, the topics are read once more from the start, and what must hold in the
    end is looked at."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._ends_by = world.now + LONGEST_S
        self._next_look = 0.0
        self._looks = 0
        self._before_replay: object = None
        self.is_over = False
        world.house.crowd.go_home()
        world.trouble.end()

    def look(self) -> None:
        """Called when nobody is at work. Raises AssertionError."""
        world = self._world
        if world.now < self._next_look:
            return
        self._next_look = world.now + PAUSE_S
        self._looks += 1
        left = self._left()
        if not world.cluster.is_read or any(left.values()) or world.timeline:
            in_time = world.now <= self._ends_by and self._looks <= MOST_LOOKS
            assert in_time, f"never comes to its end: {left}"
        elif self._before_replay is None:
            self._before_replay = self._all_there_is()
            world.cluster.reset_offsets()
        else:
            self._check_the_end()
            self.is_over = True

    def _left(self) -> dict[str, list[Any]]:
        database = self._world.database
        left: dict[str, list[Any]] = {
            "messages": list(database.unfinished.values()),
            "events": list(database.unsent.values()),
            "questions": list(database.questions.values()),
            "intents": [row for row in database.intents.values() if not row.is_finished],
        }
        if not any(left.values()):
            left["cases"] = self._world.cases.unfinished
        return left

    def _all_there_is(self) -> object:
        """What reading all topics again must leave as it is."""
        world, database = self._world, self._world.database
        return (
            {case_id: row.body for case_id, row in database.cases.items()},
            {key: row.body for key, row in database.approvals.items()},
            len(database.outbox),
            len(database.audit),
            len(database.inbox),
            len(database.decisions),
            sorted(world.provider.entries),
            sorted(database.ledger),
            len(world.house.desk.executors.effects),
        )

    def _check_the_end(self) -> None:
        """8, 6, 2: nothing changed by reading all again; all is published; every record has led to something."""
        world, database = self._world, self._world.database
        assert self._all_there_is() == self._before_replay, "reading all topics again has changed something"
        assert world.topics.not_published() == []
        places = {place[:3] for place in (*database.received, *database.dead_letters)}
        records = {
            (topic, number, offset)
            for (topic, number) in world.cluster.committed
            for offset in range(len(world.cluster.records[topic, number]))
        }
        assert places == records, f"records that led to nothing, or to something else: {places ^ records}"
        self._check_conflicts()
        world.house.check()

    def _check_conflicts(self) -> None:
        """An exception that came again with other content is a dead letter."""
        letters = {place[:3] for place in self._world.database.dead_letters}
        for (topic, number), records in self._world.cluster.records.items():
            if topic != ORDER_EXCEPTIONS.name:
                continue
            for record in records:
                if self._conflicts(record.value or b""):
                    assert (topic, number, record.offset) in letters, f"nobody was told of the conflict: {record}"

    def _conflicts(self, value: bytes) -> bool:
        try:
            event = json.loads(value)
        except (ValueError, RecursionError):
            return False  # poison
        if not isinstance(event, dict) or not {"kind", "exception_id"} <= event.keys():
            return False
        case = self._world.database.case_of_exception(str(event["exception_id"]))
        return case is not None and case.exception.reason != event.get("reason", "")
