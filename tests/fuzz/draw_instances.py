"""`python -m tests.fuzz.draw_instances --each 40 --seed 1`: instances of the published schemas of all input events, a
line each, `{"type": ..., "data": ...}`. The same seed draws the same.

A program of its own, because Hypothesis draws from the constants of all modules of ours that are imported: here there
are none.

Each part of an instance is right by itself. What the schemas say across fields (`allOf`: a refund needs an amount) is
left to chance, so most instances are malformed: with these conditions a single instance takes a third of a second.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import utils as choices
from hypothesis_jsonschema import from_schema

INPUTS = (
    "signoff.exception.raised.v1",
    "signoff.exception.withdrawn.v1",
    "signoff.payment.failed.v1",
    "signoff.review.decided.v1",
    "signoff.approval.command.v1",
)
_FOLDER = Path(__file__).parents[2] / "schemas" / "json"
_NO_CONSTRAINT = frozenset({"$schema", "$id", "title", "description", "default", "examples", "allOf"})
_UNKNOWN_TO_DRAFT_7 = frozenset(
    {"prefixItems", "unevaluatedProperties", "unevaluatedItems", "dependentRequired", "dependentSchemas", "$dynamicRef"}
)
_NAMES_OF_OURS = frozenset({"properties", "$defs"})
"""Their keys are names, whatever keyword they look like."""


class _Many(choices.many):
    """hypothesis-jsonschema 0.23.1 asks for each element by `more`, which Hypothesis 6.170.15 took away."""

    _elements: Iterator[None] | None = None

    def more(self) -> bool:
        if self._elements is None:
            self._elements = iter(self.__enter__())
        for _ in self._elements:
            return True
        self.__exit__(None)
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.draw_instances", description=__doc__)
    parser.add_argument("--each", type=int, default=40, help="instances of each schema (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    for event_type in INPUTS:
        for data in _instances(event_type, chosen.each, chosen.seed):
            sys.stdout.write(json.dumps({"type": event_type, "data": data}) + "\n")


def _instances(event_type: str, count: int, number: int) -> list[Any]:
    schema = in_draft_7(published(event_type))
    drawn: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(from_schema(schema))
    def draw(data: Any) -> None:
        drawn.append(data)

    with patch.object(choices, "many", _Many):
        draw()
    return drawn


def published(event_type: str) -> Any:
    return json.loads((_FOLDER / f"{event_type}.schema.json").read_text(encoding="utf-8"))


def in_draft_7(schema: Any, are_names: bool = False) -> Any:
    """The newest draft that hypothesis-jsonschema reads, without what costs time and forbids nothing in a field."""
    if isinstance(schema, list):
        return [in_draft_7(held) for held in schema]
    if not isinstance(schema, dict):
        return schema
    if not are_names and (unknown := _UNKNOWN_TO_DRAFT_7 & schema.keys()):
        raise ValueError(f"{sorted(unknown)} is unknown to draft 7: say here what it becomes")
    return {
        name: in_draft_7(held, name in _NAMES_OF_OURS and not are_names)
        for name, held in schema.items()
        if are_names or name not in _NO_CONSTRAINT
    }


if __name__ == "__main__":
    main()
