"""Who holds a question: people claim it, let it go, reassign it, or delegate it to somebody else.

Only who could answer the question may move it, and it never moves to somebody who could not: its requester, or
somebody who signed another level. All of it is on record, and open screens are told.
"""

from schemas.values import ApprovalChange, Command, ReceiptCode
from worker.application.announcements import ApprovalUpdated, ReceiptGiven
from worker.application.authority import check_candidate, standing_of
from worker.application.messages import Delivery
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.question_messages import kept_for_later
from worker.application.receipts import receipt_for, refused
from worker.application.refusal import Refusal, addressed, check_open
from worker.application.transition import note
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import ApprovalCommand, ApprovalRequest, Handover
from worker.domain.exception_case import Case
from worker.domain.reviewers import Standing, same_person

_ACTIONS = {
    Command.CLAIM: "claimed",
    Command.RELEASE: "released",
    Command.REASSIGN: "reassigned",
    Command.DELEGATE: "delegated",
}


async def hand_over(command: ApprovalCommand, delivery: Delivery, view: CaseView, ports: Ports) -> UnitOfWork:
    """The receipt says RECORDED when it took effect: the question is still open."""
    if view.earlier is None and view.case is None and delivery.waited_s < ports.patience.early.total_seconds():
        return kept_for_later(delivery)
    try:
        case, approval = addressed(command.level, view)
        check_open(delivery.received_at, approval)
        changed = _moved(command, case, approval, view, ports)
    except Refusal as refusal:
        return refused(command, refusal, view)
    noted, entry = note(
        case,
        actor=command.by.id,
        action=_ACTIONS[command.command],
        at=view.now,
        detail={"command_id": command.command_id, "level": approval.question.level.name, "to": changed.assignee},
    )
    change = ApprovalChange.CLAIMED if command.command is Command.CLAIM else ApprovalChange.REASSIGNED
    said = f"{_ACTIONS[command.command]}: {_held_by(changed)}"
    receipt = receipt_for(command, ReceiptCode.RECORDED, said, approval, None)
    return UnitOfWork(
        case=noted,
        audit=entry,
        changed_approvals=(changed,),
        decision=(command, receipt),
        announcements=(
            ReceiptGiven(receipt, approval.order_id),
            ApprovalUpdated(changed, change, command.by.id, view.now),
        ),
    )


def _moved(
    command: ApprovalCommand, case: Case, approval: ApprovalRequest, view: CaseView, ports: Ports
) -> ApprovalRequest:
    """The question in other hands. Raises Refusal."""
    by, to = command.by.id, command.to or ""
    if command.command is Command.RELEASE:
        _check_may_release(by, approval)
        return approval.held(None)
    standing = standing_of(command.by, case, approval, view, ports.policy, signs=False)
    if command.command is Command.CLAIM:
        has_it_from_another = approval.handover is not None and same_person(approval.handover.to, by)
        return approval if has_it_from_another else approval.held(by, by, until=view.now + ports.policy.claim)
    reassigns = command.command is Command.REASSIGN
    check_candidate(to, case, approval, view, needs_role=reassigns)
    held = approval.held(to, by)
    return held if reassigns else held.model_copy(update={"handover": _handover(standing, to, approval.role)})


def _check_may_release(by: str, approval: ApprovalRequest) -> None:
    """Who holds a question may let it go, and whoever gave it to them may take it back."""
    if approval.assignee is None:
        raise Refusal(ReceiptCode.NOT_AUTHORISED, "nobody holds this question; there is nothing to release")
    if not any(one and same_person(by, one) for one in (approval.assignee, approval.assigned_by)):
        raise Refusal(
            ReceiptCode.NOT_AUTHORISED,
            f"{approval.assignee} holds this question; only they, or who gave it to them, can release it",
        )


def _handover(standing: Standing, to: str, role: str) -> Handover:
    if any(same_person(to, one) for one in standing.people):
        raise Refusal(ReceiptCode.INVALID, f"to: {to} handed this question over already; choose somebody else")
    return Handover(to=to, on_behalf_of=standing.people, role=role)


def _held_by(approval: ApprovalRequest) -> str:
    return f"{approval.assignee} holds it now" if approval.assignee else f"anybody with role {approval.role} may answer"
