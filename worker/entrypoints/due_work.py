"""What became due, and what a worker that died left behind: messages, deadlines and payments.

Any worker takes it up. Each item is taken on a lease; when its worker dies too, the next one takes it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol
from uuid import UUID

from worker.application.casework import Casework
from worker.domain.intent import Intent
from worker.entrypoints.kafka_consumers import Work
from worker.entrypoints.lanes import Lanes

log = logging.getLogger(__name__)


class Queues(Protocol):
    async def take_up(self, limit: int) -> Sequence[Work]: ...

    async def due_approvals(self, limit: int) -> Sequence[UUID]: ...

    async def abandoned_intents(self, limit: int) -> Sequence[Intent]: ...


class DueWork:
    def __init__(self, queues: Queues, casework: Casework, lanes: Lanes, *, limit: int, pause_s: float) -> None:
        self._queues = queues
        self._casework = casework
        self._lanes = lanes
        self._limit = limit
        self._pause_s = pause_s

    async def run(self) -> None:
        """Looks for work until it is cancelled; a database that is away is waited for."""
        while True:
            try:
                found = await self.take_up()
            except ConnectionError as error:
                log.warning("due work waits for the database: %s", error)
                found = 0
            except Exception:
                log.exception("looking for due work failed")
                found = 0
            if found < self._limit:
                await asyncio.sleep(self._pause_s)

    async def take_up(self) -> int:
        """One look at each queue; the size of the largest catch."""
        await self._lanes.room()
        messages = await self._queues.take_up(self._limit)
        for work in messages:
            self._submit(
                work.correlation,
                ("inbox", work.delivery.inbox_id),
                partial(self._casework.deliver, work.delivery),
            )
        approvals = await self._queues.due_approvals(self._limit)
        for approval_id in approvals:
            name = str(approval_id)
            self._submit(name, ("approval", name), partial(self._casework.act_on_timer, approval_id))
        since = self._casework.moment()
        intents = await self._queues.abandoned_intents(self._limit)
        for intent in intents:
            name = intent.idempotency_key
            self._submit(str(intent.case_id), ("intent", name), partial(self._casework.settle, intent, since=since))
        return max(len(messages), len(approvals), len(intents))

    def _submit(self, lane: str, name: tuple[str, object], job: Callable[[], Awaitable[None]]) -> None:
        self._lanes.submit(lane, name, job)
