"""The composition root: the only module that knows every layer, and how they hang together."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from aiokafka.errors import KafkaConnectionError
from faststream.kafka import KafkaBroker
from uuid_utils.compat import uuid7

from worker.adapters.analysis.rules import RuleAnalyst
from worker.adapters.executors.registry import Registry
from worker.adapters.kafka.producer import KafkaProducer, ProducerBroken
from worker.adapters.kafka.topics import missing_topics
from worker.adapters.orders.http import HttpOrders
from worker.adapters.orders.tables import OrderTables
from worker.adapters.payments.ledger import Ledger, OwnBooks
from worker.adapters.policy.loading import load_policy
from worker.adapters.postgres.case_reader import CaseReader
from worker.adapters.postgres.checkpointer import BatchingCheckpointer
from worker.adapters.postgres.group_commit import GroupCommit
from worker.adapters.postgres.inbox import Inbox
from worker.adapters.postgres.migrator import missing_migrations
from worker.adapters.postgres.outbox import Publisher, Relay
from worker.adapters.postgres.pool import DatabaseUnreachable, Pool, borrowed, make_pool
from worker.adapters.postgres.store import PostgresStore
from worker.application import failpoints
from worker.application.assess_case import assessor
from worker.application.casework import Casework
from worker.application.ports import Patience, Ports
from worker.entrypoints.due_work import DueWork
from worker.entrypoints.kafka_consumers import Intake
from worker.entrypoints.lanes import Lanes
from worker.entrypoints.outbox_relay import run_relay
from worker.graph.build import GRAPH_VERSION
from worker.graph.state import Dependencies
from worker.graph.workflow import Workflow
from worker.settings import NotReady, Settings
from worker.translation.hitl_outbound import Shape
from worker.translation.outbound import Announcer

log = logging.getLogger(__name__)

CONNECT_PAUSE_S = 1.0


def new_id() -> UUID:
    """UUIDv7: rows that are written together lie together in every index."""
    return uuid7()


def make_broker(settings: Settings) -> KafkaBroker:
    """Producer and consumers of one process. Nothing connects before it is started."""
    return KafkaBroker(
        settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        linger_ms=0,
        max_batch_size=256 * 1024,
        compression_type="zstd",
        graceful_timeout=settings.shutdown_s,
        apply_types=False,
        logger=None,
    )


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process, wired. `run` works until it is cancelled; then it finishes what it holds, and lets go."""

    settings: Settings
    pool: Pool
    ledger_pool: Pool
    http_orders: HttpOrders | None
    broker: KafkaBroker
    producer: KafkaProducer
    publisher: Publisher
    relay: Relay
    inbox: Inbox
    lanes: Lanes
    casework: Casework

    async def run(self, ready: asyncio.Event | None = None) -> None:
        """Raises NotReady when a table or a topic is missing. A broker or database that is away is waited for."""
        await wait_for_database(self.pool)
        if self.ledger_pool is not self.pool:
            await wait_for_database(self.ledger_pool)
        await wait_for_topics(self.settings)
        if self.settings.worker_id:
            await self.inbox.release()
        Intake(
            self.broker,
            self.inbox,
            self.lanes,
            self.casework.deliver,
            topic_prefix=self.settings.topic_prefix,
            group=self.settings.topic_prefix + self.settings.consumer_group,
            member=self.settings.worker_id,
            batch=self.settings.batch,
        )
        due = DueWork(self.inbox, self.casework, self.lanes, limit=self.settings.batch, pause_s=self.settings.poll_s)
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        publishing = asyncio.create_task(self.publisher.run(), name="publisher")
        background = [
            asyncio.create_task(due.run(), name="due-work"),
            asyncio.create_task(run_relay(self.relay, pause_s=1.0), name="relay"),
            asyncio.create_task(self.producer.watch(), name="producer-watch"),
        ]
        try:
            await self.broker.start()
            if ready is not None:
                ready.set()
            await asyncio.gather(publishing, *background)
        except ProducerBroken as broken:
            raise NotReady(str(broken)) from broken
        finally:
            await self._stop(background, publishing)

    async def _stop(self, background: Iterable[asyncio.Task[None]], publishing: asyncio.Task[None]) -> None:
        """Intake first, then what is held; whatever is not done in time is taken up by the next worker."""
        with contextlib.suppress(TimeoutError, Exception):
            async with asyncio.timeout(self.settings.shutdown_s):
                for subscriber in self.broker.subscribers:
                    await subscriber.stop()
                await _cancel(background)
                await self.lanes.idle()
                await self.publisher.drain()
        await self.lanes.cancel()
        await _cancel([*background, publishing])
        with contextlib.suppress(TimeoutError, Exception):
            async with asyncio.timeout(self.settings.shutdown_s):
                await self.broker.stop()
        await self.pool.close()
        await self.ledger_pool.close()
        if self.http_orders is not None:
            await self.http_orders.aclose()


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def make_worker(settings: Settings) -> Worker:
    """Needs a running event loop. Raises PolicyError when the policy file is refused."""
    failpoints.arm(settings.failpoints)
    pool = make_pool(settings.database_url, size=settings.database_connections)
    ledger_pool = make_pool(settings.ledger_url, size=4, name="signoff-ledger") if settings.ledger_url else pool
    broker = make_broker(settings)
    producer = KafkaProducer(broker, settings.topic_prefix)
    publisher = Publisher(pool, producer)
    announcer = Announcer(new_id, Shape(settings.hitl_shape))
    worker = settings.worker_id or f"worker-{uuid4()}"
    checkpointer = BatchingCheckpointer(pool)
    http_orders = HttpOrders(settings.orders_url) if settings.orders == "http" and settings.orders_url else None
    orders = http_orders or OrderTables(pool, batch=settings.batch)
    policy = load_policy(settings.policy_file)
    lease = settings.lease
    store = PostgresStore(
        CaseReader(pool, batch=settings.batch, register=settings.reviewers == "register"),
        GroupCommit(pool, announcer, publisher, lease=lease, batch=settings.batch),
    )
    ports = Ports(
        store=store,
        orders=orders,
        payments=Ledger(ledger_pool, batch=settings.batch),
        books=None if settings.ledger_url else OwnBooks(),
        executors=Registry(),
        analyst=RuleAnalyst(),
        workflow=Workflow(checkpointer, checkpointer, Dependencies(assess=assessor(policy))),
        policy=policy,
        graph_version=GRAPH_VERSION,
        new_id=new_id,
        monotonic=time.monotonic,
        patience=Patience(early=timedelta(seconds=settings.early_decision_wait_s), lease=lease),
        keep_threads=settings.keep_threads,
    )
    return Worker(
        settings=settings,
        pool=pool,
        ledger_pool=ledger_pool,
        http_orders=http_orders,
        broker=broker,
        producer=producer,
        publisher=publisher,
        relay=Relay(pool, producer, publisher.is_in_flight, grace=timedelta(seconds=settings.relay_grace_s)),
        inbox=Inbox(pool, announcer, publisher, worker=worker, lease=lease),
        lanes=Lanes(settings.in_flight),
        casework=Casework(ports),
    )


async def wait_for_database(pool: Pool) -> None:
    """Opens the pool. Raises NotReady when a migration is missing."""
    await pool.open(wait=False)
    while True:
        try:
            async with borrowed(pool) as connection:
                missing = await missing_migrations(connection)
            break
        except DatabaseUnreachable as error:
            log.warning("waiting for PostgreSQL: %s", error)
            await asyncio.sleep(CONNECT_PAUSE_S)
    if missing:
        raise NotReady(f"the database lacks {', '.join(missing)}; run `signoff migrate` first")


async def wait_for_topics(settings: Settings) -> None:
    """Raises NotReady when a topic is missing."""
    servers = settings.kafka_bootstrap_servers
    while True:
        try:
            missing = await missing_topics(servers, settings.topic_prefix)
            break
        except OSError as error:
            log.warning("waiting for Kafka at %s: %s", servers, error)
        except KafkaConnectionError as error:
            log.warning("waiting for Kafka at %s: %s", servers, error)
        await asyncio.sleep(CONNECT_PAUSE_S)
    if missing:
        raise NotReady(f"Kafka at {servers} lacks the topics {', '.join(missing)}; run `signoff migrate` first")
