"""One worker process: its parts put together, how it runs, and how it stops."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from uuid_utils.compat import uuid7

from worker.adapters.kafka.producer import KafkaProducer, ProducerBroken
from worker.adapters.policy.loading import load_policy
from worker.adapters.postgres.case_reader import CaseReader
from worker.adapters.postgres.checkpointer import BatchingCheckpointer
from worker.adapters.postgres.group_commit import GroupCommit
from worker.adapters.postgres.inbox import Inbox
from worker.adapters.postgres.outbox import Publisher, Relay
from worker.adapters.postgres.pool import Pool, make_pool
from worker.adapters.postgres.store import PostgresStore
from worker.application import failpoints
from worker.application.assess_case import assessor
from worker.application.casework import Casework
from worker.application.ports import Patience, Ports
from worker.bootstrap.providers import make_providers
from worker.bootstrap.readiness import wait_for_database, wait_for_topics
from worker.entrypoints.due_work import DueWork
from worker.entrypoints.kafka_consumers import Intake
from worker.entrypoints.lanes import Lanes
from worker.entrypoints.notifying import Notifier, run_notifier
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
    pools: tuple[Pool, ...]
    closing: AsyncExitStack
    broker: KafkaBroker
    producer: KafkaProducer
    publisher: Publisher
    relay: Relay
    notifier: Notifier | None
    inbox: Inbox
    lanes: Lanes
    casework: Casework

    async def run(self, ready: asyncio.Event | None = None) -> None:
        """Raises NotReady when a table or a topic is missing. A broker or database that is away is waited for."""
        for pool in self.pools:
            await wait_for_database(pool)
        await wait_for_topics(self.settings)
        if self.settings.worker_id:
            await self._release_what_it_held()
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
        if self.notifier is not None:
            background.append(asyncio.create_task(run_notifier(self.notifier, pause_s=1.0), name="notifier"))
        try:
            await self._connect()
            if ready is not None:
                ready.set()
            # Whoever is asked to stop still publishes what it has committed: `_stop` waits for that.
            await asyncio.gather(asyncio.shield(publishing), *background)
        except ProducerBroken as broken:
            raise NotReady(str(broken)) from broken
        finally:
            await self._stop(background, publishing)

    async def _connect(self) -> None:
        try:
            await self.broker.start()
        except KafkaError as error:
            raise NotReady(f"Kafka went away while the worker was starting ({error}); start it again") from error

    async def _release_what_it_held(self) -> None:
        """Under its old name it need not wait for its own leases; when that cannot be written, it does."""
        try:
            await self.inbox.release()
        except ConnectionError as error:
            log.warning("what this worker held before it died is taken up when its leases are over: %s", error)

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
        await self.closing.aclose()


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def make_worker(settings: Settings) -> Worker:
    """Needs a running event loop. Raises PolicyError when the policy file is refused, SettingsError when another is."""
    failpoints.arm(settings.failpoints)
    closing = AsyncExitStack()
    pool = make_pool(settings.database_url, size=settings.database_connections)
    closing.push_async_callback(pool.close)
    policy = load_policy(settings.policy_file)
    providers = make_providers(settings, pool, policy, new_id, closing)
    broker = make_broker(settings)
    producer = KafkaProducer(broker, settings.topic_prefix)
    publisher = Publisher(pool, producer)
    announcer = Announcer(new_id, Shape(settings.hitl_shape))
    worker = settings.worker_id or f"worker-{uuid4()}"
    checkpointer = BatchingCheckpointer(pool)
    lease = settings.lease
    store = PostgresStore(
        CaseReader(pool, batch=settings.batch, register=settings.reviewers == "register"),
        GroupCommit(
            pool, announcer, publisher, lease=lease, batch=settings.batch, notices=providers.notifications.router
        ),
    )
    ports = Ports(
        store=store,
        orders=providers.orders,
        payments=providers.payments,
        books=providers.books,
        executors=providers.executors,
        analyst=providers.analyst,
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
        pools=(pool, *providers.pools),
        closing=closing,
        broker=broker,
        producer=producer,
        publisher=publisher,
        relay=Relay(pool, producer, publisher.is_in_flight, grace=timedelta(seconds=settings.relay_grace_s)),
        notifier=providers.notifications.notifier,
        inbox=Inbox(pool, announcer, publisher, worker=worker, lease=lease),
        lanes=Lanes(settings.in_flight),
        casework=Casework(ports),
    )
