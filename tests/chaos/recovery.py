"""How long it takes after a fault until everything that had come before it is in good hands again."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psycopg
from psycopg.rows import scalar_row

from tests.chaos.history import History
from tests.chaos.quiet import Ends, Marks

LIMIT_S = 60.0
PAUSE_S = 0.2

_HELD = "select inbox_id from inbox where finished_at is null and leased_by = %s and available_at > now()"
_STILL_HELD = """
select inbox_id from inbox
where inbox_id = any(%s) and finished_at is null and attempts = 0 and leased_by is not null
"""


@dataclass(frozen=True, slots=True, eq=False)
class _Measurement:
    kind: str
    began: float
    marks: Marks
    held: frozenset[int]


class Recovery:
    """Recovered is: each record that the topics had when the fault came is in the inbox, and each message that a dead
    worker held is finished, or has been worked on and waits for something else.
    """

    def __init__(self, ends: Ends, database: str, history: History) -> None:
        self._ends, self._database, self._history = ends, database, history
        self._under_way: set[_Measurement] = set()
        self._watching: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def measured(self, kind: str, worker: str = "") -> AsyncIterator[None]:
        """Around a fault; the time counts from its beginning, and goes on after its end."""
        began = time.monotonic()
        try:
            marks = await asyncio.to_thread(self._ends.marks)
            held = await asyncio.to_thread(self._held_by, worker)
        except (TimeoutError, psycopg.Error):  # another fault lasts: there is nothing to measure against
            yield
            return
        yield
        self._under_way.add(_Measurement(kind, began, marks, held))
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Returns when all is recovered, or has taken too long."""
        if self._watching is not None:
            await self._watching

    async def _watch(self) -> None:
        while self._under_way:
            with contextlib.suppress(psycopg.Error):
                for each in await asyncio.to_thread(self._recovered, set(self._under_way)):
                    self._end(each, "recovered")
            for each in [each for each in self._under_way if time.monotonic() > each.began + LIMIT_S]:
                self._end(each, "not-recovered")
            await asyncio.sleep(PAUSE_S)

    def _end(self, measurement: _Measurement, how: str) -> None:
        self._under_way.discard(measurement)
        self._history.tell(how, after=measurement.kind, seconds=round(time.monotonic() - measurement.began, 3))

    def _held_by(self, worker: str) -> frozenset[int]:
        with psycopg.connect(self._database, row_factory=scalar_row) as connection:
            return frozenset(connection.execute(_HELD, [worker]).fetchall())

    def _recovered(self, asked: set[_Measurement]) -> list[_Measurement]:
        with psycopg.connect(self._database, row_factory=scalar_row) as connection:
            read = self._ends.read(connection)
            held = list(frozenset().union(*(each.held for each in asked)))
            still = frozenset(connection.execute(_STILL_HELD, [held]).fetchall())
        return [
            each
            for each in asked
            if not each.held & still and all(read[place] >= mark for place, mark in each.marks.items())
        ]
