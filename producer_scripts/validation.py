"""Checks values against the contract before anything is sent: all of them, or none is."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from producer_scripts.failure import Failure
from schemas.events import Event, rejection_of
from schemas.json_values import Located

_Event = TypeVar("_Event", bound=Event)

MOST_TOLD = 20


def problem_of(error: ValidationError) -> str:
    """The fields that are wrong and what is wrong with them, in one sentence."""
    return rejection_of(error)[1]


def validated(values: Sequence[Located], model: type[_Event]) -> list[_Event]:
    """Raises Failure that names the place and field of each mistake."""
    return validated_as(values, lambda _: model)


def validated_as(values: Sequence[Located], model_of: Callable[[Any], type[_Event]]) -> list[_Event]:
    """Each by the model that its data call for. Raises Failure that names the place and field of each mistake."""
    events: list[_Event] = []
    problems: list[str] = []
    for value in values:
        try:
            events.append(model_of(value.data).model_validate(value.data))
        except ValidationError as error:
            problems.append(f"{value.place}: {problem_of(error)}")
    if problems:
        more = len(problems) - MOST_TOLD
        shown = problems[:MOST_TOLD] + ([f"and {more} more"] if more > 0 else [])
        raise Failure("\n".join([*shown, "nothing was sent"]))
    return events
