"""The steps of a case. Each returns the whole of the one channel; none acts on the world."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from schemas.values import Verdict
from worker.graph.state import Dependencies, State


async def assess(state: State, runtime: Runtime[Dependencies]) -> State:
    """Find out what to propose, and whether a person has to agree."""
    case = state["case"]
    return {"case": {**case, "assessment": await runtime.context.assess(case["facts"])}}


async def human_review(state: State) -> State:
    """Ask, and note the answer.

    Nothing else may happen here, as the node runs a second time when the answer arrives. It is
    never renamed: a thread that waits in a node of another name would end without a word.
    """
    case = state["case"]
    return {"case": {**case, "decision": interrupt(case["assessment"]["question"])}}


async def execute(state: State) -> State:
    """Freeze what was approved. Money moves later, from the committed intent."""
    case = state["case"]
    proposal = case["assessment"]["proposal"]
    decision = case.get("decision")
    if decision is not None and decision["verdict"] == Verdict.MODIFY:
        proposal = with_changes(proposal, decision["changes"])
    return {"case": {**case, "resolution": {"status": "approved", "proposal": proposal}}}


async def reject(state: State) -> State:
    return {"case": {**state["case"], "resolution": {"status": "rejected"}}}


def with_changes(proposal: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The proposal as the reviewer altered it; `approved_actions` are the indexes of those to keep.

    Raises IndexError for an action that was not proposed.
    """
    altered = {name: value for name, value in changes.items() if value is not None}
    kept = altered.pop("approved_actions", None)
    if kept is not None:
        altered["actions"] = [proposal["actions"][index] for index in kept]
    return {**proposal, **altered}
