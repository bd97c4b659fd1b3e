"""Many decisions in one record: taken apart where they are read, and put together where they are sent."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, SerializeAsAny, SkipValidation

from schemas.events.event import Event
from schemas.events.review import ReviewDecided
from schemas.strict_json import MAX_BYTES

MOST_DECISIONS = 1000
"""In one record."""

_ROOM = MAX_BYTES - 8 * 1024
"""Bytes of decisions in one record: the rest is for the envelope of structured mode."""

_Unread = SerializeAsAny[SkipValidation[ReviewDecided]]


class ReviewBatch(Event):
    """Many decisions in one record. Each is read and answered on its own: one refusal stops no sibling."""

    TYPE: ClassVar[str] = ReviewDecided.TYPE

    # Published as decisions, but validated one by one: see decisions_in.
    decisions: Annotated[tuple[_Unread, ...], Field(min_length=1, max_length=MOST_DECISIONS)]


def decisions_in(data: object) -> tuple[object, ...]:
    """The decisions of one record, each still to be validated, and to be answered on its own.

    Raises ValidationError when `decisions` is no list, is empty or is longer than a batch may be.
    """
    if isinstance(data, dict) and "decisions" in data:
        return ReviewBatch.model_validate(data).decisions
    return (data,)


def batches_of(decisions: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The decisions in their order, in as few groups as records can carry. A decision that is too large by itself
    gets a group of its own: it is the reader that refuses it."""
    group: list[Mapping[str, Any]] = []
    used = 0
    for decision in decisions:
        size = len(json.dumps(decision, ensure_ascii=False, separators=(",", ":")).encode()) + 1
        if group and (len(group) == MOST_DECISIONS or used + size > _ROOM):
            yield group
            group, used = [], 0
        group.append(decision)
        used += size
    if group:
        yield group
