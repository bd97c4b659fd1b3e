"""The agent: it thinks, does what is harmless, and asks for the rest.

    START → think ─── nothing to do ───→ END
             ▲ │
             │ └→ do_harmless ──┬── nothing else was asked for ──→ think
             │                  ▼
             │               publish    one action_request with all calls that want a signature
             │                  ▼
             │                wait      for its outcome, for days if need be
             │                  ▼
             └──────────────── act      what was approved, as it was approved

`publish` and `wait` are two nodes, because LangGraph runs a node anew when it is resumed: a thread that goes on
publishes nothing. A node may also run anew after a crash, and that changes nothing either: a request has the same id
and content each time, and a call has its key.
"""

from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt

from examples.agent.settling import settle
from examples.agent.signoff_client import Signoff, request_for
from examples.agent.tools import Toolbox
from schemas.events import ResolutionOutcome

INSTRUCTIONS = SystemMessage(
    "You help the customers of a small shop. Some of your tools wait for a person to agree; you may be told that a "
    "call was refused, or that it ran with other arguments. Say honestly what was done, and never ask again for what "
    "was refused."
)


class State(MessagesState, total=False):
    """Plain data and messages only, so that a checkpoint can be read by the next release."""

    exception_id: str
    outcome: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Agent:
    model: BaseChatModel
    tools: Toolbox
    signoff: Signoff

    async def think(self, state: State) -> dict[str, Any]:
        model = self.model.bind_tools(self.tools.all)
        return {"messages": [await model.ainvoke([INSTRUCTIONS, *state["messages"]])]}

    async def do_harmless(self, state: State) -> dict[str, Any]:
        answers = [await self.tools.answer_at_once(call) for call in open_calls(state["messages"])]
        garbled = [
            ToolMessage("the arguments are no JSON object", tool_call_id=str(call["id"]), status="error")
            for call in last_thought(state["messages"]).invalid_tool_calls
        ]
        return {"messages": garbled + [message for message in answers if message is not None]}

    async def publish(self, state: State, config: RunnableConfig) -> dict[str, Any]:
        thread_id = config["configurable"]["thread_id"]
        request = request_for(thread_id, last_thought(state["messages"]), open_calls(state["messages"]))
        await self.signoff.publish(request)
        return {"exception_id": request.exception_id}

    async def wait(self, state: State) -> dict[str, Any]:
        """Nothing but the interrupt: what stood before it would run twice."""
        return {"outcome": interrupt({"exception_id": state["exception_id"]})}

    async def act(self, state: State) -> dict[str, Any]:
        outcome = ResolutionOutcome.model_validate(state["outcome"])
        return {"messages": [await settle(call, outcome, self.tools) for call in open_calls(state["messages"])]}


def last_thought(messages: list[AnyMessage]) -> AIMessage:
    return next(message for message in reversed(messages) if isinstance(message, AIMessage))


def open_calls(messages: list[AnyMessage]) -> list[ToolCall]:
    """The calls of the last thought that have no answer yet: what was answered is never run again.

    Only what came after it counts, for some models number their calls anew in each message.
    """
    thought = last_thought(messages)
    later = messages[messages.index(thought) + 1 :]
    answered = {message.tool_call_id for message in later if isinstance(message, ToolMessage)}
    return [call for call in thought.tool_calls if call["id"] not in answered]


def after_thinking(state: State) -> str:
    thought = last_thought(state["messages"])
    return "do_harmless" if thought.tool_calls or thought.invalid_tool_calls else END


def after_harmless(state: State) -> str:
    return "publish" if open_calls(state["messages"]) else "think"


def build_graph(agent: Agent) -> StateGraph[State]:
    graph = StateGraph(State)
    graph.add_node("think", agent.think)
    graph.add_node("do_harmless", agent.do_harmless)
    graph.add_node("publish", agent.publish)
    graph.add_node("wait", agent.wait)
    graph.add_node("act", agent.act)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", after_thinking, ["do_harmless", END])
    graph.add_conditional_edges("do_harmless", after_harmless, ["publish", "think"])
    graph.add_edge("publish", "wait")
    graph.add_edge("wait", "act")
    graph.add_edge("act", "think")
    return graph
