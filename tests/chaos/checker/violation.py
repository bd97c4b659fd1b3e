"""What the checker finds, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUCCESS = 0
"""In place of an invariant's number: a run in which too little happened to say anything."""


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant` is its number in `docs/reliability.md`, `where` leads there: case, topic, partition, offset, key."""

    invariant: int
    what: str
    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def as_json(self) -> dict[str, Any]:
        return {"invariant": self.invariant, "what": self.what, **self.where}

    def __str__(self) -> str:
        place = " ".join(f"{name}={value}" for name, value in self.where.items())
        return f"invariant {self.invariant}: {self.what}" + (f" [{place}]" if place else "")
