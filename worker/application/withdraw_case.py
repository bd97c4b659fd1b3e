"""The requester takes an exception back."""

from schemas.values import OutcomeStatus
from worker.application.close_case import close_case
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.transition import note
from worker.application.unit_of_work import NOTHING, Postponement, UnitOfWork
from worker.domain.approval import Closing
from worker.domain.exception_case import CaseState


async def withdraw_case(requested_by: str, waited_s: float, view: CaseView, ports: Ports) -> UnitOfWork:
    """Ends a case that still waits; one that executes or has ended stays as it is, and that is put on record."""
    case, approval = view.case, view.approval
    if case is None:
        if waited_s < ports.patience.early.total_seconds():
            return UnitOfWork(postponed=Postponement(seconds=1.0))
        return NOTHING
    if case.state is not CaseState.WAITING or approval is None:
        noted, entry = note(case, actor=requested_by, action="withdrawal came too late", at=view.now)
        return UnitOfWork(case=noted, audit=entry)
    return await close_case(
        case,
        approval,
        view,
        ports,
        OutcomeStatus.WITHDRAWN,
        Closing.WITHDRAWN,
        by=requested_by,
        reason="withdrawn by its requester",
    )
