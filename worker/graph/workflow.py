"""Starts and resumes threads: LangGraph behind the application's `CaseWorkflow` port.

LangGraph reports no error when a thread is resumed at an interrupt that was answered before, when
an unknown thread is resumed, or when a paused node no longer exists. So each is looked for here,
before and after the run.
"""

import asyncio
from contextlib import AbstractContextManager
from typing import Any, Protocol

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.serde.types import INTERRUPT
from langgraph.graph import StateGraph
from langgraph.types import Command, Interrupt

from worker.application.ports.workflow import Finished, Paused, PlainData, StuckThread, UnknownInterrupt
from worker.application.threads import StoredThread, ThreadWrites
from worker.graph.build import build_graph
from worker.graph.state import Dependencies, State
from worker.graph.tracing import send_no_traces

RUNS_AT_ONCE = 64
"""A run is all computation: hundreds that take turns on one processor only keep each other's garbage alive (a fifth
of the time went to the collector), and far fewer starve the group commit. Measured flat from 32 to 128."""


class ThreadBuffer(Protocol):
    """Stands between the engine and the database.

    Inside `recording`, all reads and writes of the checkpointer are those of one thread in memory.
    """

    def recording(self, thread: StoredThread) -> AbstractContextManager[ThreadWrites]: ...


class Workflow:
    """One compiled graph for all cases of the process. Its runs may overlap freely."""

    def __init__(
        self,
        checkpointer: BaseCheckpointSaver[str],
        buffer: ThreadBuffer,
        dependencies: Dependencies,
        graph: StateGraph[State, Dependencies] | None = None,
    ) -> None:
        """`graph` may be a former release's, when its paused threads are tried."""
        send_no_traces()
        self._checkpointer = checkpointer
        self._buffer = buffer
        self._dependencies = dependencies
        self._turns = asyncio.Semaphore(RUNS_AT_ONCE)
        self._graph = (graph or build_graph()).compile(checkpointer=checkpointer)

    async def start(self, thread_id: str, facts: PlainData) -> Paused | Finished:
        with self._buffer.recording(StoredThread(thread_id, latest=None)) as writes:
            return await self._run(thread_id, {"case": {"facts": facts}}, writes)

    async def resume(self, thread: StoredThread, interrupt_id: str, decision: PlainData) -> Paused | Finished:
        with self._buffer.recording(thread) as writes:
            pending = _pending_interrupts(await self._checkpointer.aget_tuple(_config(thread.thread_id)))
            if pending != [interrupt_id]:
                raise UnknownInterrupt(thread.thread_id, interrupt_id, pending)
            answer: Command[Any] = Command(resume={interrupt_id: decision})
            return await self._run(thread.thread_id, answer, writes)

    async def _run(self, thread_id: str, given: State | Command[Any], writes: ThreadWrites) -> Paused | Finished:
        async with self._turns:
            output = await self._graph.ainvoke(
                given,
                _config(thread_id),
                context=self._dependencies,
                durability="exit",
                version="v2",
            )
        case = (output.value or {}).get("case", {})
        match output.interrupts:
            case (Interrupt(id=interrupt_id, value=question),):
                return Paused(interrupt_id, question, case["assessment"], writes)
            case () if "resolution" in case:
                return Finished(case["resolution"], case["assessment"], "decision" not in case, writes)
        raise StuckThread(thread_id)


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}


def _pending_interrupts(stored: CheckpointTuple | None) -> list[str]:
    """The ids of the questions that the latest checkpoint waits for."""
    writes = (stored.pending_writes or []) if stored else []
    return [asked.id for _, channel, interrupts in writes if channel == INTERRUPT for asked in interrupts]
