"""A reviewer's decision, and the receipt that answers each one."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from schemas.events.conditions import JsonSchema, given, only_when, when
from schemas.events.event import Event, Time
from schemas.events.legibility import legible_identifier
from schemas.values import Identifier, ReceiptCode, Reviewer, ShortText, Text, Verdict

_NEEDED_BY = {
    Verdict.MODIFY: "changes",
    Verdict.CHOOSE: "choice",
    Verdict.REQUEST_CHANGES: "comment",
}
_PUBLISHED_RULES: JsonSchema = {
    "allOf": [
        {"anyOf": [given("approval_id"), given("exception_id")]},
        {"anyOf": [given("verdict"), given("response")]},
        *(when("verdict", [verdict], given(field)) for verdict, field in _NEEDED_BY.items()),
        only_when("escalate_to", "verdict", [Verdict.ESCALATE]),
    ]
}


class ReviewDecided(Event):
    """One verdict on one approval request.

    The request is named by `approval_id`, or by the business key `exception_id` and, when several
    levels are open, the name of the `level`. `changes` is read later, against what was asked: a
    mistake in it is answered with INVALID_CHANGES. `choice` is a method or the index of an
    alternative. `escalate_to` names the level to ask instead; without it the next one is asked.
    `response` carries the answer in the shape of LangChain's human-in-the-loop middleware or of
    Agent Inbox, in place of `verdict`.
    """

    TYPE: ClassVar[str] = "signoff.review.decided.v1"

    model_config = ConfigDict(json_schema_extra=_PUBLISHED_RULES)

    decision_id: Identifier
    approval_id: Identifier | None = None
    exception_id: Identifier | None = None
    level: Identifier | None = None
    verdict: Verdict | None = None
    reviewer: Reviewer
    changes: dict[str, Any] | None = None
    choice: Annotated[int, Field(strict=True, ge=0)] | Identifier | None = None
    escalate_to: Identifier | None = None
    comment: Text | None = None
    review_hash: ShortText | None = None
    response: Any = None

    @model_validator(mode="after")
    def _names_its_request_and_its_verdict(self) -> Self:
        if self.approval_id is None and self.exception_id is None:
            raise PydanticCustomError("request_unnamed", "a decision needs `approval_id` or `exception_id`")
        if self.verdict is None and self.response is None:
            raise PydanticCustomError("verdict_missing", "a decision needs `verdict`")
        needed = _NEEDED_BY.get(self.verdict) if self.verdict else None
        if needed and getattr(self, needed) in (None, {}, ""):
            raise PydanticCustomError(
                f"{needed}_missing",
                "the verdict {verdict} needs `{field}`",
                {"verdict": self.verdict, "field": needed},
            )
        if self.escalate_to is not None and self.verdict is not Verdict.ESCALATE:
            raise PydanticCustomError("escalate_to_forbidden", "`escalate_to` goes with the verdict escalate only")
        return self


class ReviewReceipt(Event):
    """Our answer to a decision or a command: one for each, always. `message` is a sentence for who
    sent it.

    `decision_id` is the id of what it answers: of a command, its `command_id`; of the recovery of a
    case, its `recovery_id`. `decided_by` and `decided_at` name who closed the approval request and
    when, whoever sent this decision.
    """

    TYPE: ClassVar[str] = "signoff.review.receipt.v1"

    decision_id: Identifier
    approval_id: Identifier | None = None
    case_id: Identifier | None = None
    accepted: bool
    code: ReceiptCode
    message: str
    decided_by: Identifier | None = None
    decided_at: Time | None = None


def legible_decision_id(data: object) -> str | None:
    """The id under which an otherwise illegible decision can be answered, if there is one."""
    return legible_identifier(data, "decision_id")


def receipt_code_of(error: ValidationError) -> ReceiptCode:
    """How a decision that failed validation is answered: INVALID_CHANGES or INVALID."""
    only_changes = all(
        problem["type"] == "changes_missing" or problem["loc"][:1] == ("changes",)
        for problem in error.errors(include_input=False, include_url=False)
    )
    return ReceiptCode.INVALID_CHANGES if only_changes else ReceiptCode.INVALID
