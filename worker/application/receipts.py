"""The answers to decisions and commands."""

from dataclasses import replace
from datetime import datetime

from schemas.values import ReceiptCode
from worker.application.announcements import ReceiptGiven
from worker.application.messages import Commanded, Decided, Message, Recovery
from worker.application.ports.store import CaseView
from worker.application.refusal import Refusal
from worker.application.transition import note
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import ApprovalCommand, ApprovalRequest, Decision, Receipt
from worker.domain.exception_case import Case


def receipt_for(
    message: Decision | ApprovalCommand,
    code: ReceiptCode,
    said: str,
    approval: ApprovalRequest | None,
    by: str | None,
    *,
    at: datetime | None = None,
) -> Receipt:
    """`by` and `at` name who closed the approval request and when."""
    return Receipt(
        decision_id=message.decision_id,
        accepted=code in (ReceiptCode.ACCEPTED, ReceiptCode.RECORDED),
        code=code,
        message=said,
        approval_id=str(approval.approval_id) if approval else message.approval_id,
        case_id=approval.case_id if approval else None,
        decided_by=by,
        decided_at=at,
    )


def receipt_for_recovery(recovery: Recovery, code: ReceiptCode, said: str, case: Case | None) -> Receipt:
    return Receipt(
        decision_id=recovery.recovery_id,
        accepted=code is ReceiptCode.RECORDED,
        code=code,
        message=said,
        case_id=case.case_id if case else None,
    )


def given_up(message: Message) -> tuple[ReceiptGiven, ...]:
    """Whoever decided is told that it came to nothing. It is not on record as answered, so that a replay counts."""
    if isinstance(message, Recovery):
        problem = "it could not be processed and has no effect until an operator replays it"
        return (ReceiptGiven(receipt_for_recovery(message, ReceiptCode.STALE, problem, None), None),)
    if not isinstance(message, Decided | Commanded):
        return ()
    said = message.decision if isinstance(message, Decided) else message.command
    problem = "it could not be processed and has no effect until an operator replays it; look at the case before you"
    receipt = receipt_for(said, ReceiptCode.STALE, f"{problem} decide again", None, None)
    return (ReceiptGiven(receipt, None),)


def refused(message: Decision | ApprovalCommand, refusal: Refusal, view: CaseView) -> UnitOfWork:
    """The receipt of a message without effect. The first answer to an id stays the one on record."""
    approval = view.approval
    receipt = receipt_for(
        message,
        refusal.code,
        refusal.message,
        approval,
        approval.closed_by if approval else None,
        at=approval.closed_at if approval else None,
    )
    unit = UnitOfWork(announcements=(ReceiptGiven(receipt, approval.order_id if approval else None),))
    if refusal.code is ReceiptCode.DUPLICATE:
        return unit
    unit = replace(unit, decision=(message, receipt))
    if view.case is None or view.case.state.is_terminal:
        return unit
    noted, entry = note(
        view.case,
        actor=message.reviewer.id,
        action=f"{message.kind} refused",
        at=view.now,
        detail={"decision_id": message.decision_id, "code": refusal.code.value},
    )
    return replace(unit, case=noted, audit=entry)
