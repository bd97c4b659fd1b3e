"""Answering a case's open question: the one gate through which reviewers, deadlines and requesters go."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.values import ApprovalChange, Signature, Verdict
from worker.application.announcements import ApprovalUpdated
from worker.application.follow_run import ask, available_of
from worker.application.next_question import Answer
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Finished, Paused, StuckThread, UnknownInterrupt
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.exception_case import Case
from worker.domain.order_exception import Facts


async def answer_question(case: Case, answer: Answer, view: CaseView, ports: Ports) -> Paused | Finished:
    """Resumes the case's thread at the interrupt that its row names.

    Raises StuckThread when the thread does not wait there, or ends with neither question nor answer.
    """
    if case.interrupt_id is None or view.thread is None:
        raise StuckThread(str(case.case_id))
    plain = answer.model_dump(mode="json", exclude_defaults=True)
    try:
        return await ports.workflow.resume(view.thread, case.interrupt_id, plain)
    except UnknownInterrupt as unknown:
        raise StuckThread(str(case.case_id)) from unknown


async def ask_anew(
    case: Case,
    facts: Facts,
    view: CaseView,
    ports: Ports,
    *,
    actor: str,
    action: str,
    detail: dict[str, Any],
    **changes: Any,
) -> UnitOfWork:
    """The case goes into its next round with these facts, and is put to its first level again.

    Raises StuckThread when no question comes of it: what a person wanted changed must not go on by itself.
    """
    facts = facts.model_copy(update={"round": case.round + 1, "available": available_of(facts, view)})
    run = await answer_question(case, Answer(verdict=Verdict.REQUEST_CHANGES, facts=facts), view, ports)
    if not isinstance(run, Paused):
        raise StuckThread(str(case.case_id))
    again = case.model_copy(update={"facts": facts})
    return ask(again, run, ports, at=view.now, actor=actor, action=action, detail=detail, **changes)


@dataclass(frozen=True, slots=True)
class ClosingUpdate:
    """An approval request that is closed now, and what open screens are told."""

    closed: ApprovalRequest
    announcements: tuple[ApprovalUpdated, ...]


def closing_update(
    approval: ApprovalRequest, closing: Closing, by: str, at: datetime, *, votes: tuple[Signature, ...] | None = None
) -> ClosingUpdate:
    """An escalation is announced by its name as well; `closed` always says that the card is to be withdrawn."""
    closed = approval.model_copy(
        update={
            "closed_as": closing,
            "closed_by": by,
            "closed_at": at,
            "votes": approval.votes if votes is None else votes,
        }
    )
    said = [ApprovalUpdated(closed, ApprovalChange.CLOSED, by, at)]
    if closing is Closing.ESCALATED:
        said.insert(0, ApprovalUpdated(closed, ApprovalChange.ESCALATED, by, at))
    return ClosingUpdate(closed, tuple(said))
