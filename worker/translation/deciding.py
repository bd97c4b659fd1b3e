"""A decision on its way to us: the event that says it, and the receipt that answers it."""

from datetime import datetime

from pydantic import ValidationError

from schemas.catalogue import REVIEW_DECISIONS
from schemas.cloudevents import Header, Refused, decode, encode
from schemas.events import ReviewDecided, ReviewReceipt
from worker.domain.approval import Decision, Receipt
from worker.translation.inbound import Accepted, Record, read

SOURCE = "/signoff/cli"


class IllegibleDecisionGiven(ValueError):
    """The worker would not be able to read this decision; the message says why."""


def decision_record(decision: Decision, key: str, at: datetime) -> Record:
    """The record to publish, its place in the topic not known yet. Raises IllegibleDecisionGiven.

    It is read back as the worker will read it, so that what cannot be answered is not sent.
    """
    data = decision.model_dump_json(exclude_none=True).encode()
    value, headers = encode(ReviewDecided.TYPE, decision.decision_id, SOURCE, at, key, data, {"partitionkey": key})
    record = Record(REVIEW_DECISIONS.name, 0, 0, key.encode(), value, headers)
    (part,) = read(record)
    if not isinstance(part, Accepted):
        raise IllegibleDecisionGiven(part.detail)
    problem = getattr(part.message, "problem", None)
    if problem is not None:
        raise IllegibleDecisionGiven(problem)
    return record


def receipt_in(value: bytes | None, headers: list[Header]) -> Receipt | None:
    """The receipt in a record, None when there is none in it that we can read."""
    try:
        event = decode(value, headers)
        if event.type != ReviewReceipt.TYPE:
            return None
        return Receipt.model_validate(dict(ReviewReceipt.model_validate(event.data)))
    except (Refused, ValidationError):
        return None
