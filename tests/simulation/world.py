"""A house in which a seed decides everything: what people send and when, who dies, what the provider does."""

import asyncio
import heapq
import json
import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from schemas.catalogue import ORDER_EXCEPTIONS
from tests.builders import Event, a_record, an_order, numbered_ids, usd
from tests.simulation.kernel import Turns, settled
from tests.simulation.people import Crowd
from tests.simulation.processes import SimulatedWorker, Topic
from tests.unit.application import invariants
from tests.unit.application.desk import LEASE, Desk
from worker.adapters.memory.executors import Mishap
from worker.adapters.memory.payments import Fault, MemoryBooks
from worker.application.ports.executors import OnUnknown
from worker.domain.exception_case import CaseState
from worker.translation.outbound import Announcer

DAY_S = 86_400.0
FAULTS = ("crashes", "payments", "executors", "shop", "clock", "replays", "rewinds")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of. `cases` are raised over `days`; `faults` are those that may happen."""

    seed: int
    cases: int = 12
    workers: int = 2
    days: float = 3.0
    faults: tuple[str, ...] = FAULTS

    def __str__(self) -> str:
        return f"--seed {self.seed} --cases {self.cases} --workers {self.workers} --faults {','.join(self.faults)}"


class World:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)  # noqa: S311 - a schedule, not a secret
        self.desk = Desk()
        self.desk.orders.orders = {"ORD-1": an_order(usd(20_000)), "ORD-2": an_order(usd(9_000))}
        self.desk.executors.names |= {"send_email": OnUnknown.ASK, "add_note": OnUnknown.LOOK_UP}
        if self.random.random() < 0.5:
            self.desk.work_with(books=MemoryBooks())
        self.topic = Topic()
        self.turns = Turns(self.random)
        self.met: Counter[str] = Counter()
        self.outcomes: invariants.Outcomes = {}
        self._starts = count(1)
        self._timeline: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._ids = numbered_ids(10**9)
        self.workers = [self._worker(f"w{number}") for number in range(plan.workers)]
        self.crowd = Crowd(self)

    # What happens when

    @property
    def now(self) -> float:
        """Seconds since the beginning of time."""
        return self.desk.clock.monotonic()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._timeline, (self.now + seconds, next(self._order), do))

    def publish(self, event: Event, topic: str = ORDER_EXCEPTIONS.name, kind: str | None = None) -> None:
        """Somebody's event reaches the topic, now and perhaps once more."""
        record = a_record(event, topic, kind)
        self.topic.append(record)
        if self._strikes("replays", 0.1):
            self.after(self.random.uniform(0, 600), lambda: self.topic.append(record))

    async def run(self) -> None:
        """The trouble, and then the peace after it; the invariants hold all along. Raises AssertionError."""
        for number in range(self.plan.cases):
            at = self.random.uniform(0, self.plan.days * DAY_S)
            self.after(at, lambda number=number: self.crowd.raise_something(number))  # type: ignore[misc]
        end = self.now + self.plan.days * DAY_S
        while self.now < end:
            await self._step()
        await self._heal()

    async def _step(self) -> None:
        await settled()
        self.crowd.look()
        if self.turns.waiting and self.random.random() < 0.97:
            self.turns.give_one()
        elif not self.turns.waiting or self.random.random() < 0.3:
            self._let_time_pass()
        await self._make_trouble()
        if self.random.random() < 0.05:
            self.check()

    def _let_time_pass(self) -> None:
        """To whatever comes next, or a little."""
        step = self.random.choice([0.2, 1.0, 5.0, 60.0])
        if self._timeline and not self.turns.waiting and all(worker.is_idle for worker in self.workers):
            step = max(step, min(self._timeline[0][0] - self.now, 3_600.0))
        self.desk.clock.advance(step)
        while self._timeline and self._timeline[0][0] <= self.now:
            heapq.heappop(self._timeline)[2]()
        for worker in self.workers:
            worker.consume(self.topic)
            worker.look_for_due_work()

    # Trouble

    def _strikes(self, fault: str, chance: float) -> bool:
        struck = fault in self.plan.faults and self.random.random() < chance
        self.met[fault] += struck
        return struck

    async def _make_trouble(self) -> None:
        if self._strikes("crashes", 0.004):
            await self._kill(self.random.randrange(len(self.workers)))
        if self._strikes("payments", 0.02):
            self.desk.payments.faults.append(self.random.choice(list(Fault)))
        if self._strikes("payments", 0.004):
            self.desk.payments.blind = not self.desk.payments.blind
        if self._strikes("executors", 0.02):
            self.desk.executors.mishaps.append(self.random.choice(list(Mishap)))
        if self._strikes("shop", 0.004):
            self.desk.orders.problem = None if self.desk.orders.problem else "the shop is closed"
        if self._strikes("clock", 0.001):
            self.desk.clock.advance(self.random.choice([30.0, 3_600.0, DAY_S]))
        if self._strikes("rewinds", 0.002):
            self.topic.committed = 0
            self.random.choice(self.workers).rewind()

    async def _kill(self, index: int) -> None:
        """Between two turns: what it had asked of the store or the provider has happened, or it has not."""
        dead = self.workers[index]
        self.met["killed at work"] += not dead.is_idle
        await dead.die()
        self.workers[index] = self._worker(dead.name)

    def _worker(self, name: str) -> SimulatedWorker:
        announcer = Announcer(lambda: next(self._ids))
        process = f"{name}.{next(self._starts)}"
        return SimulatedWorker(process, self.desk.ports, self.desk.database, announcer, self.turns, LEASE)

    async def _heal(self) -> None:
        """Nothing goes wrong any more, and nobody answers: everything must come to its end within 30 days."""
        self.desk.payments.faults.clear()
        self.desk.executors.mishaps.clear()
        self.desk.payments.blind = self.desk.executors.away = False
        self.desk.orders.problem = None
        self.crowd.go_home()
        for _ in range(60):
            for _ in range(4):
                self.desk.clock.advance(1.0)
                await self._work_off()
            self.desk.clock.advance(DAY_S / 2)
        self.check()
        self._check_the_end()

    async def _work_off(self) -> None:
        for worker in self.workers:
            worker.consume(self.topic)
            worker.look_for_due_work()
        await settled()
        while self.turns.waiting:
            self.turns.give_one()
            await settled()

    # What must hold

    def check(self) -> None:
        for holds in invariants.ALL:
            holds(self.desk, self.outcomes)

    def _check_the_end(self) -> None:
        """1, 2, 4: every record has led to something, and nothing is left that does not end."""
        database = self.desk.database
        assert {place[2] for place in database.received} | {place[2] for place in database.dead_letters} == set(
            range(len(self.topic.records))
        )
        assert [row for row in database.inbox.values() if not row.is_finished] == []
        assert [case for case in invariants.all_cases(self.desk) if not case.state.is_terminal] == []
        assert [row for row in database.intents.values() if not row.is_finished] == []

    @property
    def digest(self) -> str:
        """Of all that was said, in order: the same seed says the same."""
        said = [(message.topic, json.loads(message.payload)) for message in self.desk.database.outbox]
        return json.dumps(said, sort_keys=True)

    def count_what_was_met(self) -> None:
        for case in invariants.all_cases(self.desk):
            self.met[f"ended {case.state}"] += 1
            self.met["paid"] += case.payment_reference is not None and case.state is CaseState.EXECUTED
        for receipt in self.desk.receipts():
            self.met[f"receipt {receipt['code']}"] += 1
        self.met["actions ran"] += len(self.desk.executors.effects)


def simulate(plan: Plan) -> World:
    """Runs a plan to its end. Raises AssertionError for an invariant that does not hold, and for a defect that the
    worker only logs."""
    world, defects = World(plan), _Defects()
    log = logging.getLogger("worker")
    log.addHandler(defects)
    try:
        asyncio.run(world.run())
    finally:
        log.removeHandler(defects)
    assert defects.told == []
    world.count_what_was_met()
    return world


class _Defects(logging.Handler):
    """What nobody foresaw is logged with its traceback, and the worker goes on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.told.append(f"{record.getMessage()}: {record.exc_info[1]!r}")
