"""A reviewer decided: check that they may, resume the case, and answer with a receipt whatever happens."""

from dataclasses import replace
from datetime import datetime

from schemas.values import ApprovalChange, Changes, ReceiptCode, Signature, Verdict
from worker.application.announcements import ApprovalUpdated, ReceiptGiven
from worker.application.close_approval import answer_question, closed_approval
from worker.application.examine_decision import Refusal, duplicate, examine
from worker.application.follow_run import concluded, execute, parked
from worker.application.messages import Delivery, IllegibleDecision
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Finished, StuckThread
from worker.application.transition import note
from worker.application.unit_of_work import CaseQuery, Postponement, UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing, Decision, Receipt
from worker.domain.exception_case import Case, CaseState


def query(decision: Decision) -> CaseQuery:
    return CaseQuery(
        approval_id=decision.approval_id,
        exception_id=None if decision.approval_id else decision.exception_id,
        decision_id=decision.decision_id,
    )


async def apply_decision(decision: Decision, delivery: Delivery, view: CaseView, ports: Ports) -> UnitOfWork:
    """The first valid decision closes the approval request; every other one learns why it did not."""
    if view.approval is None and _may_be_early(view, delivery, ports):
        return UnitOfWork(postponed=Postponement(seconds=min(30.0, 0.5 * 2**delivery.attempts)))
    try:
        case, approval, changes = examine(decision, delivery, view)
    except Refusal as refusal:
        return _refused(decision, refusal, view)
    answer = {
        "verdict": decision.verdict.value,
        "changes": changes and changes.model_dump(mode="json", exclude_none=True),
    }
    try:
        run = await answer_question(case, answer, view, ports)
    except StuckThread as stuck:
        stale = Refusal(ReceiptCode.STALE, "the case cannot go on; an operator has to look at it")
        return replace(_refused(decision, stale, view), **parked(case, view, str(stuck)))
    return _accepted(decision, changes, case, approval, run, view, ports)


def answer_illegible(message: IllegibleDecision, view: CaseView) -> UnitOfWork:
    """Only the id of the decision could be read: that is enough to say so."""
    refusal = duplicate(view.earlier) if view.earlier else None
    receipt = Receipt(
        decision_id=message.decision_id,
        accepted=False,
        code=refusal.code if refusal else message.code,
        message=refusal.message if refusal else message.problem,
    )
    return UnitOfWork(announcements=(ReceiptGiven(receipt, None),))


def _may_be_early(view: CaseView, delivery: Delivery, ports: Ports) -> bool:
    known = view.earlier is not None or view.case is not None
    return not known and delivery.waited_s < ports.patience.early.total_seconds()


def _accepted(
    decision: Decision,
    changes: Changes | None,
    case: Case,
    approval: ApprovalRequest,
    run: Finished,
    view: CaseView,
    ports: Ports,
) -> UnitOfWork:
    reviewer, now = decision.reviewer.id, view.now
    rejected = decision.verdict is Verdict.REJECT
    closed = closed_approval(approval, Closing.REJECTED if rejected else Closing.APPROVED, reviewer, now)
    signature = Signature(level=approval.question.level.name, reviewer=reviewer, verdict=decision.verdict, at=now)
    known = {
        "signatures": (*case.signatures, signature),
        "reason": decision.comment or "",
    }
    detail = {"decision_id": decision.decision_id, "review_hash": approval.review_hash}
    if changes is not None:
        detail["changed"] = ", ".join(sorted(decision.changes or {}))
    if rejected:
        record = {"actor": reviewer, "action": "rejected", "at": now, "detail": detail}
        unit = concluded(case, CaseState.REJECTED, run, ports, record, {"interrupt_id": None, **known})
    else:
        unit = execute(case, run, view, ports, actor=reviewer, action="approved", detail=detail, **known)
    receipt = _receipt(
        decision,
        ReceiptCode.ACCEPTED,
        "rejected: nothing will be done" if rejected else "approved: it is being done",
        closed,
        by=reviewer,
        at=now,
    )
    return replace(
        unit,
        approvals=(closed,),
        decision=(decision, receipt),
        announcements=(
            ReceiptGiven(receipt, approval.order_id),
            ApprovalUpdated(closed, ApprovalChange.CLOSED, reviewer, now),
            *unit.announcements,
        ),
    )


def _refused(decision: Decision, refusal: Refusal, view: CaseView) -> UnitOfWork:
    """The receipt of a decision without effect. The first answer to an id stays the one on record."""
    approval = view.approval
    receipt = _receipt(
        decision,
        refusal.code,
        refusal.message,
        approval,
        by=approval.closed_by if approval else None,
        at=approval.closed_at if approval else None,
    )
    order_id = approval.order_id if approval else None
    unit = UnitOfWork(announcements=(ReceiptGiven(receipt, order_id),))
    if refusal.code is ReceiptCode.DUPLICATE:
        return unit
    unit = replace(unit, decision=(decision, receipt))
    if view.case is None or view.case.state.is_terminal:
        return unit
    noted, entry = note(
        view.case,
        actor=decision.reviewer.id,
        action="decision refused",
        at=view.now,
        detail={"decision_id": decision.decision_id, "code": refusal.code.value},
    )
    return replace(unit, case=noted, audit=entry)


def _receipt(
    decision: Decision,
    code: ReceiptCode,
    message: str,
    approval: ApprovalRequest | None,
    *,
    by: str | None,
    at: datetime | None,
) -> Receipt:
    return Receipt(
        decision_id=decision.decision_id,
        accepted=code in (ReceiptCode.ACCEPTED, ReceiptCode.RECORDED),
        code=code,
        message=message,
        approval_id=str(approval.approval_id) if approval else decision.approval_id,
        case_id=approval.case_id if approval else None,
        decided_by=by,
        decided_at=at,
    )
