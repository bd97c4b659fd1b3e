"""Builds notices, and announcements of which they are made."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.values import ApprovalChange, ExceptionKind, LevelReference, OnTimeout, Risk
from tests.builders import an_approval, an_exception, an_unopened_case, usd
from worker.application.announcements import ApprovalNeeded, ApprovalUpdated
from worker.application.notices import Notice, NoticeKind
from worker.domain.approval import ApprovalRequest, Closing

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MESSAGE = UUID("01936f6e-0000-7000-8000-000000000001")
LINK = "https://desk.example/approvals/00000000-0000-0000-0000-0000000000a1"


def a_notice(**fields: Any) -> Notice:
    """A manager is needed for a refund of 150.00 USD."""
    known: dict[str, Any] = {
        "kind": NoticeKind.NEEDED,
        "at": MONDAY,
        "approval_id": UUID(int=0xA1),
        "case_id": UUID(int=0xC1),
        "exception_id": "EXC-1",
        "order_id": "ORD-1",
        "concerns": ExceptionKind.REFUND,
        "action": "refund",
        "amount": usd(15_000),
        "level": LevelReference(name="manager", number=1, of=2),
        "role": "manager",
        "risk": Risk.MEDIUM,
        "why": ("refund of 150.00 USD is over 100.00 USD",),
        "due_at": MONDAY + timedelta(days=1),
        "on_timeout": OnTimeout.ESCALATE,
        **fields,
    }
    return Notice(**known)


def a_closed_notice(**fields: Any) -> Notice:
    return a_notice(kind=NoticeKind.CLOSED, closed_as=Closing.APPROVED, by="user:maria", **fields)


def asked(**fields: Any) -> ApprovalRequest:
    """An approval request for EXC-1."""
    return an_approval(an_unopened_case(MONDAY, an_exception()), MONDAY, **fields)


def needed(**fields: Any) -> ApprovalNeeded:
    return ApprovalNeeded(asked(**fields))


def updated(change: ApprovalChange, closed_as: Closing | None = None, **fields: Any) -> ApprovalUpdated:
    approval = asked(closed_as=closed_as, closed_by="user:maria" if closed_as else None, **fields)
    return ApprovalUpdated(approval, change, "user:maria", MONDAY)
