"""Where a case goes next: pure functions of its state."""

from typing import Literal

from schemas.values import Verdict
from worker.graph.state import State


class UnknownVerdict(ValueError):
    """A decision got past the application with a verdict that this graph gives no course to."""


def after_assessment(state: State) -> Literal["human_review", "execute"]:
    return "execute" if state["case"]["assessment"]["question"] is None else "human_review"


def after_review(state: State) -> Literal["execute", "reject"]:
    """Raises UnknownVerdict: a verdict that nobody thought of must not count as an approval."""
    verdict = state["case"]["decision"].get("verdict")
    match verdict:
        case Verdict.APPROVE | Verdict.MODIFY:
            return "execute"
        case Verdict.REJECT:
            return "reject"
        case _:
            raise UnknownVerdict(f"no course for the verdict {verdict!r}")
