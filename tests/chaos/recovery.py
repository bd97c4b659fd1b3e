"""How long it takes after a fault until everything that had come before it is in good hands again."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import psycopg

from tests.chaos.history import History
from tests.chaos.quiet import Ends

LIMIT_S = 60.0
PAUSE_S = 0.1

_HELD = "select inbox_id from inbox where finished_at is null and leased_by = %s and available_at > now()"
_STILL_HELD = """
select count(*) from inbox
where inbox_id = any(%(held)s) and finished_at is null and attempts = 0 and leased_by is not null
"""


class Recovery:
    """Recovered is: each record that the topics had when the fault came is in the inbox, and each message that a dead
    worker held is finished, or has been worked on and waits for something else.
    """

    def __init__(self, ends: Ends, database: str, history: History) -> None:
        self._ends, self._database, self._history = ends, database, history
        self._watching: set[asyncio.Task[None]] = set()

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
        watching = asyncio.create_task(self._watch(kind, began, marks, held))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)

    async def close(self) -> None:
        """Returns when all is recovered, or has taken too long."""
        await asyncio.gather(*self._watching)

    async def _watch(self, kind: str, began: float, marks: dict[tuple[str, int], int], held: list[int]) -> None:
        while time.monotonic() < began + LIMIT_S:
            with contextlib.suppress(psycopg.Error):
                if await asyncio.to_thread(self._is_recovered, marks, held):
                    self._history.tell("recovered", after=kind, seconds=round(time.monotonic() - began, 3))
                    return
            await asyncio.sleep(PAUSE_S)
        self._history.tell("not-recovered", after=kind, seconds=LIMIT_S)

    def _held_by(self, worker: str) -> list[int]:
        with psycopg.connect(self._database) as connection:
            return [row[0] for row in connection.execute(_HELD, [worker]).fetchall()]

    def _is_recovered(self, marks: dict[tuple[str, int], int], held: list[int]) -> bool:
        if self._ends.behind(self._database, marks):
            return False
        with psycopg.connect(self._database) as connection:
            row = connection.execute(_STILL_HELD, {"held": held}).fetchone()
        assert row is not None
        return row[0] == 0
