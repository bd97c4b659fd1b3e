"""What a reviewer's screen shows: a pending approval request, and what became of it."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from schemas.events.event import Event, Time
from schemas.values import (
    Alternative,
    ApprovalChange,
    ApprovalPart,
    ExceptionKind,
    FiredRule,
    Identifier,
    LevelReference,
    OnTimeout,
    PolicyReference,
    Proposal,
    Risk,
    Signature,
    Verdict,
)


class ApprovalNeeded(Event):
    """One level's question about a case.

    `review_hash` digests what is shown: a decision that repeats it is refused as STALE when the
    case has changed since. `round` counts the analyses after a reviewer's `request_changes`. `part`
    says what a two-step level asks now, `role` who may answer. `signed_by` are the signatures that
    are there already: of earlier levels, and of this one while its quorum is open. `hitl` holds the
    same question in the shape of LangChain's human-in-the-loop middleware or of Agent Inbox.
    """

    TYPE: ClassVar[str] = "signoff.approval.needed.v1"

    approval_id: Identifier
    case_id: Identifier
    exception_id: Identifier
    order_id: Identifier | None = None
    kind: ExceptionKind
    level: LevelReference
    part: ApprovalPart | None = None
    role: Identifier | None = None
    quorum: Annotated[int, Field(ge=1)] = 1
    round: Annotated[int, Field(ge=1)] = 1
    allowed_verdicts: tuple[Verdict, ...]
    proposal: Proposal
    alternatives: tuple[Alternative, ...] = ()
    why: tuple[FiredRule, ...]
    risk: Risk
    confidence: float | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    signed_by: tuple[Signature, ...] = ()
    requested_by: Identifier
    requested_at: Time
    due_at: Time
    on_timeout: OnTimeout
    review_hash: str
    policy: PolicyReference
    hitl: dict[str, Any] | None = None


class ApprovalUpdated(Event):
    """Something happened to an approval request, so that an open screen can mark or withdraw its
    card.

    `by` is a reviewer's id or `system`. `level`, `role`, `due_at` and `assignee` hold what is true
    after the change.
    """

    TYPE: ClassVar[str] = "signoff.approval.updated.v1"

    approval_id: Identifier
    case_id: Identifier
    exception_id: Identifier | None = None
    order_id: Identifier | None = None
    change: ApprovalChange
    by: Identifier
    at: Time
    level: LevelReference | None = None
    role: Identifier | None = None
    due_at: Time | None = None
    assignee: Identifier | None = None
    reason: str | None = None
