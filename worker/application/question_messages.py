"""Messages about a question: which case they want to see, and waiting for one that does not exist yet."""

from worker.application.messages import Delivery
from worker.application.unit_of_work import CaseQuery, Postponement, UnitOfWork
from worker.domain.approval import ApprovalCommand, Decision

LONGEST_PAUSE_S = 30.0


def query(message: Decision | ApprovalCommand) -> CaseQuery:
    """The approval request by its id if that is given, else the case by its business key."""
    return CaseQuery(
        approval_id=message.approval_id,
        exception_id=None if message.approval_id else message.exception_id,
        decision_id=message.decision_id,
        reviewer=message.reviewer.id,
        also=message.to if isinstance(message, ApprovalCommand) else None,
    )


def kept_for_later(delivery: Delivery) -> UnitOfWork:
    """The message outran what it is about: it is looked at again, at growing intervals, and woken by its case."""
    return UnitOfWork(postponed=Postponement(seconds=min(LONGEST_PAUSE_S, 0.5 * 2**delivery.attempts)))
