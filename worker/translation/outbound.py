"""From an announcement of the application to the CloudEvent that says it on Kafka."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas.catalogue import APPROVALS, DEAD_LETTERS, DECISION_RECEIPTS, ORDER_OUTCOMES, Topic
from schemas.cloudevents import encode
from schemas.events import (
    ApprovalNeeded,
    ApprovalUpdated,
    Event,
    MessageRejected,
    ResolutionOutcome,
    ReviewReceipt,
)
from schemas.values import ExceptionKind, OutcomeStatus
from worker.application import announcements
from worker.application.announcements import Announcement
from worker.domain.approval import ApprovalRequest, Receipt
from worker.domain.exception_case import Case, CaseState
from worker.domain.tool_calls import approved_of, results_of
from worker.translation.hitl_outbound import Shape, hitl_block

SOURCE = "/signoff/worker"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A record to publish. All those with the same `ordering` go out in the order in which they were committed."""

    event_id: UUID
    ordering: str
    topic: str
    key: str
    headers: dict[str, str]
    payload: str


class Announcer:
    """Turns announcements into messages; each gets its CloudEvents id here, once and for all.

    `hitl` is the shape in which approval.needed repeats its question for the screens of other products.
    """

    def __init__(self, new_id: Callable[[], UUID], hitl: Shape = Shape.LANGCHAIN) -> None:
        self._new_id = new_id
        self._hitl = hitl

    def message(self, announcement: Announcement, now: datetime) -> OutgoingMessage:
        match announcement:
            case announcements.ApprovalNeeded(approval):
                key = approval.order_id or approval.exception_id
                return self._of(_approval_needed(approval, self._hitl), APPROVALS, key, str(approval.case_id), now)
            case announcements.ApprovalUpdated(approval, change, by, at):
                key = approval.order_id or approval.exception_id
                event = ApprovalUpdated(
                    approval_id=str(approval.approval_id),
                    case_id=str(approval.case_id),
                    exception_id=approval.exception_id,
                    order_id=approval.order_id,
                    change=change,
                    by=by,
                    at=at,
                    level=approval.question.level,
                    role=approval.role,
                    due_at=approval.due_at,
                    assignee=approval.assignee,
                    reason=approval.closed_as,
                )
                return self._of(event, APPROVALS, key, str(approval.case_id), now)
            case announcements.ReceiptGiven(receipt, order_id):
                ordering = str(receipt.case_id or receipt.decision_id)
                key = order_id or receipt.decision_id
                return self._of(_receipt(receipt), DECISION_RECEIPTS, key, ordering, now)
            case announcements.OutcomeReached(case):
                key = case.exception.order_id or case.exception.exception_id
                return self._of(_outcome(case), ORDER_OUTCOMES, key, str(case.case_id), now)

    def dead_letter(self, row: Mapping[str, Any], now: datetime) -> OutgoingMessage:
        """`row`: topic, partition, offset, reason, detail, and the value in bytes or None."""
        rejected = MessageRejected.of(**row)
        place = f"{rejected.topic}/{rejected.partition}"
        return self._of(rejected, DEAD_LETTERS, place, place, now)

    def _of(self, event: Event, topic: Topic, key: str, ordering: str, now: datetime) -> OutgoingMessage:
        event_id = self._new_id()
        value, headers = encode(
            type(event).TYPE,
            str(event_id),
            SOURCE,
            now,
            key,
            event.to_json(),
            {"correlationid": ordering, "partitionkey": key},
        )
        return OutgoingMessage(
            event_id=event_id,
            ordering=ordering,
            topic=topic.name,
            key=key,
            headers={name: text.decode() for name, text in headers},
            payload=value.decode(),
        )


def _approval_needed(approval: ApprovalRequest, hitl: Shape) -> ApprovalNeeded:
    question = approval.question
    return ApprovalNeeded.model_construct(
        approval_id=str(approval.approval_id),
        case_id=str(approval.case_id),
        exception_id=approval.exception_id,
        order_id=approval.order_id,
        kind=approval.kind,
        level=question.level,
        part=question.part,
        role=approval.role,
        quorum=question.quorum,
        round=question.round,
        allowed_verdicts=question.allowed_verdicts,
        proposal=question.proposal,
        alternatives=question.alternatives,
        why=question.why,
        risk=question.risk,
        confidence=question.confidence,
        context=question.context,
        signed_by=question.signed_by,
        requested_by=approval.requested_by,
        requested_at=approval.requested_at,
        due_at=approval.due_at,
        on_timeout=question.on_timeout,
        review_hash=approval.review_hash,
        policy=approval.policy,
        hitl=hitl_block(hitl, approval),
    )


def _receipt(receipt: Receipt) -> ReviewReceipt:
    return ReviewReceipt.model_construct(
        **{**dict(receipt), "case_id": str(receipt.case_id) if receipt.case_id else None}
    )


def _outcome(case: Case) -> ResolutionOutcome:
    """What was done. A case that ended without doing anything says so by its status, and moved no amount."""
    executed = case.state is CaseState.EXECUTED
    proposal = case.proposal
    return ResolutionOutcome.model_construct(
        case_id=str(case.case_id),
        exception_id=case.exception.exception_id,
        order_id=case.exception.order_id,
        kind=ExceptionKind(case.exception.kind),
        status=OutcomeStatus(case.state.value),
        automatic=case.automatic,
        action=proposal.action,
        amount=proposal.amount if executed else None,
        method=proposal.method if executed else None,
        changes=proposal.changes if executed else None,
        actions=approved_of(case) or None,
        results=results_of(case) or None,
        payment_reference=case.payment_reference,
        decided_by=case.signatures,
        reason=case.reason or None,
        customer_message=proposal.customer_message if executed or case.state is CaseState.REJECTED else None,
        opened_at=case.opened_at,
        finished_at=case.finished_at or case.opened_at,
    )
