"""One checkpointer for many cases: runs in memory, the rows of many of them in one transaction.

LangGraph's own saver commits each thread by itself, behind one lock, with every value serialised
on another operating system thread: several times what the graph costs. Here a run reads what was
fetched for it beforehand and leaves its rows in memory; `flush` stores the rows of many runs
inside the caller's transaction. Tables and format are those of langgraph-checkpoint-postgres, so
every tool that reads its threads reads ours.
"""

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.plain_data import PlainDataSerializer
from worker.application.threads import Row, StoredThread, ThreadWrites

_QUERIES = load("checkpoints.sql")


class _Recording:
    """What one run sees: the thread as it was fetched, and the rows it has written so far."""

    __slots__ = ("thread", "writes")

    def __init__(self, thread: StoredThread) -> None:
        self.thread = thread
        self.writes = ThreadWrites()


_recording: ContextVar[_Recording | None] = ContextVar("signoff_thread_recording", default=None)


class BatchingCheckpointer(AsyncPostgresSaver):
    """Inside `recording` it works in memory; outside it is the stock saver over `connections`.

    In memory it knows the latest checkpoint of the root namespace only, which is all that a run
    with durability="exit" asks for.
    """

    def __init__(self, connections: AsyncConnection[Any] | AsyncConnectionPool[Any]) -> None:
        """Needs a running event loop, as the stock saver does."""
        super().__init__(connections, serde=PlainDataSerializer())

    @contextmanager
    def recording(self, thread: StoredThread) -> Iterator[ThreadWrites]:
        """The current task, and those it starts, run on `thread` and write into what is yielded."""
        recording = _Recording(thread)
        token = _recording.set(recording)
        try:
            yield recording.writes
        finally:
            _recording.reset(token)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        recording = _recording.get()
        if recording is None:
            return await super().aget_tuple(config)
        _require_latest_of(recording.thread, config)
        row = recording.thread.latest
        return None if row is None else self._tuple_of(row)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        recording = _recording.get()
        if recording is None:
            return await super().aput(config, checkpoint, metadata, new_versions)
        configurable = config["configurable"]
        thread_id, namespace = configurable["thread_id"], configurable["checkpoint_ns"]
        inline, blobs = _split(checkpoint["channel_values"])
        recording.writes.blobs.extend(
            self._dump_blobs(
                thread_id,
                namespace,
                blobs,
                {channel: version for channel, version in new_versions.items() if channel in blobs},
            )
        )
        recording.writes.checkpoints.append(
            (
                thread_id,
                namespace,
                checkpoint["id"],
                configurable.get("checkpoint_id"),
                json.dumps({**checkpoint, "channel_values": inline}),
                json.dumps(get_serializable_checkpoint_metadata(config, metadata)),
            )
        )
        return {
            "configurable": {
                "thread_id": thread_id,
                "checkpoint_ns": namespace,
                "checkpoint_id": checkpoint["id"],
            }
        }

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        recording = _recording.get()
        if recording is None:
            await super().aput_writes(config, writes, task_id, task_path)
            return
        configurable = config["configurable"]
        recording.writes.pending.extend(
            self._dump_writes(
                configurable["thread_id"],
                configurable["checkpoint_ns"],
                configurable["checkpoint_id"],
                task_id,
                task_path,
                writes,
            )
        )

    # LangGraph inspects this signature in every run; kept ready, it costs a twentieth of a run less.
    aput_writes.__signature__ = inspect.signature(aput_writes)  # type: ignore[attr-defined]

    def _tuple_of(self, row: Mapping[str, Any]) -> CheckpointTuple:
        """The row as the stock saver would load it, but without a hop to another thread."""
        thread = {"thread_id": row["thread_id"], "checkpoint_ns": row["checkpoint_ns"]}
        parent_id = row["parent_checkpoint_id"]
        inline = row["checkpoint"].get("channel_values") or {}
        values = {**inline, **self._load_blobs(row["channel_values"])}
        return CheckpointTuple(
            config={"configurable": {**thread, "checkpoint_id": row["checkpoint_id"]}},
            checkpoint=cast(Checkpoint, {**row["checkpoint"], "channel_values": values}),
            metadata=row["metadata"],
            parent_config={"configurable": {**thread, "checkpoint_id": parent_id}} if parent_id else None,
            pending_writes=self._load_writes(row["pending_writes"]),
        )


def _require_latest_of(thread: StoredThread, config: RunnableConfig) -> None:
    """A run that reads anything else would get the wrong thread's rows without a word."""
    configurable = config["configurable"]
    asked = (
        configurable["thread_id"],
        configurable.get("checkpoint_ns", ""),
        get_checkpoint_id(config),
    )
    if asked != (thread.thread_id, "", None):
        raise LookupError(f"a run on {thread.thread_id} asked for {asked}: only its latest is in memory")


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values that stand in the checkpoint's own JSON, and those with a blob: the same as stock."""
    inline: dict[str, Any] = {}
    blobs: dict[str, Any] = {}
    for channel, value in values.items():
        kept = inline if value is None or isinstance(value, str | int | float | bool) else blobs
        kept[channel] = value
    return inline, blobs


async def fetch_threads(connection: AsyncConnection[Any], thread_ids: Iterable[str]) -> dict[str, StoredThread]:
    """The latest checkpoint of each thread, in one query; `latest` is None where there is none."""
    threads = {thread_id: StoredThread(thread_id, latest=None) for thread_id in thread_ids}
    async with connection.cursor(binary=True, row_factory=dict_row) as cursor:
        await cursor.execute(_QUERIES["latest_of_many"], {"thread_ids": list(threads)})
        async for row in cursor:
            threads[row["thread_id"]] = StoredThread(row["thread_id"], latest=row)
    return threads


async def flush(connection: AsyncConnection[Any], writes: Iterable[ThreadWrites]) -> None:
    """Store the rows of many runs in the caller's transaction: three statements, one round trip in its pipeline."""
    runs = list(writes)
    await _store(connection, "store_blobs", [row for run in runs for row in run.blobs])
    await _store(connection, "store_checkpoints", [row for run in runs for row in run.checkpoints])
    await _store(connection, "store_pending", [row for run in runs for row in run.pending])


async def delete_threads(connection: AsyncConnection[Any], thread_ids: Iterable[str]) -> None:
    """Forget these threads, in the caller's transaction."""
    ids = list(thread_ids)
    for query in ("delete_checkpoints", "delete_blobs", "delete_pending"):
        await connection.execute(_QUERIES[query], (ids,))


async def _store(connection: AsyncConnection[Any], query: str, rows: list[Row]) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(_QUERIES[query], columns)
