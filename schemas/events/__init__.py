"""The events, one module for each party that speaks."""

from schemas.events.approval import ApprovalNeeded, ApprovalUpdated
from schemas.events.batch import MOST_DECISIONS, ReviewBatch, batches_of, decisions_in
from schemas.events.command import ApprovalCommanded, legible_command_id
from schemas.events.event import Event
from schemas.events.order_exception import ExceptionRaised, ExceptionWithdrawn
from schemas.events.outcome import ResolutionOutcome
from schemas.events.payment import PaymentFailed
from schemas.events.recovery import RecoveryRequested
from schemas.events.rejection import MessageRejected, rejection_of
from schemas.events.review import (
    ReviewDecided,
    ReviewReceipt,
    legible_decision_id,
    receipt_code_of,
)

__all__ = [
    "MOST_DECISIONS",
    "ApprovalCommanded",
    "ApprovalNeeded",
    "ApprovalUpdated",
    "Event",
    "ExceptionRaised",
    "ExceptionWithdrawn",
    "MessageRejected",
    "PaymentFailed",
    "RecoveryRequested",
    "ResolutionOutcome",
    "ReviewBatch",
    "ReviewDecided",
    "ReviewReceipt",
    "batches_of",
    "decisions_in",
    "legible_command_id",
    "legible_decision_id",
    "receipt_code_of",
    "rejection_of",
]
