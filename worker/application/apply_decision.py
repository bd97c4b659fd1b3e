"""A reviewer decided: check that they may, resume the case, and answer with a receipt whatever happens."""

from dataclasses import replace
from datetime import UTC, datetime

from pydantic import ValidationError

from schemas.values import ApprovalChange, Changes, Money, ReceiptCode, Signature, Verdict
from worker.application.announcements import ApprovalUpdated, ReceiptGiven
from worker.application.close_approval import answer_question, closed_approval
from worker.application.follow_run import available_of, concluded, execute, parked
from worker.application.messages import Delivery, IllegibleDecision
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Finished, StuckThread
from worker.application.transition import note
from worker.application.unit_of_work import CaseQuery, Postponement, UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing, Decision, Receipt
from worker.domain.errors import InvalidChanges
from worker.domain.exception_case import Case, CaseState
from worker.domain.resolution import modify


class Refusal(Exception):
    """The decision has no effect, and this is what its sender is told."""

    def __init__(self, code: ReceiptCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


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
        case, approval = _addressed(decision, view)
        _check_authority(decision, approval)
        _check_timing(decision, delivery, approval)
        changes = _check_changes(decision, approval, view)
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
    refusal = _duplicate(view.earlier) if view.earlier else None
    receipt = Receipt(
        decision_id=message.decision_id,
        accepted=False,
        code=refusal.code if refusal else ReceiptCode.INVALID,
        message=refusal.message if refusal else message.problem,
    )
    return UnitOfWork(announcements=(ReceiptGiven(receipt, None),))


def _may_be_early(view: CaseView, delivery: Delivery, ports: Ports) -> bool:
    known = view.earlier is not None or view.case is not None
    return not known and delivery.waited_s < ports.patience.early.total_seconds()


def _addressed(decision: Decision, view: CaseView) -> tuple[Case, ApprovalRequest]:
    if view.earlier is not None:
        raise _duplicate(view.earlier)
    case, approval = view.case, view.approval
    if case is not None and case.state is CaseState.STUCK:
        raise Refusal(ReceiptCode.STALE, "the case is parked as stuck; decide again once it is recovered")
    if case is not None and approval is None:
        raise Refusal(ReceiptCode.ALREADY_DECIDED, "the case was resolved without an approval")
    if case is None or approval is None:
        raise Refusal(
            ReceiptCode.UNKNOWN_APPROVAL,
            "no approval request with this id came in the time that decisions are kept for; check the id",
        )
    if decision.level not in (None, approval.question.level.name):
        raise Refusal(
            ReceiptCode.UNKNOWN_APPROVAL,
            f"level: the case asks level {approval.question.level.name}, not {decision.level}",
        )
    return case, approval


def _duplicate(earlier: Receipt) -> Refusal:
    return Refusal(ReceiptCode.DUPLICATE, f"this decision was answered already: {earlier.code}")


def _check_authority(decision: Decision, approval: ApprovalRequest) -> None:
    if same_person(decision.reviewer.id, approval.requested_by):
        raise Refusal(ReceiptCode.SELF_APPROVAL, "who requested it cannot decide it; ask another reviewer")
    role = approval.question.role
    if role not in decision.reviewer.roles:
        raise Refusal(ReceiptCode.NOT_AUTHORISED, f"reviewer.roles: this level needs role {role}")
    allowed = approval.question.allowed_verdicts
    if decision.verdict not in allowed:
        raise Refusal(ReceiptCode.VERDICT_NOT_ALLOWED, f"verdict: choose one of {', '.join(allowed)}")


def same_person(one: str, other: str) -> bool:
    """Ids are compared without case or surrounding space, so that a spelling is not a second person."""
    return one.strip().casefold() == other.strip().casefold()


def _check_timing(decision: Decision, delivery: Delivery, approval: ApprovalRequest) -> None:
    if approval.closed_as is Closing.EXPIRED:
        raise Refusal(ReceiptCode.EXPIRED, f"the deadline was {in_words(approval.due_at)}")
    if not approval.is_open:
        by, when = approval.closed_by, approval.closed_at
        raise Refusal(
            ReceiptCode.ALREADY_DECIDED,
            f"{approval.closed_as} by {by} at {in_words(when) if when else 'an unknown time'}",
        )
    if delivery.received_at > approval.due_at:
        raise Refusal(ReceiptCode.EXPIRED, f"the deadline was {in_words(approval.due_at)}")
    if decision.review_hash not in (None, approval.review_hash):
        raise Refusal(ReceiptCode.STALE, "review_hash: what is shown has changed; reload it and decide again")


def in_words(at: datetime) -> str:
    """A time as a person reads it: to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _check_changes(decision: Decision, approval: ApprovalRequest, view: CaseView) -> Changes | None:
    """The changes of a modify verdict. What is approved must also still be there to refund."""
    changes: Changes | None = None
    proposal = approval.question.proposal
    if decision.verdict is Verdict.MODIFY:
        try:
            changes = Changes.model_validate(decision.changes or {})
            proposal = modify(proposal, changes)
            changes = changes.model_copy(update={"customer_message": proposal.customer_message})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Refusal(ReceiptCode.INVALID_CHANGES, f"changes.{where}: {first['msg']}") from error
        except InvalidChanges as error:
            raise Refusal(ReceiptCode.INVALID_CHANGES, str(error)) from error
    elif decision.verdict is Verdict.APPROVE and decision.changes:
        raise Refusal(
            ReceiptCode.INVALID_CHANGES,
            "changes: approve signs it as it stands; send modify to change it, or leave them",
        )
    if decision.verdict is not Verdict.REJECT and proposal.amount and view.case:
        _check_what_is_left(proposal.amount, available_of(view.case.facts, view))
    return changes


def _check_what_is_left(amount: Money, left: Money | None) -> None:
    """Other cases of the order may have taken money, or shown what it was paid in, since this was asked."""
    if left is None:
        return
    if amount.currency != left.currency:
        raise Refusal(ReceiptCode.STALE, f"the order was paid in {left.currency}, not in {amount.currency}; reject it")
    if amount.amount_minor > left.amount_minor:
        raise Refusal(
            ReceiptCode.STALE,
            f"only {left} of the order is left to refund since this was asked; modify the amount, or reject",
        )


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
