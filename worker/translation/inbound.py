"""From a Kafka record to a message of the application, or to the reason why it is none.

Nothing that anybody can write to a topic raises here: a record is accepted, or it is rejected with a reason.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from schemas.catalogue import TOPICS, Direction
from schemas.cloudevents import Header, Refused, decode
from schemas.events import (
    ApprovalCommanded,
    ExceptionRaised,
    ExceptionWithdrawn,
    PaymentFailed,
    RecoveryRequested,
    ReviewDecided,
    decisions_in,
    legible_command_id,
    legible_decision_id,
    receipt_code_of,
    rejection_of,
)
from schemas.values import RejectionReason
from worker.application.messages import (
    Commanded,
    Decided,
    IllegibleDecision,
    Message,
    Outdated,
    PaymentReported,
    Raised,
    Recovery,
    Withdrawn,
)
from worker.domain.approval import ApprovalCommand, Decision
from worker.domain.order_exception import OrderException
from worker.translation.hitl_answer import UnreadableAnswer
from worker.translation.hitl_inbound import decision_in

_TOPICS = {topic.name: topic for topic in TOPICS if topic.direction is Direction.IN}


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lay in the partition. `topic` is the name without the configured prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message of a record: `part` counts them, as a record may carry a batch of decisions.

    `correlation` names what the message is about; messages with the same one are worked on in order.
    """

    part: int
    type: str
    correlation: str
    payload: str
    message: Message


@dataclass(frozen=True, slots=True)
class Rejected:
    part: int
    reason: RejectionReason
    detail: str


def read(record: Record) -> list[Accepted | Rejected]:
    """All messages of a record, each accepted or rejected by itself."""
    try:
        event = decode(record.value, record.headers)
        kind = _TOPICS[record.topic].model(event.type, event.data).TYPE
    except Refused as refused:
        return [Rejected(0, refused.reason, refused.detail)]
    try:
        parts = decisions_in(event.data) if kind == ReviewDecided.TYPE else (event.data,)
    except ValidationError as error:
        return [Rejected(0, *rejection_of(error))]
    return [_read_part(part, kind, data) for part, data in enumerate(parts)]


def message_of(kind: str, payload: str) -> Message:
    """The message that an inbox row holds; Outdated when the release that accepted it was of another mind."""
    try:
        return _translate(kind, json.loads(payload))
    except ValidationError as error:
        return Outdated(rejection_of(error)[1])


def _read_part(part: int, kind: str, data: Any) -> Accepted | Rejected:
    try:
        message = _translate(kind, data)
    except ValidationError as error:
        return Rejected(part, *rejection_of(error))
    payload = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Accepted(part, kind, _correlation(message), payload, message)


def _translate(kind: str, data: Any) -> Message:
    if kind == ExceptionRaised.TYPE:
        return _raised(ExceptionRaised.model_validate(data))
    if kind == ExceptionWithdrawn.TYPE:
        event = ExceptionWithdrawn.model_validate(data)
        return Withdrawn(exception_id=event.exception_id, requested_by=event.requested_by)
    if kind == PaymentFailed.TYPE:
        return PaymentReported(**PaymentFailed.model_validate(data).model_dump(exclude={"reported_by"}))
    if kind == RecoveryRequested.TYPE:
        return Recovery(**RecoveryRequested.model_validate(data).model_dump())
    if kind == ApprovalCommanded.TYPE:
        return _commanded(data)
    try:
        decided = ReviewDecided.model_validate(data)
    except ValidationError as error:
        decision_id = legible_decision_id(data)
        if decision_id is None:
            raise
        return IllegibleDecision(decision_id, rejection_of(error)[1], receipt_code_of(error))
    if decided.response is not None:
        return _answered(decided)
    return Decided(Decision.model_validate(decided.model_dump(exclude={"response"})))


def _answered(decided: ReviewDecided) -> Decided | IllegibleDecision:
    """A decision in the shape of another product."""
    try:
        return Decided(decision_in(decided))
    except UnreadableAnswer as error:
        return IllegibleDecision(decided.decision_id, error.problem, error.code)


def _commanded(data: Any) -> Commanded | IllegibleDecision:
    """Whoever sent an id is owed a receipt, for a command as for a decision."""
    try:
        return Commanded(ApprovalCommand.model_validate(dict(ApprovalCommanded.model_validate(data))))
    except ValidationError as error:
        command_id = legible_command_id(data)
        if command_id is None:
            raise
        return IllegibleDecision(command_id, rejection_of(error)[1])


def _raised(event: ExceptionRaised) -> Raised:
    content = event.model_dump(mode="json", exclude_defaults=True)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    fields = dict(event)
    fields["actions"] = event.requested_actions
    fields["changes"] = event.changes or {}
    del fields["action"], fields["order"], fields["customer"]
    return Raised(
        exception=OrderException.model_construct(**fields),
        content_hash=hashlib.sha256(canonical.encode()).hexdigest(),
        order=event.order,
        customer=event.customer,
    )


def _correlation(message: Message) -> str:
    match message:
        case Raised(exception):
            return exception.exception_id
        case Withdrawn(exception_id):
            return exception_id
        case Recovery():
            return message.exception_id
        case PaymentReported(idempotency_key):
            return idempotency_key
        case Decided(decision):
            return decision.approval_id or decision.exception_id or decision.decision_id
        case Commanded(command):
            return command.approval_id or command.exception_id or command.command_id
        case IllegibleDecision(decision_id):
            return decision_id
        case Outdated():
            raise AssertionError("only a row of the inbox can be outdated, and it has its correlation")
