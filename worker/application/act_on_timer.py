"""A timer of an open question ran out: remind, hand over, release, escalate or reject. Nothing is ever approved here.

A deadline is one more decision, from the system, through the same gate as a reviewer's.
"""

from dataclasses import replace

from schemas.values import ApprovalChange, OutcomeStatus, Verdict
from worker.application.announcements import ApprovalUpdated
from worker.application.answer_question import answer_question, closing_update
from worker.application.close_case import close_case
from worker.application.examine_decision import levels_above
from worker.application.follow_run import ask
from worker.application.next_question import Answer
from worker.application.park_case import close_question_of_stuck_case, park_case
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Paused, StuckThread
from worker.application.refusal import Refusal
from worker.application.transition import SYSTEM, note
from worker.application.unit_of_work import NOTHING, UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.deadlines import DeadlineAction, Timer, due_now
from worker.domain.exception_case import Case, CaseState


async def act_on_timer(view: CaseView, ports: Ports) -> UnitOfWork:
    """What is due in the database's time; a question that was answered meanwhile is left alone."""
    case, approval = view.case, view.approval
    if case is None or approval is None or not approval.is_open:
        return NOTHING
    if case.state is CaseState.STUCK:
        return close_question_of_stuck_case(case, approval, view)
    if case.state is not CaseState.WAITING:
        return NOTHING
    timer, rest = due_now(approval.timers, view.now)
    if timer is None:
        return NOTHING
    match timer.do:
        case DeadlineAction.ESCALATE:
            return await _escalate(case, approval, view, ports)
        case DeadlineAction.REJECT:
            return await _expire(case, approval, view, ports)
        case _:
            return _change(case, approval, timer, rest, view)


def _change(case: Case, approval: ApprovalRequest, timer: Timer, rest: tuple[Timer, ...], view: CaseView) -> UnitOfWork:
    """The question stays open: somebody is reminded, or others are asked."""
    changed = approval.model_copy(update={"timers": rest})
    change = ApprovalChange.REASSIGNED
    match timer.do:
        case DeadlineAction.REMIND:
            change = ApprovalChange.REMINDED
        case DeadlineAction.RELEASE:
            changed = changed.held(None)
        case DeadlineAction.HAND_OVER:
            changed = changed.held(None).model_copy(update={"role": timer.to})
    noted, entry = note(
        case,
        actor=SYSTEM,
        action=_RECORDED[timer.do],
        at=view.now,
        detail={"level": approval.question.level.name, "role": changed.role},
    )
    return UnitOfWork(
        case=noted,
        audit=entry,
        changed_approvals=(changed,),
        announcements=(ApprovalUpdated(changed, change, SYSTEM, view.now),),
    )


_RECORDED = {
    DeadlineAction.REMIND: "reminded",
    DeadlineAction.RELEASE: "claim ran out",
    DeadlineAction.HAND_OVER: "handed over",
}


async def _escalate(case: Case, approval: ApprovalRequest, view: CaseView, ports: Ports) -> UnitOfWork:
    """The level above is asked. When the policy of today has none, nobody can answer any more, and the case expires."""
    asked = approval.question.asked
    try:
        levels = levels_above(asked, None, ports.policy)
    except Refusal:
        return await _expire(case, approval, view, ports)
    answer = Answer(verdict=Verdict.ESCALATE, levels=levels, signed_by=approval.question.signed_by)
    try:
        run = await answer_question(case, answer, view, ports)
        if not isinstance(run, Paused):
            raise StuckThread(str(case.case_id))
    except StuckThread as stuck:
        return park_case(case, approval, view, str(stuck))
    detail = {"level": asked.name, "because": "time-out"}
    unit = ask(case, run, ports, at=view.now, actor=SYSTEM, action="escalated", detail=detail)
    update = closing_update(approval, Closing.ESCALATED, SYSTEM, view.now)
    return replace(unit, changed_approvals=(update.closed,), announcements=(*update.announcements, *unit.announcements))


async def _expire(case: Case, approval: ApprovalRequest, view: CaseView, ports: Ports) -> UnitOfWork:
    reason = f"nobody decided before {approval.due_at.isoformat()}"
    return await close_case(
        case, approval, view, ports, OutcomeStatus.EXPIRED, Closing.EXPIRED, by=SYSTEM, reason=reason
    )
