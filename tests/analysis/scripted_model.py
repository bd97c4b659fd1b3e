"""A chat model that says what a test wrote down, over LangChain's own fake; no key, no call."""

import asyncio
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import Runnable
from langsmith.utils import tracing_is_enabled
from pydantic import Field

from worker.adapters.analysis.answer import Answer


class ScriptedModel(FakeMessagesListChatModel):
    """`heard` is what it was sent, call by call; `traced` whether a tracing service would have been told. It raises
    `failure` when it has one, and never answers when it `hangs`: then it even ignores that it is cancelled while it is
    `deaf`."""

    heard: list[list[BaseMessage]] = Field(default_factory=list)
    traced: list[bool] = Field(default_factory=list)
    failure: Any = None
    hangs: bool = False
    deaf: bool = False

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.heard.append(messages)
        self.traced.append(bool(tracing_is_enabled()))
        if self.failure is not None:
            raise self.failure
        while self.hangs:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                if not self.deaf:
                    raise
        return self._generate(messages)


def says(*, tokens: int | None = 700, **fields: Any) -> AIMessage:
    """An answer that fills the form in; fields that a test names replace ordinary ones."""
    known = {
        "intent": "refund",
        "reason_code": "damaged",
        "confidence": 0.9,
        "wants_human": False,
        "concerns": [],
        "alternatives": [],
        "customer_message": None,
        **fields,
    }
    usage = {"input_tokens": tokens - 100, "output_tokens": 100, "total_tokens": tokens} if tokens else None
    call = {"name": Answer.__name__, "args": known, "id": "1", "type": "tool_call"}
    return AIMessage(content="", tool_calls=[call], usage_metadata=usage)


def scripted(*answers: BaseMessage, **behaviour: Any) -> ScriptedModel:
    return ScriptedModel(responses=list(answers or (says(),)), **behaviour)
