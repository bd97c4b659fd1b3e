"""Decisions and commands on their way to us: the events that say them, and the receipt that answers each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from schemas.catalogue import REVIEW_DECISIONS
from schemas.cloudevents import Header, Refused, decode, encode
from schemas.events import ApprovalCommanded, ReviewDecided, ReviewReceipt, batches_of
from worker.application.messages import IllegibleDecision
from worker.domain.approval import ApprovalCommand, Decision, Receipt
from worker.translation.inbound import Accepted, Record, read

SOURCE = "/signoff/cli"


class IllegibleDecisionGiven(ValueError):
    """The worker would not be able to read this; the message says why."""


def decision_record(decision: Decision, key: str, at: datetime) -> Record:
    """The record to publish, its place in the topic not known yet. Raises IllegibleDecisionGiven.

    It is read back as the worker will read it, so that what cannot be answered is not sent.
    """
    return _read_back(_record(ReviewDecided.TYPE, decision.decision_id, key, at, _json_of(decision)))


def command_record(command: ApprovalCommand, key: str, at: datetime) -> Record:
    """As decision_record. Raises IllegibleDecisionGiven."""
    return _read_back(_record(ApprovalCommanded.TYPE, command.command_id, key, at, _json_of(command)))


def check_decision(data: Any) -> None:
    """Raises IllegibleDecisionGiven for the data of a decision that the worker could not read."""
    _read_back(Record(REVIEW_DECISIONS.name, 0, 0, None, _bytes_of({"decisions": [data]}), ()))


def batch_records(decisions: Sequence[Mapping[str, Any]], at: datetime) -> Iterator[Record]:
    """All these decisions, in as few records as can carry them.

    A record of several orders can have the key of one only: that of its first decision, as good as any, since
    decisions about one case are told apart and kept in order by what they name.
    """
    for batch in batches_of(decisions):
        key = str(batch[0].get("exception_id") or batch[0].get("approval_id"))
        yield _record(ReviewDecided.TYPE, str(uuid4()), key, at, _bytes_of({"decisions": batch}))


def receipt_in(value: bytes | None, headers: list[Header]) -> Receipt | None:
    """The receipt in a record, None when there is none in it that we can read."""
    try:
        event = decode(value, headers)
        if event.type != ReviewReceipt.TYPE:
            return None
        return Receipt.model_validate(dict(ReviewReceipt.model_validate(event.data)))
    except (Refused, ValidationError):
        return None


def _json_of(said: Decision | ApprovalCommand) -> bytes:
    return said.model_dump_json(exclude_none=True).encode()


def _bytes_of(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _record(type_: str, event_id: str, key: str, at: datetime, data: bytes) -> Record:
    value, headers = encode(type_, event_id, SOURCE, at, key, data, {"partitionkey": key})
    return Record(REVIEW_DECISIONS.name, 0, 0, key.encode(), value, headers)


def _read_back(record: Record) -> Record:
    (part,) = read(record)
    if not isinstance(part, Accepted):
        raise IllegibleDecisionGiven(part.detail)
    if isinstance(part.message, IllegibleDecision):
        raise IllegibleDecisionGiven(part.message.problem)
    return record
