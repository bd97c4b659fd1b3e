"""LangGraph's threads in memory: a checkpointer for runs, and the shelf on which the store keeps their rows.

A run sees one thread and nothing else, and leaves its rows behind, as with the checkpointer for PostgreSQL. Values
are kept as bytes of the same serializer, so that nothing is shared between a run and what is stored of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver as CheckpointSaver
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)

from worker.adapters.postgres.plain_data import PlainDataSerializer
from worker.application.threads import StoredThread, ThreadWrites

_VERSION_DIGITS = 32


class ThreadShelf:
    """The latest checkpoint of each thread, and what is pending on it."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._latest)

    def fetch(self, thread_id: str) -> StoredThread:
        """`latest` is None when nothing is stored under the id."""
        return StoredThread(thread_id, latest=self._latest.get(thread_id))

    def store(self, writes: ThreadWrites) -> None:
        for thread_id, checkpoint_id, parent_id, content in writes.checkpoints:
            self._latest[str(thread_id)] = {
                "checkpoint_id": checkpoint_id,
                "parent_id": parent_id,
                "content": content,
                "pending": [row[2:] for row in writes.pending if row[:2] == (thread_id, checkpoint_id)],
            }

    def forget(self, thread_id: str) -> None:
        self._latest.pop(thread_id, None)


class _Recording:
    __slots__ = ("thread", "writes")

    def __init__(self, thread: StoredThread) -> None:
        self.thread = thread
        self.writes = ThreadWrites()


_recording: ContextVar[_Recording] = ContextVar("signoff_memory_thread_recording")


class MemoryCheckpointer(CheckpointSaver[str]):
    """Works inside `recording` only; it has no other place to keep a thread."""

    def __init__(self) -> None:
        super().__init__(serde=PlainDataSerializer())

    @contextmanager
    def recording(self, thread: StoredThread) -> Iterator[ThreadWrites]:
        """The current task, and those it starts, run on `thread` and write into what is yielded."""
        recording = _Recording(thread)
        token = _recording.set(recording)
        try:
            yield recording.writes
        finally:
            _recording.reset(token)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Counts, and adds nothing random."""
        return f"{int(current or 0) + 1:0{_VERSION_DIGITS}}"

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        thread = _recording.get().thread
        asked = config["configurable"]["thread_id"]
        if asked != thread.thread_id:
            raise LookupError(f"a run on {thread.thread_id} asked for {asked}: only its own thread is in memory")
        return None if thread.latest is None else self._opened(thread.thread_id, dict(thread.latest))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        configurable = config["configurable"]
        thread_id = configurable["thread_id"]
        content = self.serde.dumps_typed((checkpoint, get_serializable_checkpoint_metadata(config, metadata)))
        _recording.get().writes.checkpoints.append(
            (thread_id, checkpoint["id"], configurable.get("checkpoint_id"), content)
        )
        return _config(thread_id, checkpoint["id"])

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        thread_id, checkpoint_id = config["configurable"]["thread_id"], config["configurable"]["checkpoint_id"]
        _recording.get().writes.pending.extend(
            (thread_id, checkpoint_id, task_id, channel, self.serde.dumps_typed(value)) for channel, value in writes
        )

    def _opened(self, thread_id: str, stored: dict[str, Any]) -> CheckpointTuple:
        checkpoint, metadata = self.serde.loads_typed(stored["content"])
        return CheckpointTuple(
            config=_config(thread_id, stored["checkpoint_id"]),
            checkpoint=cast(Checkpoint, checkpoint),
            metadata=cast(CheckpointMetadata, metadata),
            parent_config=_config(thread_id, stored["parent_id"]) if stored["parent_id"] else None,
            pending_writes=[
                (task_id, channel, self.serde.loads_typed(value)) for task_id, channel, value in stored["pending"]
            ],
        )


def _config(thread_id: str, checkpoint_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": checkpoint_id}}
