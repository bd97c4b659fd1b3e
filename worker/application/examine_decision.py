"""May this decision take effect? Each check either passes or says, in words, why its sender is refused."""

from datetime import UTC, datetime

from pydantic import ValidationError

from schemas.values import Changes, Money, ReceiptCode, Verdict
from worker.application.follow_run import available_of
from worker.application.messages import Delivery
from worker.application.ports.store import CaseView
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


def examine(decision: Decision, delivery: Delivery, view: CaseView) -> tuple[Case, ApprovalRequest, Changes | None]:
    """The case and the open approval request that the decision answers, and the changes it makes.

    Raises Refusal with the first reason found: what it is about, who may, in time, and then what it changes.
    """
    case, approval = _addressed(decision, view)
    _check_authority(decision, approval)
    _check_timing(decision, delivery, approval)
    return case, approval, _check_changes(decision, approval, view)


def duplicate(earlier: Receipt) -> Refusal:
    return Refusal(ReceiptCode.DUPLICATE, f"this decision was answered already: {earlier.code}")


def _addressed(decision: Decision, view: CaseView) -> tuple[Case, ApprovalRequest]:
    if view.earlier is not None:
        raise duplicate(view.earlier)
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
