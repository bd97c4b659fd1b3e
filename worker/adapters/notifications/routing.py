"""Which endpoints are told of an announcement, by what happened, level, risk and amount."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.values import Money, Risk
from worker.application.announcements import Announcement, ApprovalNeeded, ApprovalUpdated
from worker.application.notices import Notice, NoticeKind, Notification
from worker.domain.approval import Closing
from worker.translation.notices import notice_of

log = logging.getLogger(__name__)

NO_ENDPOINT = "(none)"
"""Stands in place of an endpoint where nobody could be found out: no name in a file looks like this."""

_RISKS = list(Risk)


@dataclass(frozen=True, slots=True)
class Route:
    """A condition that is not given lets everything pass; `levels` None are all."""

    to: tuple[str, ...]
    on: frozenset[NoticeKind] = frozenset(NoticeKind)
    levels: frozenset[str] | None = None
    min_risk: Risk = Risk.LOW
    over: Money | None = None

    def takes(self, notice: Notice) -> bool:
        return (
            notice.kind in self.on
            and (self.levels is None or notice.level.name in self.levels)
            and _RISKS.index(notice.risk) >= _RISKS.index(self.min_risk)
            and (self.over is None or _is_over(notice.amount, self.over))
        )


def _is_over(amount: Money | None, limit: Money) -> bool:
    """An amount in another currency cannot be compared, and counts as over: rather told than not. What has no amount
    is about no money."""
    if amount is None:
        return False
    return amount.currency != limit.currency or amount.amount_minor > limit.amount_minor


class Router:
    """`shows_reason` are the endpoints that may see the customer's own words."""

    def __init__(
        self, routes: Sequence[Route], *, new_id: Callable[[], UUID], shows_reason: frozenset[str] = frozenset()
    ) -> None:
        self._routes = tuple(routes)
        self._new_id = new_id
        self._shows_reason = shows_reason

    def notifications(self, announcement: Announcement) -> Sequence[Notification]:
        """Each endpoint at most once. A defect here must not stop a case, which shares the commit: it is logged, and
        kept as a notification that nobody gets."""
        if not isinstance(announcement, ApprovalNeeded | ApprovalUpdated):
            return ()
        try:
            return self._route(announcement)
        except Exception as error:
            log.exception("no notification could be made for case %s", announcement.approval.case_id)
            return [self._unrouted(announcement, error)]

    def _route(self, announcement: Announcement) -> list[Notification]:
        notice = notice_of(announcement)
        if notice is None:
            return []
        told = self._endpoints(notice)
        if notice.kind is NoticeKind.CLOSED and notice.closed_as is Closing.ESCALATED:
            # The same commit announces the escalation, which says more.
            already = self._endpoints(notice.model_copy(update={"kind": NoticeKind.ESCALATED}))
            told = [endpoint for endpoint in told if endpoint not in already]
        return [self._notification(endpoint, notice) for endpoint in told]

    def _endpoints(self, notice: Notice) -> list[str]:
        return list(dict.fromkeys(name for route in self._routes if route.takes(notice) for name in route.to))

    def _notification(self, endpoint: str, notice: Notice) -> Notification:
        shown = notice if endpoint in self._shows_reason else notice.model_copy(update={"reason": None})
        return Notification(self._new_id(), endpoint, notice.kind, notice.approval_id, notice.case_id, shown)

    def _unrouted(self, announcement: ApprovalNeeded | ApprovalUpdated, error: Exception) -> Notification:
        approval = announcement.approval
        kind = NoticeKind.NEEDED if isinstance(announcement, ApprovalNeeded) else NoticeKind.CLOSED
        problem = f"not routed: {type(error).__name__}"
        return Notification(self._new_id(), NO_ENDPOINT, kind, approval.approval_id, approval.case_id, None, problem)
