"""The recovery of a stuck case on its way to us: the event that asks for it."""

from datetime import datetime

from pydantic import ValidationError

from schemas.catalogue import ORDER_EXCEPTIONS
from schemas.cloudevents import encode
from schemas.events import RecoveryRequested, rejection_of
from worker.application.messages import Recovery
from worker.translation.deciding import SOURCE
from worker.translation.inbound import Record


class IllegibleRecovery(ValueError):
    """The worker would not be able to read this; the message says why."""


def recovery_record(recovery: Recovery, key: str, at: datetime) -> Record:
    """The record to publish, its place in the topic not known yet. Raises IllegibleRecovery."""
    try:
        event = RecoveryRequested(
            recovery_id=recovery.recovery_id,
            exception_id=recovery.exception_id,
            requested_by=recovery.requested_by,
            reason=recovery.reason,
        )
    except ValidationError as error:
        raise IllegibleRecovery(rejection_of(error)[1]) from error
    value, headers = encode(event.TYPE, event.recovery_id, SOURCE, at, key, event.to_json(), {"partitionkey": key})
    return Record(ORDER_EXCEPTIONS.name, 0, 0, key.encode(), value, headers)
