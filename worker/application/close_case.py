"""Ending a case that still waits, though no reviewer rejected it."""

from dataclasses import replace

from schemas.values import OutcomeStatus, Verdict
from worker.application.answer_question import answer_question, closing_update
from worker.application.follow_run import concluded
from worker.application.next_question import Answer
from worker.application.park_case import park_case
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Finished, StuckThread
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.exception_case import Case, CaseState


async def close_case(
    case: Case,
    approval: ApprovalRequest,
    view: CaseView,
    ports: Ports,
    status: OutcomeStatus,
    closing: Closing,
    *,
    by: str,
    reason: str,
) -> UnitOfWork:
    """The open question is closed, its thread ends as after a reject, and the case has its outcome."""
    try:
        run = await answer_question(case, Answer(verdict=Verdict.REJECT), view, ports)
        if not isinstance(run, Finished):
            raise StuckThread(str(case.case_id))
    except StuckThread as stuck:
        return park_case(case, approval, view, str(stuck))
    detail = {"level": approval.question.level.name, "review_hash": approval.review_hash}
    record = {"actor": by, "action": status.value, "at": view.now, "detail": detail}
    unit = concluded(case, CaseState(status.value), run, ports, record, {"interrupt_id": None, "reason": reason})
    update = closing_update(approval, closing, by, view.now)
    return replace(unit, changed_approvals=(update.closed,), announcements=(*update.announcements, *unit.announcements))
