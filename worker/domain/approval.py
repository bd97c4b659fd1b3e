"""An approval request is a question to a person about a case; a decision is one person's answer to it."""

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from schemas.values import (
    Alternative,
    ExceptionKind,
    FiredRule,
    LevelReference,
    OnTimeout,
    PolicyReference,
    Proposal,
    ReceiptCode,
    Reviewer,
    Risk,
    Value,
    Verdict,
)


class Question(Value):
    """What a reviewer is shown. It is the payload of the graph's interrupt, and `review_hash` is its seal."""

    level: LevelReference
    role: str
    quorum: int
    round: int
    allowed_verdicts: tuple[Verdict, ...]
    proposal: Proposal
    alternatives: tuple[Alternative, ...]
    why: tuple[FiredRule, ...]
    risk: Risk
    confidence: float | None
    context: dict[str, Any]
    due_in_seconds: int
    on_timeout: OnTimeout

    @property
    def review_hash(self) -> str:
        """SHA-256, in hex, over the JSON of what is shown, with sorted keys and no white space."""
        shown = self.model_dump(mode="json", exclude={"due_in_seconds"})
        canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


class Closing(StrEnum):
    """How an approval request ended."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ApprovalRequest(Value):
    """One pending question. `due_at` is judged in the database's time."""

    approval_id: UUID
    case_id: UUID
    exception_id: str
    order_id: str | None
    kind: ExceptionKind
    question: Question
    requested_by: str
    requested_at: datetime
    due_at: datetime
    review_hash: str
    policy: PolicyReference
    closed_as: Closing | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_as is None


class Decision(Value):
    """A reviewer's verdict as it came in. `changes` is still raw: whether it fits is answered with a receipt."""

    decision_id: str
    approval_id: str | None = None
    exception_id: str | None = None
    level: str | None = None
    verdict: Verdict
    reviewer: Reviewer
    changes: dict[str, Any] | None = None
    choice: int | str | None = None
    comment: str | None = None
    review_hash: str | None = None


class Receipt(Value):
    """Our answer to a decision: exactly one for each that has a legible id."""

    decision_id: str
    accepted: bool
    code: ReceiptCode
    message: str
    approval_id: str | None = None
    case_id: UUID | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
