"""A chat model that plays its part from a script: no key, no call, the same words each time."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

Line = Callable[[Sequence[BaseMessage]], AIMessage]
"""What is said next, after these messages."""


class ScriptedModel(BaseChatModel):
    """Says the line after those that the conversation holds already, so that a process that starts anew knows its
    part. After the last line it begins again."""

    script: list[Line]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        said = sum(isinstance(message, AIMessage) for message in messages)
        line = self.script[said % len(self.script)]
        return ChatResult(generations=[ChatGeneration(message=line(messages))])

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """It knows its tools from the script."""
        return self

    @property
    def _llm_type(self) -> str:
        return "scripted"


def call(id_: str, name: str, **args: Any) -> ToolCall:
    return ToolCall(id=id_, name=name, args=args, type="tool_call")


def say(text: str, *calls: ToolCall) -> Line:
    return lambda _: AIMessage(text, tool_calls=list(calls))


def report(messages: Sequence[BaseMessage]) -> AIMessage:
    """What became of each call of the message before."""
    last = max(index for index, message in enumerate(messages) if isinstance(message, AIMessage))
    answers = [message for message in messages[last:] if isinstance(message, ToolMessage)]
    return AIMessage("\n".join(f"{message.name}: {message.text}" for message in answers))


SORRY = "The mug of order ORD-7 came broken. I want to write to Ada, and to give her a voucher of 10.00 USD."

DEMO: list[Line] = [
    say("Let me look.", call("call-1", "look_up_order", order_id="ORD-7")),
    say(
        SORRY,
        call("call-2", "send_email", to="ada@example.org", subject="Your blue mug", body="We are sorry."),
        call("call-3", "issue_voucher", customer_id="CUST-7", amount_minor=1000, currency="USD"),
    ),
    report,
]
