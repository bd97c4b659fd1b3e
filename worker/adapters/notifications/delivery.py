"""Sends what is due, and writes down what became of it.

At least once: a worker that dies between the sending and the mark leaves the row to the end of its lease, and another
one sends it again with the same id.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping

from worker.adapters.notifications.channel import Channel, Undelivered
from worker.adapters.notifications.schedule import LONGEST_REST_S, PATIENCE, pause_after
from worker.application.notices import CALLS, DueNotification, EndpointHealth, Notifications

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Notifications of one endpoint that a worker sends side by side."""

LONGEST_PROBLEM = 300


class Notifier:
    """`jitter` gives a number from 0 to 1; `monotonic` seconds that only go forward.

    An endpoint that asks for patience is left alone by this worker, or each notice of a burst would be refused in its
    turn until all are given up.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        notifications: Notifications,
        *,
        jitter: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channels = dict(channels)
        self._notifications = notifications
        self._jitter = jitter
        self._monotonic = monotonic
        self._rests_until: dict[str, float] = {}

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(self._channels)

    async def deliver_due(self, endpoint: str) -> bool:
        """One try for each of the first due notifications; whether there may be more."""
        if self._monotonic() < self._rests_until.get(endpoint, 0.0):
            return False
        due = await self._notifications.take_up(endpoint, AT_ONCE)
        results = await asyncio.gather(*(self._handle(one) for one in due), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(due) == AT_ONCE

    async def aclose(self) -> None:
        await asyncio.gather(*(channel.aclose() for channel in self._channels.values()))

    async def _handle(self, due: DueNotification) -> None:
        if due.is_closed and due.notice.kind in CALLS:
            await self._notifications.overtaken(due)
            return
        try:
            await self._channels[due.endpoint].deliver(due.message_id, due.notice)
        except Undelivered as failure:
            await self._failed(due, failure)
        except ValueError as error:
            log.exception("notification %s cannot be told to %s", due.message_id, due.endpoint)
            await self._notifications.spoil(due, f"cannot be told: {type(error).__name__}")
        except Exception as error:
            log.exception("notification %s met a defect on its way to %s", due.message_id, due.endpoint)
            await self._failed(due, Undelivered(f"a defect: {type(error).__name__}"))
        else:
            await self._notifications.delivered(due)

    async def _failed(self, due: DueNotification, failure: Undelivered) -> None:
        problem = str(failure)[:LONGEST_PROBLEM]
        log.warning("notification %s was not taken by %s: %s", due.message_id, due.endpoint, problem)
        if failure.retry_after_s is not None:
            self._rests_until[due.endpoint] = self._monotonic() + min(failure.retry_after_s, LONGEST_REST_S)
        if failure.is_gone:
            await self._notifications.postpone(due, 0, problem)
            await self._disable(due.endpoint, problem)
            return
        health = await self._put_off(due, problem, failure.retry_after_s)
        if health.failing_for_s >= PATIENCE.total_seconds():
            await self._disable(due.endpoint, f"failed for {PATIENCE.days} days without one success: {problem}")

    async def _put_off(self, due: DueNotification, problem: str, asked_s: float | None) -> EndpointHealth:
        pause = pause_after(due.tries + 1, self._jitter(), asked_s)
        if pause is None:
            return await self._notifications.give_up(due, problem)
        return await self._notifications.postpone(due, pause, problem)

    async def _disable(self, endpoint: str, because: str) -> None:
        """The alert is an error with a fixed name; `signoff doctor` says the same for as long as it lasts."""
        if await self._notifications.disable(endpoint, because):
            log.error(
                "notification_endpoint_disabled: %s: %s; once it is mended: signoff notifications enable %s",
                endpoint,
                because,
                endpoint,
            )
