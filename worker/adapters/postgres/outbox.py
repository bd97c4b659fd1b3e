"""The transactional outbox: what a commit announced is published at once, and in any case some time.

Right after a commit its rows are handed to the producer from memory. A row is marked when the broker has it; what is
not marked after a grace (the worker died, the broker was away) is sent by the relay, with the same id and bytes. So a
consumer may see an event twice and never misses one: it drops the second by its id.

The rows of a case go out in the order of their commits. The direct way is taken only when every older row of the
case is already on it; else the new ones are left to the relay, which sends all of them in order.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.pool import Pool, borrowed
from worker.application import failpoints
from worker.translation.outbound import OutgoingMessage

_QUERIES = load("outbox.sql")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    outbox_id: int
    message: OutgoingMessage


def outbox_rows(messages: Sequence[OutgoingMessage]) -> list[dict[str, Any]]:
    return [
        {
            "event_id": message.event_id,
            "ordering": message.ordering,
            "topic": message.topic,
            "key": message.key,
            "headers": message.headers,
            "payload": message.payload,
        }
        for message in messages
    ]


class Producer(Protocol):
    """Raises ConnectionError when the broker cannot be reached."""

    async def send(self, message: OutgoingMessage) -> "asyncio.Future[Any]":
        """Queues the message, in order; the future is done when the broker has it."""
        ...


REMEMBERED = 10_000
"""Rows that are remembered as sent: far more than can be marked while one commit is under way."""


class Publisher:
    """One queue a process: what is handed over first is sent first. What the broker has is marked in batches."""

    def __init__(self, pool: Pool, producer: Producer) -> None:
        self._pool = pool
        self._producer = producer
        self._queue: asyncio.Queue[list[OutboxRow]] = asyncio.Queue()
        self._in_flight: set[int] = set()
        self._sent: dict[int, None] = {}
        self._acknowledged: list[int] = []
        self._to_mark = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def hand_over(self, rows: list[OutboxRow], unsent: Mapping[str, set[int]]) -> None:
        """Takes committed rows. `unsent` are the older rows of their cases that the commit saw unmarked: those that
        this process did not put on the direct way keep the new ones off it."""
        direct = [row for row in rows if all(self._on_its_way(older) for older in unsent.get(row.message.ordering, ()))]
        if direct:
            self._in_flight.update(row.outbox_id for row in direct)
            self._empty.clear()
            self._queue.put_nowait(direct)

    async def run(self) -> None:
        """Sends and marks until it is cancelled. What cannot be sent or marked is left to the relay."""
        await asyncio.gather(self._send_all(), self._mark_all())

    async def drain(self) -> None:
        """Returns when all that was handed over is sent and marked, or was given up."""
        await self._empty.wait()

    def is_in_flight(self, outbox_id: int) -> bool:
        return outbox_id in self._in_flight

    async def _send_all(self) -> None:
        while True:
            for row in await self._queue.get():
                try:
                    future = await self._producer.send(row.message)
                except Exception as error:
                    self._give_up([row.outbox_id], error)
                else:
                    future.add_done_callback(partial(self._answered, row.outbox_id))

    def _answered(self, outbox_id: int, future: "asyncio.Future[Any]") -> None:
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            self._give_up([outbox_id], error)
            return
        self._acknowledged.append(outbox_id)
        self._to_mark.set()

    async def _mark_all(self) -> None:
        while True:
            await self._to_mark.wait()
            self._to_mark.clear()
            ids, self._acknowledged = self._acknowledged, []
            failpoints.reach("publish.before-mark")
            try:
                async with borrowed(self._pool) as connection:
                    await connection.execute(_QUERIES["mark_published"], {"keys": ids})
            except Exception as error:
                self._give_up(ids, error)
            else:
                self._remember(ids)
                self._let_go(ids)

    def _give_up(self, outbox_ids: list[int], error: BaseException | None) -> None:
        log.warning("%s events are left to the relay: %s", len(outbox_ids), error)
        self._let_go(outbox_ids)

    def _let_go(self, outbox_ids: list[int]) -> None:
        self._in_flight.difference_update(outbox_ids)
        if not self._in_flight:
            self._empty.set()

    def _on_its_way(self, outbox_id: int) -> bool:
        return outbox_id in self._in_flight or outbox_id in self._sent

    def _remember(self, outbox_ids: list[int]) -> None:
        self._sent.update(dict.fromkeys(outbox_ids))
        while len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]


class Relay:
    """Sends what nobody sent. One relay is active at a time, whoever holds the lock: two would break the order."""

    def __init__(
        self,
        pool: Pool,
        producer: Producer,
        is_in_flight: Callable[[int], bool],
        *,
        grace: timedelta,
        batch: int = 500,
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._is_in_flight = is_in_flight
        self._grace = grace
        self._batch = batch

    async def run_while_active(self, pause_s: float) -> None:
        """Waits for the lock, then relays until it is cancelled or the connection is lost."""
        async with borrowed(self._pool) as connection:
            try:
                while not await _take(connection):  # noqa: ASYNC110 - another session's lock gives no signal
                    await asyncio.sleep(pause_s)
                while True:
                    if await self.relay_once(connection) < self._batch:
                        await asyncio.sleep(pause_s)
            finally:
                # The lock is the connection's: back in the pool it would keep every other relay out.
                await connection.close()

    async def relay_once(self, connection: AsyncConnection[Any]) -> int:
        """Sends one batch of unsent rows in order, and marks what the broker has; how many that were."""
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(_QUERIES["unsent_rows"], {"grace": self._grace, "limit": self._batch})
        rows = [row for row in await cursor.fetchall() if not self._is_in_flight(row["outbox_id"])]
        futures = [
            await self._producer.send(OutgoingMessage(**{name: row[name] for name in row if name != "outbox_id"}))
            for row in rows
        ]
        results = await asyncio.gather(*futures, return_exceptions=True)
        sent = [
            row["outbox_id"] for row, result in zip(rows, results, strict=True) if not isinstance(result, BaseException)
        ]
        if sent:
            log.info("relayed what a crash or an outage left behind", extra={"rows": len(sent)})
            await connection.execute(_QUERIES["mark_published"], {"keys": sent})
        return len(sent)


async def _take(connection: AsyncConnection[Any]) -> bool:
    cursor = await connection.execute(_QUERIES["take_relay"])
    row = await cursor.fetchone()
    return bool(row and row[0])
