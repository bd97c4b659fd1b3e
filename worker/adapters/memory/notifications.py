"""Notifications in memory: the rows of the commits that they tell of, and the work of sending them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.adapters.memory.database import EndpointRow, MemoryDatabase, NotificationRow
from worker.application.notices import DueNotification, EndpointHealth, Notice, NoticeRouter
from worker.application.unit_of_work import UnitOfWork


def keep_notifications(database: MemoryDatabase, unit: UnitOfWork, router: NoticeRouter) -> None:
    now = database.clock()
    for announcement in unit.announcements:
        for told in router.notifications(announcement):
            state = "failed" if told.notice is None else "pending"
            database.notifications.append(NotificationRow(told, state, now, problem=told.problem))


@dataclass(frozen=True, slots=True)
class MemoryNotifications:
    database: MemoryDatabase
    lease: timedelta

    async def take_up(self, endpoint: str, limit: int) -> Sequence[DueNotification]:
        if self._endpoint(endpoint).disabled_because is not None:
            return []
        due = [
            (number, row)
            for number, row in enumerate(self.database.notifications)
            if row.told.endpoint == endpoint and self._is_due(row) and not self._has_to_wait(number, row)
        ]
        taken = sorted(due, key=lambda one: one[1].available_at)[:limit]
        for _, row in taken:
            row.available_at = self._now + self.lease
        return [self._due(number, row, row.told.notice) for number, row in sorted(taken) if row.told.notice]

    async def delivered(self, due: DueNotification) -> None:
        endpoint = self._endpoint(due.endpoint)
        endpoint.failing_since = endpoint.problem = None
        row = self.database.notifications[due.number]
        row.state, row.problem, row.attempts = "delivered", None, row.attempts + 1

    async def overtaken(self, due: DueNotification) -> None:
        self._finish(due, "overtaken", None)

    async def spoil(self, due: DueNotification, problem: str) -> None:
        self._finish(due, "failed", problem)

    async def postpone(self, due: DueNotification, seconds: float, problem: str) -> EndpointHealth:
        row = self.database.notifications[due.number]
        if row.state == "pending":
            row.attempts, row.problem = row.attempts + 1, problem
            row.available_at = self._now + timedelta(seconds=seconds)
        return self._failing(due.endpoint, problem)

    async def give_up(self, due: DueNotification, problem: str) -> EndpointHealth:
        self._finish(due, "failed", problem)
        return self._failing(due.endpoint, problem)

    async def disable(self, endpoint: str, because: str) -> bool:
        row = self._endpoint(endpoint)
        if row.disabled_because is not None:
            return False
        row.disabled_because = because
        return True

    def enable(self, endpoint: str) -> None:
        """What was held starts anew."""
        self.database.endpoints.pop(endpoint, None)
        for row in self.database.notifications:
            if row.told.endpoint == endpoint and row.state == "pending":
                row.attempts, row.available_at = 0, self._now

    @property
    def _now(self) -> datetime:
        return self.database.clock()

    def _endpoint(self, name: str) -> EndpointRow:
        return self.database.endpoints.setdefault(name, EndpointRow())

    def _is_due(self, row: NotificationRow) -> bool:
        return row.state == "pending" and row.available_at <= self._now

    def _has_to_wait(self, number: int, row: NotificationRow) -> bool:
        """An earlier one of the case was not tried yet."""
        return any(
            earlier.told.case_id == row.told.case_id
            and earlier.told.endpoint == row.told.endpoint
            and earlier.state == "pending"
            and earlier.attempts == 0
            for earlier in self.database.notifications[:number]
        )

    def _due(self, number: int, row: NotificationRow, notice: Notice) -> DueNotification:
        asked = self.database.approvals.get(row.told.approval_id)
        is_closed = asked is not None and not asked.is_open
        return DueNotification(number, row.told.message_id, row.told.endpoint, notice, row.attempts, is_closed)

    def _finish(self, due: DueNotification, state: str, problem: str | None) -> None:
        row = self.database.notifications[due.number]
        if row.state == "pending":
            row.state, row.problem = state, problem

    def _failing(self, name: str, problem: str) -> EndpointHealth:
        endpoint = self._endpoint(name)
        endpoint.failing_since = endpoint.failing_since or self._now
        endpoint.problem = problem
        return EndpointHealth((self._now - endpoint.failing_since).total_seconds())
