"""A worker's notifications with a virtual clock and a store in memory, sent to a real https receiver."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from schemas.values import ApprovalChange
from tests.builders import an_approval, an_exception, an_unopened_case, numbered_ids, opening_unit
from tests.stack.https_receiver import HttpsReceiver
from worker.adapters.memory.clock import SetClock
from worker.adapters.memory.database import MemoryDatabase, NotificationRow
from worker.adapters.memory.notifications import MemoryNotifications
from worker.adapters.memory.store import MemoryStore
from worker.adapters.notifications.channel import Channel
from worker.adapters.notifications.delivery import Notifier
from worker.adapters.notifications.posting import HttpsEndpoint
from worker.adapters.notifications.review_link import ReviewLink
from worker.adapters.notifications.routing import Route, Router
from worker.adapters.notifications.webhook import WebhookChannel
from worker.adapters.outgoing.guarded import Guarded
from worker.application.announcements import Announcement, ApprovalUpdated
from worker.application.transition import note
from worker.application.unit_of_work import Commit, UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.exception_case import Case
from worker.translation.outbound import Announcer

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105 - the specification's own example
SCREEN = ReviewLink("https://desk.example/approvals/{approval_id}")
LEASE = timedelta(minutes=1)


def real_now() -> datetime:
    """Receivers compare a signature's time with their own clock."""
    return datetime.now(UTC)


def endpoint_at(receiver: HttpsReceiver, path: str = "/hooks", *, timeout_s: float = 5.0) -> HttpsEndpoint:
    guarded = Guarded(allow_private=[receiver.place], verify=receiver.trust, timeout_s=timeout_s)
    return HttpsEndpoint(receiver.url(path), guarded, real_now)


def webhook_at(receiver: HttpsReceiver, path: str = "/hooks", *, timeout_s: float = 5.0) -> WebhookChannel:
    return WebhookChannel(endpoint_at(receiver, path, timeout_s=timeout_s), SCREEN, [SECRET], real_now)


class Office:
    """Everybody in `channels` is told of everything."""

    def __init__(self, channels: Mapping[str, Channel], *, jitter: Callable[[], float] = lambda: 0.0) -> None:
        self.clock = SetClock()
        self.database = MemoryDatabase(self.clock)
        self.notifications = MemoryNotifications(self.database, LEASE)
        ids = numbered_ids()
        router = Router([Route(to=tuple(channels))], new_id=uuid4)
        self._store = MemoryStore(self.database, Announcer(lambda: next(ids)), lease=LEASE, notices=router)
        self.notifier = Notifier(
            channels, self.notifications, jitter=jitter, monotonic=lambda: self.clock().timestamp()
        )

    async def asks(self, exception_id: str = "EXC-1") -> tuple[Case, ApprovalRequest]:
        case = an_unopened_case(self.clock(), an_exception(exception_id))
        approval = an_approval(case, self.clock())
        unit = opening_unit(case, self.clock(), approval)
        assert await self._store.commit(unit) is Commit.DONE
        assert unit.case is not None
        return unit.case, approval

    async def announces(self, case: Case, approval: ApprovalRequest, *said: Announcement) -> None:
        noted, entry = note(case, actor="system", action="noted", at=self.clock())
        unit = UnitOfWork(case=noted, audit=entry, changed_approvals=(approval,), announcements=said)
        assert await self._store.commit(unit) is Commit.DONE

    async def closes(self, case: Case, approval: ApprovalRequest) -> None:
        changes = {"closed_as": Closing.APPROVED, "closed_by": "user:maria", "closed_at": self.clock()}
        closed = approval.model_copy(update=changes)
        await self.announces(case, closed, ApprovalUpdated(closed, ApprovalChange.CLOSED, "user:maria", self.clock()))

    async def delivers(self, endpoint: str = "desk") -> None:
        """One try for everything that is due."""
        while await self.notifier.deliver_due(endpoint):
            pass

    async def goes_on_until(self, done: Callable[[], bool], endpoint: str = "desk") -> list[float]:
        """Moves the clock from one try to the next; the seconds between them."""
        pauses = []
        while not done():
            await self.delivers(endpoint)
            waiting = [row.available_at for row in self.rows if row.state == "pending"]
            if done() or not waiting:
                break
            pause = (min(waiting) - self.clock()).total_seconds()
            pauses.append(pause)
            self.clock.advance(max(0.0, pause))
        return pauses

    @property
    def rows(self) -> list[NotificationRow]:
        return self.database.notifications

    @property
    def states(self) -> list[str]:
        return [row.state for row in self.rows]

    @property
    def is_disabled(self) -> bool:
        return any(endpoint.disabled_because for endpoint in self.database.endpoints.values())

    async def __aenter__(self) -> "Office":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.notifier.aclose()
