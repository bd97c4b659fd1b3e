"""The events, one module for each party that speaks."""

from schemas.events.approval import ApprovalNeeded, ApprovalUpdated
from schemas.events.event import Event
from schemas.events.order_exception import ExceptionRaised, ExceptionWithdrawn
from schemas.events.outcome import ResolutionOutcome
from schemas.events.rejection import MessageRejected, rejection_of
from schemas.events.review import (
    ReviewBatch,
    ReviewDecided,
    ReviewReceipt,
    decisions_in,
    legible_decision_id,
    receipt_code_of,
)

__all__ = [
    "ApprovalNeeded",
    "ApprovalUpdated",
    "Event",
    "ExceptionRaised",
    "ExceptionWithdrawn",
    "MessageRejected",
    "ResolutionOutcome",
    "ReviewBatch",
    "ReviewDecided",
    "ReviewReceipt",
    "decisions_in",
    "legible_decision_id",
    "receipt_code_of",
    "rejection_of",
]
