"""From the outcome of a request to the answer that the model gets for each of its calls."""

import json
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage

from examples.agent.tools import Toolbox, answer
from schemas.events import ResolutionOutcome
from schemas.values import ActionResult, ActionStatus

_TOLD = {
    ActionStatus.REFUSED: "it was not approved, and it did not run",
    ActionStatus.FAILED: "it did not run",
    ActionStatus.UNKNOWN: "it may have run, and nobody knows: do not ask for it again",
}


async def settle(call: ToolCall, outcome: ResolutionOutcome, tools: Toolbox) -> ToolMessage:
    """Runs the call if that was left to us, and only with the arguments that the outcome names."""
    result = next((result for result in outcome.results or () if result.id == call["id"]), None)
    signed = next((action for action in outcome.actions or () if action.id == call["id"]), None)
    edited = ""
    if signed is not None and signed.args != call["args"]:
        edited = f"A person changed the arguments to {_json(signed.args)}. "
    match result:
        case ActionResult(status=ActionStatus.APPROVED) if signed is not None:
            ran = await tools.run_approved(call, signed.args, key=f"{outcome.exception_id}:{signed.id}")
            return ran.model_copy(update={"content": f"{edited}{ran.content}"})
        case ActionResult(status=ActionStatus.EXECUTED):
            return answer(call, f"{edited}It was done ({result.reference}): {_json(result.result)}")
        case ActionResult(status=status) if status in _TOLD:
            reason = result.problem or outcome.reason
            return answer(call, _TOLD[status] + (f" ({reason})" if reason else ""), failed=True)
    return answer(call, "it did not run: the outcome does not say what was approved", failed=True)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
