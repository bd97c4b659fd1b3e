"""The dead letter: which record was refused, and why, in words that repeat no value of it."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from schemas.events.event import Event
from schemas.values import RejectionReason

HEAD_BYTES = 256
_PROBLEMS_SHOWN = 5
_REASON_OF_TYPE = {
    "amount_invalid": RejectionReason.AMOUNT_INVALID,
    "currency_mismatch": RejectionReason.CURRENCY_MISMATCH,
    "over_captured": RejectionReason.OVER_CAPTURED,
}
_OUR_WORDS = {
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "extra_forbidden": "has a field that is not known",
    "missing": "is missing",
}
"""Where pydantic's message speaks of our classes, or its location of the sender's own words."""


class MessageRejected(Event):
    """A record that could not become an event.

    `sha256` and `head` are of its value; a tombstone has neither. `head` may hold personal data,
    `detail` never does.
    """

    TYPE: ClassVar[str] = "signoff.message.rejected.v1"

    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    reason: RejectionReason
    detail: Annotated[str, StringConstraints(max_length=2000)]
    sha256: str | None = None
    head: str | None = None

    @classmethod
    def of(
        cls,
        value: bytes | None,
        *,
        topic: str,
        partition: int,
        offset: int,
        reason: RejectionReason,
        detail: str,
    ) -> "MessageRejected":
        return cls(
            topic=topic,
            partition=partition,
            offset=offset,
            reason=reason,
            detail=detail,
            sha256=None if value is None else sha256(value).hexdigest(),
            head=None if value is None else _head(value),
        )


def rejection_of(error: ValidationError) -> tuple[RejectionReason, str]:
    """The reason for machines, and a sentence that names fields and problems but no values."""
    problems = error.errors(include_input=False, include_url=False)
    special = (reason for problem in problems if (reason := _special_reason(problem)))
    shown = "; ".join(_sentence(problem) for problem in problems[:_PROBLEMS_SHOWN])
    more = len(problems) - _PROBLEMS_SHOWN
    return (
        next(special, RejectionReason.SCHEMA_INVALID),
        f"{shown}; and {more} more" if more > 0 else shown,
    )


def _special_reason(problem: ErrorDetails) -> RejectionReason | None:
    if problem["loc"][:1] == ("amount",):
        return RejectionReason.AMOUNT_INVALID
    return _REASON_OF_TYPE.get(problem["type"])


def _sentence(problem: ErrorDetails) -> str:
    location = problem["loc"]
    if problem["type"] == "extra_forbidden":
        location = location[:-1]
    said = _OUR_WORDS.get(problem["type"], problem["msg"])
    return f"{_path(location)}: {said}" if location else said


def _path(location: Iterable[int | str]) -> str:
    return ".".join(str(step) for step in location)


def _head(value: bytes) -> str:
    """The beginning, as text that JSONB and a terminal can take: no control characters."""
    text = value[:HEAD_BYTES].decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() else "." for character in text)
