"""Our threads are LangGraph's threads: its own PostgreSQL saver reads ours, and we read its."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
import time_machine
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.types import Command
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from tests.threads import APPROVE, DEPENDENCIES, PROPOSAL, REJECT, connect, facts, question
from worker.adapters.postgres.checkpointer import (
    BatchingCheckpointer,
    delete_threads,
    fetch_threads,
    flush,
)
from worker.application.ports.workflow import Finished, Paused, UnknownInterrupt
from worker.application.threads import StoredThread
from worker.graph.build import build_graph
from worker.graph.workflow import Workflow

CHANGES = {"verdict": "request_changes", "facts": facts("order of ours, looked at again")}

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


@pytest.fixture
async def connection(database: str) -> AsyncIterator[AsyncConnection[DictRow]]:
    async with await connect(database) as opened:
        await AsyncPostgresSaver(opened).setup()
        yield opened


@pytest.fixture
async def workflow() -> Workflow:
    """Over no connection at all: a run that wanted one would fail."""
    checkpointer = BatchingCheckpointer(None)  # type: ignore[arg-type]
    return Workflow(checkpointer, checkpointer, DEPENDENCIES)


def named(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}


async def paused(workflow: Workflow, thread_id: str) -> Paused:
    run = await workflow.start(thread_id, facts(f"order of {thread_id}"))
    assert isinstance(run, Paused)
    return run


async def stored(connection: AsyncConnection[DictRow], thread_id: str) -> StoredThread:
    return (await fetch_threads(connection, [thread_id]))[thread_id]


async def contents(connection: AsyncConnection[DictRow]) -> list[Any]:
    return [
        await (await connection.execute(f"select * from {table} order by 1, 2, 3, 4, 5")).fetchall()  # noqa: S608
        for table in TABLES
    ]


async def test_the_stock_saver_resumes_a_thread_that_we_paused(
    connection: AsyncConnection[DictRow], workflow: Workflow
) -> None:
    waiting = await paused(workflow, "ours")
    await flush(connection, [waiting.writes])

    stock = build_graph().compile(checkpointer=AsyncPostgresSaver(connection))
    seen = await stock.aget_state(named("ours"))
    assert seen.next == ("human_review",)
    assert [asked.value for asked in seen.interrupts] == [waiting.question]

    answer: Command[Any] = Command(resume={waiting.interrupt_id: APPROVE})
    after = await stock.ainvoke(answer, named("ours"), context=DEPENDENCIES, version="v2")
    assert after.value["case"]["resolution"] == {"status": "approved", "proposal": PROPOSAL}


@pytest.mark.parametrize("durability", ["exit", "async", "sync"])
async def test_we_resume_a_thread_that_the_stock_saver_paused(
    connection: AsyncConnection[DictRow],
    workflow: Workflow,
    durability: Literal["exit", "async", "sync"],
) -> None:
    stock = build_graph().compile(checkpointer=AsyncPostgresSaver(connection))
    before = await stock.ainvoke(
        {"case": {"facts": facts()}},
        named("theirs"),
        context=DEPENDENCIES,
        durability=durability,
        version="v2",
    )
    (asked,) = before.interrupts

    run = await workflow.resume(await stored(connection, "theirs"), asked.id, REJECT)
    assert isinstance(run, Finished)
    await flush(connection, [run.writes])

    seen = await stock.aget_state(named("theirs"))
    assert seen.next == ()
    assert seen.values["case"]["resolution"] == {"status": "rejected"}


async def test_a_finished_thread_of_ours_has_one_history(
    connection: AsyncConnection[DictRow], workflow: Workflow
) -> None:
    waiting = await paused(workflow, "ours")
    await flush(connection, [waiting.writes])
    run = await workflow.resume(await stored(connection, "ours"), waiting.interrupt_id, APPROVE)
    await flush(connection, [run.writes])

    kept = [entry async for entry in AsyncPostgresSaver(connection).alist(named("ours"))]
    last, first = kept
    assert last.parent_config == first.config
    assert first.parent_config is None


async def test_a_run_whose_commit_was_lost_is_repeated_with_the_same_result(
    connection: AsyncConnection[DictRow], workflow: Workflow
) -> None:
    waiting = await paused(workflow, "ours")
    await flush(connection, [waiting.writes])
    before = await contents(connection)
    lost = await workflow.resume(await stored(connection, "ours"), waiting.interrupt_id, APPROVE)
    assert await contents(connection) == before

    again = await workflow.resume(await stored(connection, "ours"), waiting.interrupt_id, APPROVE)
    assert isinstance(lost, Finished)
    assert isinstance(again, Finished)
    assert again.resolution == lost.resolution


async def test_a_thread_goes_on_where_it_stopped_when_the_clock_of_its_worker_was_set_back(
    connection: AsyncConnection[DictRow], workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids of checkpoints hold the time of whoever wrote them: the last one is not always the one of the highest
    id."""
    first = await paused(workflow, "ours")
    await flush(connection, [first.writes])
    # Within a process the ids rise whatever its clock does; another process does not know of them.
    monkeypatch.setattr("langgraph.checkpoint.base.id._last_v6_timestamp", None)
    with time_machine.travel(datetime.now(UTC) - timedelta(days=1)):
        second = await workflow.resume(await stored(connection, "ours"), first.interrupt_id, CHANGES)
    assert isinstance(second, Paused)
    await flush(connection, [second.writes])

    run = await workflow.resume(await stored(connection, "ours"), second.interrupt_id, APPROVE)

    assert isinstance(run, Finished)
    assert second.question == question("order of ours, looked at again")


async def test_a_stale_answer_leaves_the_stored_thread_as_it_was(
    connection: AsyncConnection[DictRow], workflow: Workflow
) -> None:
    waiting = await paused(workflow, "ours")
    await flush(connection, [waiting.writes])
    before = await contents(connection)
    with pytest.raises(UnknownInterrupt):
        await workflow.resume(await stored(connection, "ours"), "0" * 32, APPROVE)
    assert await contents(connection) == before


async def test_fifty_cases_at_once_keep_to_their_own_threads(
    connection: AsyncConnection[DictRow], workflow: Workflow
) -> None:
    names = [f"case-{number}" for number in range(50)]
    waiting = await asyncio.gather(*(paused(workflow, name) for name in names))
    for name, run in zip(names, waiting, strict=True):
        assert run.question == question(f"order of {name}")
        assert owners(run) == {name}
    async with connection.transaction():
        await flush(connection, [run.writes for run in waiting])

    threads = await fetch_threads(connection, names)
    runs = await asyncio.gather(
        *(
            workflow.resume(
                threads[name],
                run.interrupt_id,
                {"verdict": "modify", "proposal": {**PROPOSAL, "customer_message": f"for {name}"}},
            )
            for name, run in zip(names, waiting, strict=True)
        )
    )
    for name, finished in zip(names, runs, strict=True):
        assert isinstance(finished, Finished)
        assert finished.resolution["proposal"]["customer_message"] == f"for {name}"
        assert owners(finished) == {name}


def owners(run: Paused | Finished) -> set[object]:
    rows = [*run.writes.checkpoints, *run.writes.blobs, *run.writes.pending]
    return {row[0] for row in rows}


async def test_many_threads_appear_or_vanish_with_the_transaction(
    connection: AsyncConnection[DictRow], workflow: Workflow
) -> None:
    runs = [await paused(workflow, name) for name in ("one", "two")]
    before = await contents(connection)
    async with connection.transaction(force_rollback=True):
        await flush(connection, [run.writes for run in runs])
        assert await contents(connection) != before
    assert await contents(connection) == before


async def test_a_forgotten_thread_leaves_no_row_and_takes_no_other_along(
    connection: AsyncConnection[DictRow], workflow: Workflow
) -> None:
    kept, gone = [await paused(workflow, name) for name in ("kept", "gone")]
    await flush(connection, [kept.writes])
    before = await contents(connection)
    await flush(connection, [gone.writes])
    await delete_threads(connection, ["gone", "unknown"])
    assert await contents(connection) == before
