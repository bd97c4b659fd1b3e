"""The steps of a case. Each returns the whole of the one channel; none acts on the world."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from schemas.values import Verdict
from worker.application.next_question import following
from worker.graph.state import Dependencies, State


async def assess(state: State, runtime: Runtime[Dependencies]) -> State:
    """Find out what to propose, and whether a person has to agree."""
    case = state["case"]
    return {"case": {**case, "assessment": await runtime.context.assess(case["facts"])}}


async def human_review(state: State) -> State:
    """Ask, and note what the answer leads to: the next question, other facts to assess, or neither.

    What stands before the interrupt runs a second time when the answer arrives, so nothing does. The node is never
    renamed: a thread that waits in a node of another name would end without a word.
    """
    case = state["case"]
    answer: dict[str, Any] = interrupt(case["assessment"]["question"])
    answered = {**case, "decision": answer}
    if answer["verdict"] == Verdict.REQUEST_CHANGES:
        answered["facts"] = answer["facts"]
    elif answer["verdict"] != Verdict.REJECT:
        answered["assessment"] = following(case["assessment"], answer)
    return {"case": answered}


async def execute(state: State) -> State:
    """Freeze what was approved. Money moves later, from the committed intent."""
    case = state["case"]
    return {"case": {**case, "resolution": {"status": "approved", "proposal": case["assessment"]["proposal"]}}}


async def reject(state: State) -> State:
    return {"case": {**state["case"], "resolution": {"status": "rejected"}}}
