"""What befalls a run: one coroutine for each kind of fault, which returns when it is over."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.chaos.database_faults import Refusal
from tests.chaos.house import House
from tests.chaos.plan import Fault
from tests.chaos.quiet import Ends
from tests.chaos.recovery import Recovery
from tests.chaos.supervisor import Arms, Supervisor

GROUP_GONE_S = 30.0
PAUSE_S = 0.3

Befall = Callable[..., Awaitable[None]]


class Trouble:
    """`befall` makes one fault happen. Several may last at a time, though not two of the broker or of the database."""

    def __init__(
        self, house: House, supervisor: Supervisor, ends: Ends, recovery: Recovery, dice: random.Random
    ) -> None:
        self._house = house
        self._ends = ends
        self._supervisor = supervisor
        self._recovery = recovery
        self._dice = dice
        self._broker = asyncio.Lock()
        self._database = asyncio.Lock()
        self._payments = asyncio.Lock()
        self._kinds: dict[str, Befall] = {
            "kill": self._kill,
            "kill-at-failpoint": self._kill_at_failpoint,
            "stop-at-failpoint": self._stop_at_failpoint,
            "stop": self._stop,
            "terminate-and-kill": self._terminate_and_kill,
            "terminate": self._terminate,
            "broker-kill": self._broker_kill,
            "broker-restart": self._broker_restart,
            "broker-freeze": self._broker_freeze,
            "rebalances": self._rebalances,
            "offsets-reset": self.reset_offsets,
            "database-restart": self._database_restart,
            "database-kill": self._database_kill,
            "connections-ended": self._connections_ended,
            "relay-lock-lost": self._relay_lock_lost,
            "commit-answers-lost": self._commit_answers_lost,
            "commits-deadlock": self._refused_commits("deadlock"),
            "commits-not-serializable": self._refused_commits("serialization"),
            "disk-full": self._refused_commits("disk-full"),
            "tables-locked": self._tables_locked,
            "connections-exhausted": self._connections_exhausted,
            "wire-cut": self._wire_cut,
            "wire-silent": self._wire_silent,
            "wire-slow": self._wire_slow,
            "payments-down": self._payments_down,
            "clock-step": self._clock_step,
        }

    async def befall(self, fault: Fault) -> None:
        self._house.history.tell("fault-began", fault=fault.kind, id=fault.number, **fault.detail)
        await self._kinds[fault.kind](**fault.detail)
        self._house.history.tell("fault-ended", fault=fault.kind, id=fault.number)

    # Workers

    async def _kill(self, **_: Any) -> None:
        self._supervisor.victim().send(signal.SIGKILL)

    async def _kill_at_failpoint(self, failpoint: str, count: int, **_: Any) -> None:
        """Somebody dies; who comes next dies where it hurts, when it comes there."""
        self._supervisor.arm(Arms(failpoint, count))
        self._supervisor.victim().send(signal.SIGKILL)

    async def _stop_at_failpoint(self, failpoint: str, count: int, seconds: float) -> None:
        """Likewise, but it stands still there, until others have taken over, and goes on as if nothing had happened."""
        self._supervisor.arm(Arms(failpoint, count, "stop", seconds))
        self._supervisor.victim().send(signal.SIGKILL)

    async def _stop(self, seconds: float) -> None:
        worker = self._supervisor.victim()
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        worker.send(signal.SIGCONT)

    async def _terminate_and_kill(self, seconds: float) -> None:
        worker = self._supervisor.victim()
        worker.send(signal.SIGTERM)
        await asyncio.sleep(seconds)
        worker.send(signal.SIGKILL)

    async def _terminate(self, **_: Any) -> None:
        self._supervisor.victim().send(signal.SIGTERM)

    async def _clock_step(self, offset: float) -> None:
        self._dice.choice(self._house.workers).set_clock(offset)

    # Kafka

    async def _broker_kill(self, seconds: float) -> None:
        async with self._broker, self._recovery.measured("broker"):
            await self._house.broker.kill()
            await asyncio.sleep(seconds / 2)
            await self._house.broker.start()

    async def _broker_restart(self, **_: Any) -> None:
        async with self._broker, self._recovery.measured("broker"):
            await self._house.broker.restart()

    async def _broker_freeze(self, seconds: float) -> None:
        async with self._broker:
            self._house.broker.freeze()
            await asyncio.sleep(seconds)
            self._house.broker.thaw()

    async def _rebalances(self, times: int) -> None:
        """A member that joins the group, takes its partitions, reads nothing, and leaves; again and again."""
        async with self._broker:
            for _ in range(times):
                member = AIOKafkaConsumer(
                    *self._house.input_topics,
                    bootstrap_servers=self._house.broker.direct,
                    group_id=self._house.group,
                    enable_auto_commit=False,
                )
                try:
                    async with asyncio.timeout(GROUP_GONE_S):
                        await member.start()
                        await asyncio.sleep(self._dice.uniform(0.1, 1))
                finally:
                    await member.stop()

    async def reset_offsets(self, **_: Any) -> None:
        """All workers leave, the group's offsets are set to 0, and they read everything once more."""
        async with self._broker, self._supervisor.all_down():
            await asyncio.to_thread(reset_group, self._house.broker.direct, self._house.group, self._house.input_topics)
            marks = await asyncio.to_thread(self._ends.marks)
            behind = await asyncio.to_thread(self._ends.lag, marks)
            self._house.history.tell("offsets-reset", records=behind)
            if behind != sum(marks.values()):
                raise RuntimeError(
                    f"of {sum(marks.values())} records, {behind} are to be read again: nothing was reset"
                )

    # PostgreSQL

    async def _database_restart(self, **_: Any) -> None:
        async with self._database, self._recovery.measured("database"):
            await self._house.database.immediate_restart()

    async def _database_kill(self, seconds: float) -> None:
        async with self._database, self._recovery.measured("database"):
            await self._house.database.kill()
            await asyncio.sleep(seconds / 2)
            await self._house.database.start()

    async def _connections_ended(self, **_: Any) -> None:
        async with self._database:
            await self._house.database.terminate_backends()

    async def _relay_lock_lost(self, **_: Any) -> None:
        """Whoever relays loses its connection, and with it the lock; another takes it while the first may still
        send."""
        async with self._database:
            await self._house.database.terminate_lock_holders()

    async def _commit_answers_lost(self, times: int) -> None:
        self._dice.choice(self._house.database.wires).lose_commit_answers(times)

    def _refused_commits(self, why: Refusal) -> Befall:
        async def refuse(times: int) -> None:
            async with self._database:
                await self._house.database.refuse_commits(why, times)

        return refuse

    async def _tables_locked(self, table: str, seconds: float) -> None:
        async with self._database:
            await self._house.database.lock_table(table, seconds)

    async def _connections_exhausted(self, seconds: float) -> None:
        async with self._database, self._house.database.exhausted_connections():
            await asyncio.sleep(seconds)

    # What lies between

    async def _wire_cut(self, wire: str) -> None:
        self._house.wire(wire, self._dice).cut()

    async def _wire_silent(self, wire: str, way: str, seconds: float) -> None:
        chosen = self._house.wire(wire, self._dice)
        chosen.silence(way)  # type: ignore[arg-type]
        await asyncio.sleep(seconds)
        chosen.silence(None)

    async def _wire_slow(self, wire: str, delay: float, seconds: float) -> None:
        chosen = self._house.wire(wire, self._dice)
        chosen.delay(delay)
        await asyncio.sleep(seconds)
        chosen.delay(0)

    async def _payments_down(self, seconds: float) -> None:
        async with self._payments:
            await self._house.payments.kill()
            await asyncio.sleep(seconds)
            await self._house.payments.start()


def reset_group(kafka: str, group: str, topics: tuple[str, ...]) -> None:
    """Waits until the group has no members: one that had a name is missed only when its session has run out.

    Raises KafkaException.
    """
    admin = AdminClient({"bootstrap.servers": kafka})
    known = admin.list_topics(timeout=GROUP_GONE_S).topics
    zero = [TopicPartition(topic, number, 0) for topic in topics for number in known[topic].partitions]
    until = time.monotonic() + GROUP_GONE_S
    while (refused := _refusal(admin, group, zero)) is not None:
        if time.monotonic() > until:
            raise refused
        time.sleep(PAUSE_S)


def _refusal(admin: AdminClient, group: str, offsets: list[TopicPartition]) -> KafkaException | None:
    """Of all offsets, or of a partition's: the whole may succeed and have changed nothing."""
    asked = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, offsets)])
    try:
        done: ConsumerGroupTopicPartitions = asked[group].result(GROUP_GONE_S)
    except KafkaException as error:
        return error
    errors = [place.error for place in done.topic_partitions or () if place.error is not None]
    return KafkaException(errors[0]) if errors else None
