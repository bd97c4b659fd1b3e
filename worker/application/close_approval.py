"""Answering a case's open question when no reviewer did: its deadline passed, or it was withdrawn.

Both are one more decision, from the system or the requester, through the same gate as a reviewer's.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from schemas.values import ApprovalChange
from worker.application.announcements import ApprovalUpdated
from worker.application.follow_run import concluded, parked
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Finished, StuckThread, UnknownInterrupt
from worker.application.transition import SYSTEM, note
from worker.application.unit_of_work import NOTHING, Postponement, UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.exception_case import Case, CaseState


async def expire_approval(view: CaseView, ports: Ports) -> UnitOfWork:
    """The deadline has passed in the database's time; a request that was answered meanwhile is left alone."""
    case, approval = view.case, view.approval
    if case is None or approval is None or not approval.is_open or view.now < approval.due_at:
        return NOTHING
    if case.state is not CaseState.WAITING:
        return NOTHING
    reason = f"nobody decided before {approval.due_at.isoformat()}"
    return await _close(case, approval, view, ports, CaseState.EXPIRED, Closing.EXPIRED, SYSTEM, reason)


async def withdraw_case(
    exception_id: str, requested_by: str, waited_s: float, view: CaseView, ports: Ports
) -> UnitOfWork:
    """Ends a case that still waits; one that executes or has ended stays as it is, and that is put on record."""
    case, approval = view.case, view.approval
    if case is None:
        if waited_s < ports.patience.early.total_seconds():
            return UnitOfWork(postponed=Postponement(seconds=1.0))
        return NOTHING
    if case.state is not CaseState.WAITING or approval is None:
        noted, entry = note(case, actor=requested_by, action="withdrawal came too late", at=view.now)
        return UnitOfWork(case=noted, audit=entry)
    return await _close(
        case,
        approval,
        view,
        ports,
        CaseState.WITHDRAWN,
        Closing.WITHDRAWN,
        requested_by,
        "withdrawn by its requester",
    )


async def _close(
    case: Case,
    approval: ApprovalRequest,
    view: CaseView,
    ports: Ports,
    state: CaseState,
    closing: Closing,
    by: str,
    reason: str,
) -> UnitOfWork:
    try:
        run = await answer_question(case, {"verdict": "reject", "changes": None}, view, ports)
    except StuckThread as stuck:
        return UnitOfWork(**parked(case, view, str(stuck)))
    record = {"actor": by, "action": state.value, "at": view.now, "detail": None}
    unit = concluded(case, state, run, ports, record, {"interrupt_id": None, "reason": reason})
    closed = closed_approval(approval, closing, by, view.now)
    update = ApprovalUpdated(closed, ApprovalChange.CLOSED, by, view.now)
    return replace(unit, approvals=(closed,), announcements=(update, *unit.announcements))


def closed_approval(approval: ApprovalRequest, closing: Closing, by: str, at: datetime) -> ApprovalRequest:
    return approval.model_copy(update={"closed_as": closing, "closed_by": by, "closed_at": at})


async def answer_question(case: Case, answer: dict[str, Any], view: CaseView, ports: Ports) -> Finished:
    """Resumes the case's thread at the interrupt that its row names.

    Raises StuckThread when the thread does not wait there, or ends with neither question nor answer.
    """
    if case.interrupt_id is None or view.thread is None:
        raise StuckThread(str(case.case_id))
    try:
        run = await ports.workflow.resume(view.thread, case.interrupt_id, answer)
    except UnknownInterrupt as unknown:
        raise StuckThread(str(case.case_id)) from unknown
    if not isinstance(run, Finished):
        raise StuckThread(str(case.case_id))
    return run
