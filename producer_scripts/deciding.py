"""A decision from words on a command line, and how decisions become records."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from producer_scripts.envelopes import Mode, Outgoing, outgoing
from producer_scripts.failure import Failure
from producer_scripts.json_input import Located, read_values
from schemas.events import ReviewDecided

Decision = Mapping[str, Any]


def new_decision_id() -> str:
    return str(uuid4())


def choice_of(text: str | None) -> int | str | None:
    """The index of an alternative, or the name of a method."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdecimal() else text


def read_decisions(path: str) -> list[Located]:
    """The decisions of a file; `{"decisions": [...]}` counts as those that are in it. Raises Failure."""
    found: list[Located] = []
    for value in read_values(path):
        batch = value.data.get("decisions") if isinstance(value.data, dict) else None
        if batch is None:
            found.append(value)
        elif isinstance(batch, list):
            found += [Located(f"{value.place}, decision {number}", data) for number, data in enumerate(batch, start=1)]
        else:
            raise Failure(f"{value.place}: decisions: must be a list")
    return found


def key_of(decision: Decision, order_id: str | None = None) -> str:
    """The contract's key is the order id; who does not know it takes what the decision names."""
    return str(order_id or decision.get("exception_id") or decision.get("approval_id"))


def records_of(
    decisions: Sequence[Decision], *, mode: Mode, as_one_event: bool = False, order_id: str | None = None
) -> list[Outgoing]:
    if as_one_event:
        key = key_of(decisions[0], order_id)
        return [outgoing(ReviewDecided.TYPE, {"decisions": list(decisions)}, key=key, mode=mode)]
    return [outgoing(ReviewDecided.TYPE, decision, key=key_of(decision, order_id), mode=mode) for decision in decisions]
