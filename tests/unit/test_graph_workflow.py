"""Threads that start, wait, go on and end, with LangGraph's own saver in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langsmith import configure
from langsmith.utils import get_env_var, tracing_is_enabled

from tests.threads import APPROVE, DEPENDENCIES, PROPOSAL, REJECT, assess, facts, question
from worker.application.ports.workflow import Finished, Paused, StuckThread, UnknownInterrupt
from worker.application.threads import StoredThread, ThreadWrites
from worker.graph import nodes
from worker.graph.routing import UnknownVerdict
from worker.graph.state import Dependencies, State
from worker.graph.workflow import Workflow

CASE = StoredThread("case-1", latest={})


class KeptInMemory:
    """The saver below keeps the threads itself: there is nothing to fetch and nothing to store."""

    @contextmanager
    def recording(self, thread: StoredThread) -> Iterator[ThreadWrites]:
        yield ThreadWrites()


@pytest.fixture
def saver() -> InMemorySaver:
    return InMemorySaver()


@pytest.fixture
def workflow(saver: InMemorySaver) -> Workflow:
    return Workflow(saver, KeptInMemory(), DEPENDENCIES)


async def paused(workflow: Workflow) -> Paused:
    run = await workflow.start(CASE.thread_id, facts())
    assert isinstance(run, Paused)
    return run


async def test_a_case_that_needs_a_person_waits_with_the_question_as_asked(
    workflow: Workflow,
) -> None:
    run = await paused(workflow)
    assert run.question == question()
    assert run.assessment == await assess(facts())


async def test_a_case_that_needs_nobody_finishes_by_itself(workflow: Workflow) -> None:
    run = await workflow.start(CASE.thread_id, facts(asks=False))
    assert isinstance(run, Finished)
    assert run.automatic
    assert run.resolution == {"status": "approved", "proposal": PROPOSAL}


async def test_an_approved_case_finishes_with_what_was_approved(workflow: Workflow) -> None:
    run = await workflow.resume(CASE, (await paused(workflow)).interrupt_id, APPROVE)
    assert isinstance(run, Finished)
    assert not run.automatic
    assert run.resolution == {"status": "approved", "proposal": PROPOSAL}


async def test_a_modified_case_finishes_with_the_changes_applied(workflow: Workflow) -> None:
    changed = {**PROPOSAL, "method": "store_credit"}
    run = await workflow.resume(CASE, (await paused(workflow)).interrupt_id, {"verdict": "modify", "proposal": changed})
    assert isinstance(run, Finished)
    assert run.resolution["proposal"] == changed


async def test_a_rejected_case_finishes_without_a_proposal(workflow: Workflow) -> None:
    run = await workflow.resume(CASE, (await paused(workflow)).interrupt_id, REJECT)
    assert isinstance(run, Finished)
    assert run.resolution == {"status": "rejected"}


@pytest.mark.parametrize("stale", ["0" * 32, "not-an-id", ""])
async def test_an_answer_to_another_question_is_refused_and_the_case_still_waits(
    workflow: Workflow, stale: str
) -> None:
    waiting = await paused(workflow)
    with pytest.raises(UnknownInterrupt) as refused:
        await workflow.resume(CASE, stale, APPROVE)
    assert refused.value.pending == (waiting.interrupt_id,)
    run = await workflow.resume(CASE, waiting.interrupt_id, REJECT)
    assert isinstance(run, Finished)
    assert run.resolution == {"status": "rejected"}


async def test_a_second_answer_is_refused_once_the_case_has_finished(workflow: Workflow) -> None:
    waiting = await paused(workflow)
    await workflow.resume(CASE, waiting.interrupt_id, REJECT)
    with pytest.raises(UnknownInterrupt) as refused:
        await workflow.resume(CASE, waiting.interrupt_id, APPROVE)
    assert refused.value.pending == ()


async def test_an_answer_to_a_thread_that_nobody_started_is_refused(workflow: Workflow, saver: InMemorySaver) -> None:
    with pytest.raises(UnknownInterrupt):
        await workflow.resume(CASE, "0" * 32, APPROVE)
    assert not [kept async for kept in saver.alist(None)]


async def test_a_verdict_without_a_course_leaves_the_case_unresolved(workflow: Workflow) -> None:
    waiting = await paused(workflow)
    with pytest.raises(UnknownVerdict):
        await workflow.resume(CASE, waiting.interrupt_id, {"verdict": "escalate"})


async def test_a_thread_whose_step_was_renamed_is_reported_as_stuck(workflow: Workflow, saver: InMemorySaver) -> None:
    waiting = await paused(workflow)
    renamed = StateGraph(State, context_schema=Dependencies)
    renamed.add_node("assess", nodes.assess)
    renamed.add_node("review_by_a_person", nodes.human_review)
    renamed.add_edge(START, "assess")
    renamed.add_edge("assess", "review_by_a_person")
    renamed.add_edge("review_by_a_person", END)
    next_release = Workflow(saver, KeptInMemory(), DEPENDENCIES, graph=renamed)
    with pytest.raises(StuckThread) as stuck:
        await next_release.resume(CASE, waiting.interrupt_id, APPROVE)
    assert stuck.value.thread_id == CASE.thread_id


async def test_a_graph_that_ends_without_a_resolution_is_reported_as_stuck(
    saver: InMemorySaver,
) -> None:
    unfinished = StateGraph(State, context_schema=Dependencies)
    unfinished.add_node("assess", nodes.assess)
    unfinished.add_edge(START, "assess")
    with pytest.raises(StuckThread):
        await Workflow(saver, KeptInMemory(), DEPENDENCIES, graph=unfinished).start(CASE.thread_id, facts())


async def test_a_failing_assessment_reaches_the_caller_as_it_was_raised(
    saver: InMemorySaver,
) -> None:
    async def unreachable(_: dict[str, Any]) -> dict[str, Any]:
        raise ConnectionError("the order system does not answer")

    workflow = Workflow(saver, KeptInMemory(), Dependencies(assess=unreachable))
    with pytest.raises(ConnectionError, match="does not answer"):
        await workflow.start(CASE.thread_id, facts())


def forget_environment() -> None:
    """LangSmith reads a variable once."""
    cast(Any, get_env_var).cache_clear()


@pytest.fixture
def tracing_wanted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of somebody who traces another program of theirs."""
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    forget_environment()
    configure(enabled=None)
    yield
    forget_environment()


@pytest.mark.usefixtures("tracing_wanted")
def test_order_data_is_not_traced_because_a_variable_is_set(saver: InMemorySaver) -> None:
    assert tracing_is_enabled()
    Workflow(saver, KeptInMemory(), DEPENDENCIES)
    assert not tracing_is_enabled()
