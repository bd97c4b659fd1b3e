"""The baseline: the same work with LangGraph's own documented parts.

`AsyncPostgresSaver` on a connection pool with the options its documentation asks for, default durability, one aiokafka
consumer for each topic, the records of one poll at the same time, offsets committed after them. A graph of the same
shape as ours with the same number of rules; the payment is a row written in the node, as the documentation puts side
effects after the interrupt; approval-needed and outcome are published when the run returns.

What it does not do, and our worker does: validate events, recognise a redelivery, keep a case, an audit trail, a
deadline, receipts and early decisions, publish with the commit, survive a crash between payment and outcome. So the
comparison is in its favour.

`python -m benchmarks.langgraph_as_documented prepare | run`, with the address of everything in the environment.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.types import Command
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.langgraph_graph import Payments, build

CONNECTIONS = 16
AT_ONCE = 200
"""Records of one poll, as many as ours takes. The saver holds a lock around every statement, so that its pool serves
one at a time: 16 at once did 61 round trips/s, 100 did 85 and 300 did 90 in one sitting."""

SERVERS = os.environ["SIGNOFF_KAFKA_BOOTSTRAP_SERVERS"]
DATABASE = os.environ["SIGNOFF_DATABASE_URL"]
PREFIX = os.environ["SIGNOFF_TOPIC_PREFIX"]

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]
Handle = Callable[[ConsumerRecord], Awaitable[None]]

CREATE_PAYMENTS = """
CREATE TABLE payments (
    exception_id text PRIMARY KEY,
    order_id text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reference text NOT NULL,
    paid_at timestamptz NOT NULL DEFAULT now()
)
"""
INSERT_PAYMENT = """
INSERT INTO payments (exception_id, order_id, amount_minor, currency, reference) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (exception_id) DO NOTHING
"""


def _pool() -> Pool:
    """As the saver's documentation says: autocommit and dict rows are required, prepared statements on demand."""
    return AsyncConnectionPool(
        DATABASE,
        min_size=CONNECTIONS,
        max_size=CONNECTIONS,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    )


async def prepare() -> None:
    async with _pool() as pool:
        await AsyncPostgresSaver(pool).setup()
        async with pool.connection() as connection:
            await connection.execute(CREATE_PAYMENTS)


async def run() -> None:
    async with _pool() as pool, AIOKafkaProducer(bootstrap_servers=SERVERS, acks="all") as producer:
        handlers = _Handlers(pool, producer)
        await asyncio.gather(
            _consume("order-exceptions", "exceptions", handlers.exception_raised),
            _consume("review-decisions", "decisions", handlers.review_decided),
        )


class _Handlers:
    def __init__(self, pool: Pool, producer: AIOKafkaProducer) -> None:
        self._graph = build(_pay_with(pool)).compile(checkpointer=AsyncPostgresSaver(pool))
        self._producer = producer

    async def exception_raised(self, record: ConsumerRecord) -> None:
        event = json.loads(record.value)
        thread = event["exception_id"]
        state = await self._graph.ainvoke({"exception": event}, _config(thread))
        (interrupt,) = state["__interrupt__"]
        needed = {
            "approval_id": thread,
            "exception_id": thread,
            "order_id": event["order_id"],
            "kind": event["kind"],
            **interrupt.value,
            "context": {"reason": event["reason"], "order": event["order"], "customer": event["customer"]},
            "requested_by": event["requested_by"],
            "requested_at": _now(),
        }
        await self._publish("approvals", "signoff.approval.needed.v1", needed)

    async def review_decided(self, record: ConsumerRecord) -> None:
        decision = json.loads(record.value)
        state = await self._graph.ainvoke(Command(resume=decision), _config(decision["approval_id"]))
        exception = state["exception"]
        outcome = {
            "exception_id": exception["exception_id"],
            "order_id": exception["order_id"],
            "kind": exception["kind"],
            **state["outcome"],
            "finished_at": _now(),
        }
        await self._publish("order-outcomes", "signoff.resolution.outcome.v1", outcome)

    async def _publish(self, topic: str, type_: str, event: dict[str, Any]) -> None:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_type", type_.encode()),
            ("ce_id", str(uuid4()).encode()),
            ("ce_source", b"/baseline"),
        ]
        await self._producer.send_and_wait(
            PREFIX + topic, json.dumps(event).encode(), key=event["order_id"].encode(), headers=headers
        )


def _pay_with(pool: Pool) -> Payments:
    async def pay(exception: dict[str, Any], amount: dict[str, Any]) -> str:
        reference = str(uuid4())
        async with pool.connection() as connection:
            await connection.execute(
                INSERT_PAYMENT,
                (
                    exception["exception_id"],
                    exception["order_id"],
                    amount["amount_minor"],
                    amount["currency"],
                    reference,
                ),
            )
        return reference

    return pay


async def _consume(topic: str, group: str, handle: Handle) -> None:
    async with AIOKafkaConsumer(
        PREFIX + topic,
        bootstrap_servers=SERVERS,
        group_id=PREFIX + group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    ) as consumer:
        while True:
            polled = await consumer.getmany(timeout_ms=200, max_records=AT_ONCE)
            records = [record for of_partition in polled.values() for record in of_partition]
            if records:
                await asyncio.gather(*(handle(record) for record in records))
                await consumer.commit()


def _config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}}


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run({"prepare": prepare, "run": run}[sys.argv[1]]())
