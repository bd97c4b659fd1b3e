"""From an announcement of the application to the notice that tells people of it."""

from schemas.values import ApprovalChange
from worker.application.announcements import Announcement, ApprovalNeeded, ApprovalUpdated
from worker.application.notices import Notice, NoticeKind
from worker.domain.approval import ApprovalRequest

_TOLD = {
    ApprovalChange.REMINDED: NoticeKind.LAPSING,
    ApprovalChange.ESCALATED: NoticeKind.ESCALATED,
    ApprovalChange.CLOSED: NoticeKind.CLOSED,
}

MOST_TOOLS = 10
MOST_RULES = 20
LONGEST_TEXT = 2000
"""A notice is a summary: a row of it stays small, and each channel shortens further."""


def notice_of(announcement: Announcement) -> Notice | None:
    """None for what nobody is notified of. The customer's words are in it: who routes it takes them out."""
    match announcement:
        case ApprovalNeeded(approval):
            return _notice(approval, {"kind": NoticeKind.NEEDED, "at": approval.requested_at})
        case ApprovalUpdated(approval, change, by, at) if change in _TOLD:
            return _notice(approval, {"kind": _TOLD[change], "at": at, "by": by})
        case _:
            return None


def _notice(approval: ApprovalRequest, happened: dict[str, object]) -> Notice:
    question = approval.question
    reason = question.context.get("reason")
    return Notice.model_validate(
        {
            **happened,
            "approval_id": approval.approval_id,
            "case_id": approval.case_id,
            "exception_id": approval.exception_id,
            "order_id": approval.order_id,
            "concerns": approval.kind,
            "action": question.proposal.action,
            "amount": question.proposal.amount,
            "tools": tuple(action.name for action in (question.proposal.actions or ())[:MOST_TOOLS]),
            "level": question.level,
            "role": approval.role,
            "assignee": approval.assignee,
            "risk": question.risk,
            "why": tuple(fired.says[:LONGEST_TEXT] for fired in question.why[:MOST_RULES]),
            "due_at": approval.due_at,
            "on_timeout": question.on_timeout,
            "closed_as": approval.closed_as,
            "reason": reason[:LONGEST_TEXT] if isinstance(reason, str) and reason else None,
        }
    )
