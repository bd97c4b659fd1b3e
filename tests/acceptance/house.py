"""A house in which Signoff runs: its workers as real processes, and its people at the ends of the topics.

Whatever a test waits for is an event or the end of a process, and every wait has an end.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from psycopg.rows import dict_row

from tests.acceptance.people import Reviewer
from tests.commands import signoff_beside
from worker.settings import Settings

PATIENCE_S = 40.0

POLICIES = Path(__file__).parent / "policies"

OUTPUTS = ("approvals", "decision-receipts", "order-outcomes", "dead-letters")

Event = dict[str, Any]


class House:
    """`raise_exception`, `decide` and the `outcome_of` that follows; `start_worker` and what kills it."""

    def __init__(self, kafka: str, database: str, prefix: str, folder: Path) -> None:
        self.kafka, self.database, self.prefix = kafka, database, prefix
        self.events: dict[str, list[Event]] = {topic: [] for topic in OUTPUTS}
        self.environment: dict[str, str] = {}
        """Of the workers that are started from now on, besides the settings."""
        self._folder = folder
        self._workers: list[asyncio.subprocess.Process] = []
        self._arrived = asyncio.Event()

    async def open(self) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=self.kafka)
        await self._producer.start()
        self._consumer = AIOKafkaConsumer(
            *(self.prefix + topic for topic in OUTPUTS),
            bootstrap_servers=self.kafka,
            auto_offset_reset="earliest",
        )
        await self._consumer.start()
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        for worker in self._workers:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._consumer.stop()
        await self._producer.stop()

    async def start_worker(self, name: str = "w1", **settings: str) -> asyncio.subprocess.Process:
        """The installed `signoff run`. `settings` are environment variables without their prefix."""
        environment = {
            **self.environment,
            **{key: value for key, value in os.environ.items() if not key.startswith("SIGNOFF_")},
            "SIGNOFF_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "SIGNOFF_DATABASE_URL": self.database,
            "SIGNOFF_TOPIC_PREFIX": self.prefix,
            "SIGNOFF_WORKER_ID": name,
            "SIGNOFF_LEASE_S": "3",
            "SIGNOFF_POLL_S": "0.1",
            "SIGNOFF_RELAY_GRACE_S": "1",
            **{f"SIGNOFF_{key.upper()}": value for key, value in settings.items()},
        }
        with (self._folder / f"{name}.log").open("ab") as log:
            worker = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).parent / "signoff"), "run", env=environment, stderr=log, stdout=log
            )
        self._workers.append(worker)
        return worker

    async def start_doomed_worker(self, failpoint: str, **settings: str) -> asyncio.subprocess.Process:
        """A worker that kills itself when it first reaches the failpoint."""
        return await self.start_worker(failpoints=f"{failpoint}=1", allow_failpoints="true", **settings)

    @property
    def kafka_port(self) -> int:
        return int(self.kafka.rpartition(":")[2])

    @property
    def database_port(self) -> int:
        port = urlsplit(self.database).port
        assert port is not None
        return port

    async def log_says(self, words: str, name: str = "w1") -> None:
        """A log line is a signal that comes by no wire: it is looked for."""
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.log_of(name):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def log_of(self, name: str = "w1") -> str:
        return (self._folder / f"{name}.log").read_text()

    async def raise_exception(self, exception_id: str, amount_minor: int = 5_000, **fields: Any) -> None:
        await self.send("order-exceptions", refund(exception_id, amount_minor, **fields))

    async def decide(self, decision_id: str, verdict: str = "approve", **fields: Any) -> None:
        decision = {
            "decision_id": decision_id,
            "verdict": verdict,
            "reviewer": {"id": "user:maria", "roles": ["manager"]},
            **fields,
        }
        await self.send("review-decisions", decision)

    async def says(self, who: Reviewer, verdict: str, about: str, **fields: Any) -> Event:
        """A reviewer answers what an exception asks now, and reads the receipt."""
        decision_id = str(uuid4())
        await self.decide(decision_id, verdict, reviewer=who, exception_id=about, **fields)
        return await self.receipt_of(decision_id)

    async def commands(self, who: Reviewer, command: str, about: str, **fields: Any) -> Event:
        """A reviewer claims, releases or hands over what an exception asks now, and reads the receipt."""
        sent = {"command_id": str(uuid4()), "exception_id": about, "command": command, "by": who, **fields}
        await self.send("review-decisions", sent)
        return await self.receipt_of(sent["command_id"])

    async def run(self, *arguments: str) -> str:
        """A `signoff` command that must succeed; what it printed."""
        settings = Settings(kafka_bootstrap_servers=self.kafka, database_url=self.database, topic_prefix=self.prefix)
        ran = await signoff_beside(settings, *arguments)
        assert ran.code == 0, ran.out + ran.err
        return ran.out

    async def check_audit_trail(self) -> None:
        """Nobody rewrote what people did."""
        await self.run("audit", "verify")

    def shop_says(self, order_id: str, captured_minor: int, status: str) -> None:
        """What the shop knows of an order from now on."""
        order = {"captured": {"amount_minor": captured_minor, "currency": "USD"}, "status": status}
        with psycopg.connect(self.database) as connection:
            connection.execute(
                "insert into orders values (%s, %s) on conflict (order_id) do update set body = excluded.body",
                (order_id, json.dumps(order)),
            )

    async def send(self, topic: str, value: Event | bytes, headers: Any = None) -> None:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        await self._producer.send_and_wait(self.prefix + topic, raw, key=_key(value), headers=headers)

    async def approval_of(self, exception_id: str) -> Event:
        return await self.find("approvals", lambda event: event["exception_id"] == exception_id)

    async def question(self, exception_id: str, level: str, **shown: Any) -> Event:
        """What the level was asked about the exception; `shown` are fields that tell one question from another."""
        return await self.find(
            "approvals",
            lambda event: (
                "review_hash" in event
                and (event["exception_id"], event["level"]["name"]) == (exception_id, level)
                and all(event[name] == value for name, value in shown.items())
            ),
        )

    async def update_of(self, exception_id: str, change: str) -> Event:
        """What open screens are told."""
        return await self.find(
            "approvals", lambda event: (event["exception_id"], event.get("change")) == (exception_id, change)
        )

    async def outcome_of(self, exception_id: str) -> Event:
        return await self.find("order-outcomes", lambda event: event["exception_id"] == exception_id)

    async def receipt_of(self, decision_id: str, code: str | None = None) -> Event:
        return await self.find(
            "decision-receipts",
            lambda event: event["decision_id"] == decision_id and code in (None, event["code"]),
        )

    async def find(self, topic: str, wanted: Callable[[Event], bool]) -> Event:
        """The first event of the topic that is wanted, now or later."""
        await self.until(lambda: any(wanted(event) for event in self.events[topic]), f"an event on {topic}")
        return next(event for event in self.events[topic] if wanted(event))

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            self._arrived.clear()
            left = deadline - time.monotonic()
            try:
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                seen = {topic: events[-3:] for topic, events in self.events.items()}
                logs = "\n".join(path.read_text()[-3000:] for path in self._folder.glob("*.log"))
                raise AssertionError(f"waited {PATIENCE_S} s for {what}; saw {seen}\n{logs}") from None

    def rows(self, query: str, *arguments: Any) -> list[Event]:
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), arguments or None).fetchall()

    def paid(self, exception_id: str) -> list[int]:
        """What was paid about the order of an exception, in minor units."""
        entries = self.rows("select amount_minor from ledger_entries where order_id = %s", f"ORD-{exception_id}")
        return [entry["amount_minor"] for entry in entries]

    async def _listen(self) -> None:
        async for record in self._consumer:
            event = json.loads(record.value)
            headers = {name: value.decode() for name, value in record.headers}
            self.events[record.topic.removeprefix(self.prefix)].append({**event, "_id": headers["ce_id"]})
            self._arrived.set()


def _key(value: Event | bytes) -> bytes:
    """Events of one order share a partition; those who decide need not know the order, nor each other."""
    known = value if isinstance(value, dict) else {}
    return str(known.get("order_id") or known.get("decision_id") or known.get("command_id") or "key").encode()


def refund(exception_id: str, amount_minor: int, **fields: Any) -> Event:
    return {
        "exception_id": exception_id,
        "kind": "refund",
        "order_id": f"ORD-{exception_id}",
        "customer_id": f"CUST-{exception_id}",
        "requested_by": "agent:web-chat",
        "reason": "arrived broken",
        "amount": {"amount_minor": amount_minor, "currency": "USD"},
        "order": {"captured": {"amount_minor": 90_000, "currency": "USD"}, "status": "delivered"},
        **fields,
    }


def signatures(outcome: Event) -> list[tuple[str, str, str]]:
    """Who decided: level, reviewer, verdict."""
    return [(one["level"], one["reviewer"], one["verdict"]) for one in outcome["decided_by"]]


async def died(worker: asyncio.subprocess.Process) -> None:
    """Waits until the worker has killed itself."""
    async with asyncio.timeout(PATIENCE_S):
        assert await worker.wait() == -signal.SIGKILL


async def kill(worker: asyncio.subprocess.Process) -> None:
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
