"""An approval request is a question to people about a case; a decision is one person's answer to it."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from schemas.values import (
    Alternative,
    ApprovalPart,
    Command,
    ExceptionKind,
    FiredRule,
    LevelReference,
    OnTimeout,
    PolicyReference,
    Proposal,
    ReceiptCode,
    Reviewer,
    Risk,
    Signature,
    Value,
    Verdict,
)
from worker.domain.approval_policy import Level
from worker.domain.canonical_json import canonical_json
from worker.domain.deadlines import DeadlineAction, Timer

SHOWN = frozenset(
    {
        "level",
        "part",
        "quorum",
        "round",
        "allowed_verdicts",
        "proposal",
        "alternatives",
        "why",
        "risk",
        "confidence",
        "context",
        "signed_by",
        "on_timeout",
    }
)
"""The fields of approval.needed that `review_hash` seals: all that a reviewer is shown of the matter itself."""


class Question(Value):
    """What reviewers are shown. It is the payload of the graph's interrupt, and `review_hash` is its seal.

    `asked` is the level as the policy had it when the case was judged. `signed_by` are the signatures that are there
    when it is asked. `message_edited`: the words to the customer are a reviewer's, and no draft.
    """

    level: LevelReference
    asked: Level
    round: int
    allowed_verdicts: tuple[Verdict, ...]
    proposal: Proposal
    alternatives: tuple[Alternative, ...]
    why: tuple[FiredRule, ...]
    risk: Risk
    confidence: float | None
    context: dict[str, Any]
    signed_by: tuple[Signature, ...] = ()
    message_edited: bool = False
    rounds_of_changes: int = 0
    requires_hash: bool = False

    @property
    def role(self) -> str:
        return self.asked.role

    @property
    def quorum(self) -> int:
        return self.asked.quorum

    @property
    def part(self) -> ApprovalPart | None:
        return self.asked.part

    @property
    def on_timeout(self) -> OnTimeout:
        return self.asked.on_timeout

    @property
    def review_hash(self) -> str:
        """SHA-256, in hex, over the canonical JSON (RFC 8785) of what is shown: the fields that SHOWN names, as
        approval.needed publishes them."""
        fields = self.model_dump(mode="json", include=set(SHOWN))
        shown = {**fields, "part": self.part, "quorum": self.quorum, "on_timeout": self.on_timeout}
        return hashlib.sha256(canonical_json(shown)).hexdigest()


class Closing(StrEnum):
    """How an approval request ended. After MODIFIED, ESCALATED, CHANGES_REQUESTED and OUTDATED another one follows."""

    APPROVED = "approved"
    MODIFIED = "modified"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    CHANGES_REQUESTED = "changes_requested"
    OUTDATED = "outdated"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Handover(Value):
    """The question was delegated: who holds it may answer on the authority of the people they act for, the last of
    whom held `role` then."""

    to: str
    on_behalf_of: tuple[str, ...]
    role: str


class ApprovalRequest(Value):
    """One pending question. Its times are judged in the database's time.

    `role` is who is asked now: the level's, or the one that a deadline handed it to. `votes` are the signatures of
    this level while its quorum is open. `assignee` is the one person who may answer it while they hold it: by a
    claim, which runs out, or because `assigned_by` handed it to them. `timers` are those still to come, the next one
    first.
    """

    approval_id: UUID
    case_id: UUID
    exception_id: str
    order_id: str | None
    kind: ExceptionKind
    question: Question
    role: str
    requested_by: str
    requested_at: datetime
    due_at: datetime
    timers: tuple[Timer, ...]
    review_hash: str
    policy: PolicyReference
    votes: tuple[Signature, ...] = ()
    assignee: str | None = None
    assigned_by: str | None = None
    handover: Handover | None = None
    closed_as: Closing | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_as is None

    def held(self, assignee: str | None, by: str | None = None, until: datetime | None = None) -> "ApprovalRequest":
        """The request in somebody's hands, or in nobody's. Whatever let others hold it is over: a claim that would have
        run out later, and a delegation."""
        timers = [timer for timer in self.timers if timer.do is not DeadlineAction.RELEASE]
        if until is not None and until < self.due_at:
            timers.append(Timer(at=until, do=DeadlineAction.RELEASE))
        in_order = tuple(sorted(timers, key=lambda timer: timer.at))
        return self.model_copy(update={"assignee": assignee, "assigned_by": by, "handover": None, "timers": in_order})


class Decision(Value):
    """A reviewer's verdict as it came in. `changes` is still raw: whether it fits is answered with a receipt.

    `actions_answered` is how many actions another product's screen gave an answer to, one each; None for an answer to
    the question as a whole. `edited_names` is what such a screen calls the actions that it edited, one for each of
    `changes.edited_actions`; None when the edits are in our own form.
    """

    decision_id: str
    approval_id: str | None = None
    exception_id: str | None = None
    level: str | None = None
    verdict: Verdict
    reviewer: Reviewer
    changes: dict[str, Any] | None = None
    choice: int | str | None = None
    escalate_to: str | None = None
    comment: str | None = None
    review_hash: str | None = None
    actions_answered: int | None = None
    edited_names: tuple[str, ...] | None = None

    @property
    def kind(self) -> str:
        return "decision"


class ApprovalCommand(Value):
    """What somebody wants done with a question besides answering it. `to` is who gets it: a reviewer."""

    command_id: str
    approval_id: str | None = None
    exception_id: str | None = None
    level: str | None = None
    command: Command
    by: Reviewer
    to: str | None = None
    comment: str | None = None

    @property
    def kind(self) -> str:
        return "command"

    @property
    def decision_id(self) -> str:
        return self.command_id

    @property
    def reviewer(self) -> Reviewer:
        return self.by

    @property
    def verdict(self) -> Command:
        """What the table of decisions says in place of a verdict."""
        return self.command


class Receipt(Value):
    """Our answer to a decision or a command: exactly one for each that has a legible id, which is `decision_id`."""

    decision_id: str
    accepted: bool
    code: ReceiptCode
    message: str
    approval_id: str | None = None
    case_id: UUID | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
