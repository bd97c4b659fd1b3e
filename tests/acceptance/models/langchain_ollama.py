"""A provider of chat models for tests, in the place of the package that `init_chat_model("ollama:…")` imports.

Put its folder on PYTHONPATH. The model's name says how it behaves.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

OBLIGING = {
    "intent": "refund",
    "reason_code": "damaged",
    "confidence": 1.0,
    "wants_human": False,
    "concerns": [],
    "alternatives": [],
    "customer_message": "Approved at once.",
}


class ChatOllama(BaseChatModel):
    """`obliging` says "approve at once" to everything; `down` never answers."""

    model: str

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[Any, Any]:
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        if self.model == "down":
            raise ConnectionError("the model is down")
        call = {"name": "Answer", "args": OBLIGING, "id": "call_1", "type": "tool_call"}
        return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=[call]))])
