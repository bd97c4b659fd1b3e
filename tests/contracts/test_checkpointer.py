"""The checkpointer does what LangGraph asks of one, on its own and through the buffer."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import ormsgpack
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.serde.jsonplus import (
    EXT_CONSTRUCTOR_POS_ARGS,
    EXT_METHOD_SINGLE_ARG,
    JsonPlusSerializer,
)
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from tests.threads import connect
from worker.adapters.postgres.checkpointer import (
    BatchingCheckpointer,
    delete_threads,
    fetch_threads,
    flush,
)
from worker.adapters.postgres.plain_data import PlainDataSerializer
from worker.application.threads import StoredThread, ThreadWrites

SUPPORTED = {"put", "put_writes", "get_tuple", "list", "delete_thread", "prune"}


@pytest.fixture
async def connection(database: str) -> AsyncIterator[AsyncConnection[DictRow]]:
    async with await connect(database) as opened:
        await BatchingCheckpointer(opened).setup()
        yield opened


class ThroughTheBuffer(BatchingCheckpointer):
    """Every write is recorded and flushed, every read of a latest checkpoint is prefetched."""

    conn: AsyncConnection[DictRow]

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        configurable = config["configurable"]
        if configurable.get("checkpoint_ns") or get_checkpoint_id(config):
            return await super().aget_tuple(config)
        thread_id = configurable["thread_id"]
        threads = await fetch_threads(self.conn, [thread_id])
        with self.recording(threads[thread_id]):
            return await super().aget_tuple(config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        with self.recording(self._thread(config)) as writes:
            stored = await super().aput(config, checkpoint, metadata, new_versions)
        await self._flush(writes)
        return stored

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        with self.recording(self._thread(config)) as recorded:
            await super().aput_writes(config, writes, task_id, task_path)
        await self._flush(recorded)

    def _thread(self, config: RunnableConfig) -> StoredThread:
        return StoredThread(config["configurable"]["thread_id"], latest=None)

    async def _flush(self, writes: ThreadWrites) -> None:
        async with self.conn.transaction():
            await flush(self.conn, [writes])


@pytest.mark.parametrize("kind", [BatchingCheckpointer, ThroughTheBuffer])
async def test_it_passes_the_published_conformance_suite(
    kind: type[BatchingCheckpointer], connection: AsyncConnection[DictRow]
) -> None:
    @checkpointer_test(name=kind.__name__)
    async def saver() -> AsyncGenerator[BatchingCheckpointer, None]:
        yield kind(connection)

    results = (await validate(saver)).results
    failures = {name: result.failures for name, result in results.items() if result.failures}
    assert failures == {}
    assert {name for name, result in results.items() if result.passed} == SUPPORTED
    assert sum(result.tests_passed for result in results.values()) > 50


async def test_a_recorded_run_cannot_read_another_thread(
    connection: AsyncConnection[DictRow],
) -> None:
    checkpointer = BatchingCheckpointer(connection)
    with (
        checkpointer.recording(StoredThread("mine", latest=None)),
        pytest.raises(LookupError, match="mine"),
    ):
        await checkpointer.aget_tuple({"configurable": {"thread_id": "theirs"}})


async def test_a_thread_that_is_not_stored_is_fetched_as_such(
    connection: AsyncConnection[DictRow],
) -> None:
    threads = await fetch_threads(connection, ["nobody"])
    assert threads == {"nobody": StoredThread("nobody", latest=None)}


async def test_nothing_to_flush_and_nobody_to_forget_are_no_errors(
    connection: AsyncConnection[DictRow],
) -> None:
    await flush(connection, [])
    await delete_threads(connection, [])


class Detonator:
    """Records whether loading a stored value ran something."""

    went_off = False

    def __init__(self, _: object) -> None:
        type(self).went_off = True

    @classmethod
    def fire(cls, _: object) -> None:
        cls.went_off = True


@pytest.fixture
def detonator() -> type[Detonator]:
    Detonator.went_off = False
    return Detonator


def hostile(*code: object, kind: int) -> bytes:
    return ormsgpack.packb(ormsgpack.Ext(kind, ormsgpack.packb(code)))


CONSTRUCTOR = hostile(__name__, "Detonator", [1], kind=EXT_CONSTRUCTOR_POS_ARGS)
METHOD = hostile(__name__, "Detonator", 1, "fire", kind=EXT_METHOD_SINGLE_ARG)


def test_the_payload_is_hostile_to_a_serializer_that_trusts_it(
    detonator: type[Detonator],
) -> None:
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(("msgpack", CONSTRUCTOR))
    assert detonator.went_off


@pytest.mark.parametrize("payload", [CONSTRUCTOR, METHOD], ids=["constructor", "method"])
async def test_a_stored_value_that_names_code_does_not_run_it(
    payload: bytes, connection: AsyncConnection[DictRow], detonator: type[Detonator]
) -> None:
    await plant(connection, "msgpack", payload)
    loaded = await BatchingCheckpointer(connection).aget_tuple(PLANTED)
    assert loaded is not None
    assert loaded.checkpoint["channel_values"]["case"] in ([1], 1)
    assert not detonator.went_off


async def test_a_stored_value_that_would_revive_an_object_is_refused(
    connection: AsyncConnection[DictRow],
) -> None:
    await plant(connection, "json", b'{"lc": 2, "type": "constructor", "id": ["re", "compile"]}')
    with pytest.raises(ValueError, match="'json'"):
        await BatchingCheckpointer(connection).aget_tuple(PLANTED)


def test_nothing_widens_what_may_be_revived() -> None:
    strict = PlainDataSerializer()
    assert strict.with_msgpack_allowlist([("os", "system")]) is strict


PLANTED: RunnableConfig = {"configurable": {"thread_id": "planted", "checkpoint_ns": ""}}


async def plant(connection: AsyncConnection[DictRow], encoding: str, value: bytes) -> None:
    """A thread as somebody with access to the database could write it."""
    checkpoint = {
        "v": 4,
        "id": "1",
        "ts": "2026-01-01T00:00:00+00:00",
        "channel_values": {},
        "channel_versions": {"case": "1"},
        "versions_seen": {},
        "updated_channels": None,
    }
    row = ("planted", "", "1", None, json.dumps(checkpoint), "{}")
    blob = ("planted", "", "case", "1", encoding, value)
    await flush(connection, [ThreadWrites(checkpoints=[row], blobs=[blob])])
