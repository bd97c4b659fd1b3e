"""Why a decision or a command has no effect, in a word for machines and a sentence for people."""

from datetime import UTC, datetime

from schemas.values import ReceiptCode
from worker.application.ports.store import CaseView
from worker.application.transition import SYSTEM
from worker.domain.approval import ApprovalRequest, Closing, Receipt
from worker.domain.exception_case import Case, CaseState


class Refusal(Exception):
    """It has no effect, and this is what its sender is told."""

    def __init__(self, code: ReceiptCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def duplicate(earlier: Receipt) -> Refusal:
    return Refusal(ReceiptCode.DUPLICATE, f"this decision was answered already: {earlier.code}")


def addressed(level: str | None, view: CaseView) -> tuple[Case, ApprovalRequest]:
    """The case and the approval request that a message is about. Raises Refusal."""
    if view.earlier is not None:
        raise duplicate(view.earlier)
    case, approval = view.case, view.approval
    if case is not None and case.state is CaseState.STUCK:
        raise Refusal(ReceiptCode.STALE, "the case is parked as stuck; decide again once it is recovered")
    if case is not None and approval is None:
        raise Refusal(ReceiptCode.ALREADY_DECIDED, "the case was resolved without an approval")
    if case is None or approval is None:
        raise Refusal(
            ReceiptCode.UNKNOWN_APPROVAL,
            "no approval request with this id came in the time that decisions are kept for; check the id",
        )
    asked = approval.question.level.name
    if level not in (None, asked):
        _refuse_other_level(level, asked, case)
    return case, approval


def _refuse_other_level(level: str | None, asked: str, case: Case) -> None:
    for signature in case.signatures:
        if signature.level == level:
            raise Refusal(
                ReceiptCode.ALREADY_DECIDED,
                f"level {level}: {signature.verdict} by {signature.reviewer} at {in_words(signature.at)}",
            )
    raise Refusal(ReceiptCode.UNKNOWN_APPROVAL, f"level: the case asks level {asked}, not {level}")


def check_open(received_at: datetime, approval: ApprovalRequest) -> None:
    """Raises Refusal for a question that is closed, or whose deadline passed before the message came."""
    timed_out = approval.closed_as in (Closing.EXPIRED, Closing.ESCALATED) and approval.closed_by == SYSTEM
    if timed_out or (approval.is_open and received_at > approval.due_at):
        raise Refusal(ReceiptCode.EXPIRED, f"the deadline was {in_words(approval.due_at)}")
    if not approval.is_open:
        by, when = approval.closed_by, approval.closed_at
        raise Refusal(
            ReceiptCode.ALREADY_DECIDED,
            f"{approval.closed_as} by {by} at {in_words(when) if when else 'an unknown time'}",
        )


def in_words(at: datetime) -> str:
    """A time as a person reads it: to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
