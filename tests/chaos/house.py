"""Everything that a run consists of, started and stopped: services, wires, the shop's files, workers."""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.broker import Broker
from tests.chaos.database import Database
from tests.chaos.history import History
from tests.chaos.plan import Plan
from tests.chaos.processes import ChaosWorker, Nursery
from tests.chaos.shop import Shop
from tests.chaos.wire import Wire
from worker.cli.migrate import migrate_all
from worker.settings import Settings

PARTITIONS = 4

LEASE_S = 6.0
"""Short, so that what a dead worker held is soon taken up: in a run somebody dies every second."""

IN_FLIGHT = 100
"""What a worker holds must be done within its lease, on a loaded machine too, or the others take it up meanwhile."""

WORKER_SETTINGS = {
    "LEASE_S": str(LEASE_S),
    "PAYMENTS_TIME_LIMIT_S": "1.5",
    "POLL_S": "0.2",
    "RELAY_GRACE_S": "1",
    "EARLY_DECISION_WAIT_S": "10",
    "SHUTDOWN_S": "5",
    "BATCH": "50",
    "IN_FLIGHT": str(IN_FLIGHT),
    "LOG_LEVEL": "INFO",
    "REVIEWERS": "register",
    "PAYMENTS": "http",
}


class PaymentService:
    """The payment provider of the tests as a process of its own, on one port for all its starts."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.wire = Wire()
        self._folder = folder
        self._plan = plan
        self._process: asyncio.subprocess.Process | None = None
        self.token = ""

    async def start(self) -> None:
        with (self._folder / "payments.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.stack.payment_provider", "--port", str(self.wire.target)),
                *("--journal", str(self._folder / "payments.jsonl"), "--seed", str(self._plan.seed)),
                *("--fault-rate", str(self._plan.payment_faults)),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        told = json.loads(await self._process.stdout.readline())
        self.wire.target = int(told["address"].rpartition(":")[2])
        self.token = told["token"]

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def heal(self) -> None:
        """Runs, and does no more harm."""
        self._plan = self._plan.without_payment_faults()
        self.wire.heal()
        await self.kill()
        await self.start()


class House:
    """`async with House(plan, folder) as house`: all of it runs; the workers are to be started."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.prefix = f"chaos-{plan.seed}-"
        self.history = History(folder / "history" / "harness.jsonl")
        self.broker = Broker(folder / "kafka", wires=plan.workers)
        self.database = Database(folder / "postgres", wires=plan.workers)
        self.payments = PaymentService(folder, plan)
        self.shop = Shop(folder)
        self.workers: list[ChaosWorker] = []
        self._open = contextlib.AsyncExitStack()

    @property
    def group(self) -> str:
        return f"{self.prefix}signoff"

    @property
    def input_topics(self) -> tuple[str, str]:
        return f"{self.prefix}order-exceptions", f"{self.prefix}review-decisions"

    def wire(self, name: str, dice: random.Random) -> Wire:
        """`kafka`, `database` or `payments`: the way of one worker to it."""
        if name == "payments":
            return self.payments.wire
        wires: tuple[Wire, ...] = self.broker.wires if name == "kafka" else self.database.wires
        return dice.choice(wires)

    async def __aenter__(self) -> Self:
        (self.folder / "plan.json").write_text(json.dumps({**self.plan.as_json(), "topic_prefix": self.prefix}))
        try:
            await self._start()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()
        self.history.close()

    async def heal(self) -> None:
        """Nothing goes wrong any more."""
        await self.broker.heal()
        await self.database.heal()
        await self.payments.heal()
        self.shop.effects_heal()
        for worker in self.workers:
            worker.set_clock(0)
        self.history.tell("healed")

    def ask_tasks(self) -> None:
        for worker in self.workers:
            worker.send(signal.SIGUSR1)

    async def _start(self) -> None:
        nursery = Nursery(self.folder)
        await self._open.enter_async_context(self.payments.wire)
        self._open.push_async_callback(self.payments.kill)
        await asyncio.gather(
            self._open.enter_async_context(self.broker),
            self._open.enter_async_context(self.database),
            self.payments.start(),
            nursery.open(),
        )
        self._open.push_async_callback(nursery.close)
        await migrate_all(
            Settings(
                kafka_bootstrap_servers=self.broker.direct,
                database_url=self.database.direct,
                topic_prefix=self.prefix,
                topic_partitions=PARTITIONS,
            )
        )
        self.shop.write_truth(self.folder)
        await self.shop.furnish(self.database.direct)
        self.shop.effects_fail(before=self.plan.effect_faults / 2, after=self.plan.effect_faults / 2)
        for number in range(self.plan.workers):
            worker = ChaosWorker(f"w{number}", self._environment(number), nursery, self.history, self.folder)
            self.workers.append(worker)

    def _environment(self, number: int) -> dict[str, str]:
        settings = {
            **WORKER_SETTINGS,
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap(number),
            "DATABASE_URL": self.database.url(number),
            "TOPIC_PREFIX": self.prefix,
            "WORKER_ID": f"w{number}",
            "PAYMENTS_URL": f"http://127.0.0.1:{self.payments.wire.port}",
            "PAYMENTS_TOKEN": self.payments.token,
            "POLICY_FILE": str(self.shop.policy_file),
            "EXECUTORS_FILE": str(self.shop.executors_file),
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SIGNOFF_")}
        return {**ours, **self.shop.environment, **{f"SIGNOFF_{name}": value for name, value in settings.items()}}
