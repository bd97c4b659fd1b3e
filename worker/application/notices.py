"""What people are told about an approval request outside of their screens. A notice informs; it never decides.

A notice is plain data, fixed by the commit that it tells of. It holds no name and no order item of a customer, and the
customer's own words only where an operator asked for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict

from schemas.values import ExceptionKind, LevelReference, Money, OnTimeout, Risk, Value
from worker.application.announcements import Announcement
from worker.domain.approval import Closing


class NoticeKind(StrEnum):
    """NEEDED: somebody is asked. LAPSING: nobody answered yet, and the deadline comes nearer. ESCALATED: the level
    above is asked instead. CLOSED: no answer is wanted any more."""

    NEEDED = "needed"
    LAPSING = "lapsing"
    ESCALATED = "escalated"
    CLOSED = "closed"


CALLS = frozenset({NoticeKind.NEEDED, NoticeKind.LAPSING})
"""Notices that want an answer: pointless once the question is closed."""


class Notice(Value):
    """`kind` is what happened at `at`; `concerns` is what the exception is about. `by` is a reviewer's id or `system`.
    `tools` are the names of an agent's actions, without their arguments. `reason` are the customer's own words."""

    # A defect is logged, and what the notice says of people is not.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kind: NoticeKind
    at: AwareDatetime
    approval_id: UUID
    case_id: UUID
    exception_id: str
    order_id: str | None
    concerns: ExceptionKind
    action: str
    amount: Money | None
    tools: tuple[str, ...] = ()
    level: LevelReference
    role: str
    assignee: str | None = None
    risk: Risk
    why: tuple[str, ...] = ()
    due_at: AwareDatetime
    on_timeout: OnTimeout
    closed_as: Closing | None = None
    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A notice for one endpoint. `message_id` is the same at every try, so that a receiver knows a second copy.

    A `problem` says why there is no notice: it is kept for operators and never sent.
    """

    message_id: UUID
    endpoint: str
    kind: NoticeKind
    approval_id: UUID
    case_id: UUID
    notice: Notice | None
    problem: str | None = None


class NoticeRouter(Protocol):
    def notifications(self, announcement: Announcement) -> Sequence[Notification]:
        """Whom to tell, and what. It runs inside a case's commit: it does no I/O and raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class DueNotification:
    """A notification that this worker holds on a lease. `tries` were made before; `is_closed`: the question that it is
    about has been closed by now."""

    number: int
    message_id: UUID
    endpoint: str
    notice: Notice
    tries: int
    is_closed: bool


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """`failing_for_s`: since the first of its failures that no success has followed, in seconds."""

    failing_for_s: float


class Notifications(Protocol):
    """What is to be sent, and what became of it. All times are the store's own.

    Each method raises ConnectionError when the store is away.
    """

    async def take_up(self, endpoint: str, limit: int) -> Sequence[DueNotification]:
        """Due notifications in the order of their commits, on a lease; none for an endpoint that is disabled. One
        waits while an earlier one of the same case has not been tried yet."""
        ...

    async def delivered(self, due: DueNotification) -> None: ...

    async def overtaken(self, due: DueNotification) -> None: ...

    async def postpone(self, due: DueNotification, seconds: float, problem: str) -> EndpointHealth:
        """It failed, and is tried again after so many seconds."""
        ...

    async def give_up(self, due: DueNotification, problem: str) -> EndpointHealth:
        """It failed for the last time."""
        ...

    async def spoil(self, due: DueNotification, problem: str) -> None:
        """It cannot be sent to anybody; that says nothing about its endpoint."""
        ...

    async def disable(self, endpoint: str, because: str) -> bool:
        """No more is sent there until somebody enables it; False when it was disabled already."""
        ...
