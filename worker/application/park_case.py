"""A case whose thread cannot go on is parked, and nobody is asked about it any more.

Its open question is closed with the same commit: nobody could answer it, and its deadlines would come up for nothing.
"""

from dataclasses import replace

from worker.application.answer_question import closing_update
from worker.application.follow_run import parked
from worker.application.ports.store import CaseView
from worker.application.transition import SYSTEM, note
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.exception_case import Case


def park_case(case: Case, approval: ApprovalRequest, view: CaseView, problem: str) -> UnitOfWork:
    """The case waits for an operator, and open screens are told that its question is gone."""
    return with_question_closed(UnitOfWork(**parked(case, view, problem)), approval, SYSTEM, view)


def close_question_of_stuck_case(case: Case, approval: ApprovalRequest, view: CaseView) -> UnitOfWork:
    """A former release left the question open when it parked the case."""
    noted, entry = note(case, actor=SYSTEM, action="question closed", at=view.now)
    return with_question_closed(UnitOfWork(case=noted, audit=entry), approval, SYSTEM, view)


def with_question_closed(unit: UnitOfWork, approval: ApprovalRequest, by: str, view: CaseView) -> UnitOfWork:
    """The unit, which closes the question as outdated as well, before it announces anything else."""
    update = closing_update(approval, Closing.OUTDATED, by, view.now)
    return replace(
        unit,
        changed_approvals=(*unit.changed_approvals, update.closed),
        announcements=(*update.announcements, *unit.announcements),
    )
