"""Who may continue a thread, and when: the user while nothing waits, an outcome while its own request does."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command, StateSnapshot

from examples.agent.graph import Agent, build_graph, last_thought, open_calls
from examples.agent.signoff_client import thread_of
from schemas.events import ResolutionOutcome

Lock = Callable[[str], AbstractAsyncContextManager[None]]
"""Held while a thread runs, over all processes: two that run one thread at the same time would do its work twice."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """For a signature of this request, and of these calls."""

    exception_id: str
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    thread_id: str
    text: str


Turn = Waiting | Reply


class StillWaiting(Exception):
    """The user speaks, and the thread waits for a signature. A new message would throw its question away."""


class Conversations:
    def __init__(self, agent: Agent, saver: BaseCheckpointSaver[Any], lock: Lock) -> None:
        self._graph = build_graph(agent).compile(checkpointer=saver)
        self._lock = lock

    async def say(self, thread_id: str, text: str) -> Turn:
        """Raises StillWaiting that names the request whose outcome must come first."""
        async with self._lock(thread_id):
            unfinished = await self._go_on(thread_id)
            if isinstance(unfinished, Waiting):
                raise StillWaiting(f"{unfinished.exception_id} waits for a signature: decide it, or begin a new thread")
            return await self._run(thread_id, {"messages": [HumanMessage(text)]})

    async def hear(self, outcome: ResolutionOutcome) -> Turn | None:
        """None for an outcome that no thread waits for: another agent's, or one that was heard before."""
        thread_id = thread_of(outcome.exception_id)
        if thread_id is None:
            return None
        async with self._lock(thread_id):
            continued = await self._go_on(thread_id)  # whoever died may have asked, and not waited yet
            if isinstance(continued, Waiting):
                [question] = (await self._state(thread_id)).interrupts
                if question.value["exception_id"] != outcome.exception_id:
                    return None
                return await self._run(thread_id, Command(resume={question.id: outcome.model_dump(mode="json")}))
            return continued

    async def go_on(self, thread_id: str) -> Turn | None:
        """Continues a thread whose process died in the middle; None when there is nothing to continue."""
        async with self._lock(thread_id):
            return await self._go_on(thread_id)

    async def _go_on(self, thread_id: str) -> Turn | None:
        state = await self._state(thread_id)
        if not state.tasks:
            return None
        return _turn(state) if state.interrupts else await self._run(thread_id, None)

    async def _run(self, thread_id: str, given: Any) -> Turn:
        """`sync`: each step is in the database before the next begins."""
        await self._graph.ainvoke(given, _config(thread_id), durability="sync")
        return _turn(await self._state(thread_id))

    async def _state(self, thread_id: str) -> StateSnapshot:
        return await self._graph.aget_state(_config(thread_id))


def _turn(state: StateSnapshot) -> Turn:
    """A thread without tasks has ended. Its `next` says less: it leaves out a step that died after its result was kept.

    Raises RuntimeError for a thread that neither ended nor waits, which a run must not leave behind.
    """
    messages = state.values["messages"]
    if not state.tasks:
        return Reply(state.config["configurable"]["thread_id"], last_thought(messages).text)
    if not state.interrupts:
        raise RuntimeError(f"the thread stopped at {state.tasks[0].name} and waits for nothing")
    return Waiting(state.values["exception_id"], tuple(call["name"] for call in open_calls(messages)))


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}
