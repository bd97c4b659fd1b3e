"""A world in which a seed decides everything: what people send and when, who dies, what the provider does.

First there is trouble, then there is peace: nothing goes wrong any more, nobody answers, and all that is unfinished
must come to its end within a bound of virtual time. What must hold is judged at each step from what the step changed.
"""

import asyncio
import heapq
import json
import logging
import random
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import cast

from schemas.catalogue import APPROVALS
from schemas.cloudevents import Header
from schemas.values import Action
from tests.builders import Event, numbered_ids
from tests.simulation.findings import Findings
from tests.simulation.houses import choose_house, with_counterparts
from tests.simulation.kafka import Cluster, StoredRecord
from tests.simulation.kernel import Turns, VirtualLoop
from tests.simulation.outbox_tables import AdvisoryLock
from tests.simulation.peace import Peace
from tests.simulation.plan import FAULTS, Plan
from tests.simulation.processes import LEASE, RELAY_GRACE, SimulatedWorker
from tests.simulation.provider import Provider
from tests.simulation.sequence import OutboxSequence
from tests.simulation.trouble import DAY_S, Trouble
from tests.simulation.witness_of_cases import CasesWitness
from tests.simulation.witness_of_effects import EffectsWitness
from tests.simulation.witness_of_leases import LeasesWitness
from tests.simulation.witness_of_topics import TopicsWitness
from tests.unit.application import invariants
from worker.adapters.memory.database import OutboxRow
from worker.adapters.memory.people import Register
from worker.application.unit_of_work import UnitOfWork
from worker.domain.exception_case import CaseState
from worker.domain.intent import IntentState
from worker.domain.reviewers import person_key
from worker.translation.outbound import Announcer

__all__ = ["FAULTS", "Plan", "World", "simulate"]

DAWN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LONGEST_NAP_S = 6 * 3_600.0
TOGETHER = 0.3
"""Share of the cases that are raised at the moment of the one before."""
CHECKS = 0.024
"""How often everything is looked at, and not only what changed: this share of the steps that come with a case."""


class World:
    SESSION_S = 45.0
    """A member of the consumer group that is silent for longer loses its partitions."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)  # noqa: S311 - a schedule, not a secret
        self.met: Counter[str] = Counter()
        self.findings = Findings()
        self.steps = 0
        self.turns = Turns(self.random)
        self.cluster = Cluster(self.random, self._published)
        self.relay_lock = AdvisoryLock()
        self.house = choose_house(self.random, self, plan.cases)
        self.trouble = Trouble(self, self.random)
        with_counterparts(self.house, self._moved, self._ran, self.trouble.settles_later)
        desk = self.house.desk
        self.provider = cast(Provider, desk.payments)
        self.database, self.ports = desk.database, desk.ports
        self.database.outbox_ids = OutboxSequence(self.random).next_ids
        people = self.house.register
        self.register: Register | None = (
            None if people is None else {person_key(person.id): person for person in people}
        )
        self.cases = CasesWitness(self.database)
        self.effects = EffectsWitness(self.database, self.provider, desk.executors)
        self.topics = TopicsWitness()
        self.leases = LeasesWitness(LEASE.total_seconds())
        ids = numbered_ids(10**9)
        self.announcer = Announcer(lambda: next(ids))
        self.now = 0.0
        self.timeline: list[tuple[float, int, Callable[[], None]]] = []
        self._starts, self._order = count(1), count()
        self._has_ids = self.random.random() < 0.5
        self.peace: Peace | None = None
        self._over: asyncio.Future[None] | None = None
        self.workers: list[SimulatedWorker] = []

    async def run(self) -> None:
        """Raises AssertionError when something does not hold."""
        self._over = asyncio.get_running_loop().create_future()
        for number in range(self.plan.workers):
            self._start(f"w{number}")
        at = 0.0
        for number in range(self.plan.cases):
            if self.random.random() > TOGETHER:
                at = self.random.uniform(0, self.plan.days * DAY_S * 0.8)
            self.after(at, lambda number=number: self.house.crowd.raise_something(number))  # type: ignore[misc]
        try:
            await self._over
        finally:
            self._over = None
            for worker in self.workers:
                worker.die()

    # Time

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.timeline, (self.now + seconds, next(self._order), do))

    def advance(self, seconds: float) -> None:
        """`now` is in seconds since the beginning."""
        self.now += seconds
        self.house.desk.clock.advance(seconds)
        while self.timeline and self.timeline[0][0] <= self.now:
            heapq.heappop(self.timeline)[2]()

    def step(self) -> None:
        """Nobody goes on by themselves: one gets a turn, or time goes by; and perhaps something goes wrong."""
        if self._over is None or self._over.done():
            return
        self.steps += 1
        if self.findings.first is not None:
            self._over.set_exception(self.findings.first)
            return
        waiting, luck = bool(self.turns.waiting), self.random.random()
        if self.peace is not None and not waiting:
            self._bring_to_an_end(self.peace)
        if waiting and luck < 0.97:
            self.turns.give_one()
        else:
            self._let_time_pass(is_idle=not waiting)
        if self.peace is not None:
            return
        if self.now > self.plan.days * DAY_S:
            self.peace = Peace(self)
        elif luck * 100 % 1 < self.plan.trouble:
            self.trouble.strike()
        elif self.random.random() < CHECKS / self.plan.cases:
            self.findings.judge(self.house.check)

    def _bring_to_an_end(self, peace: Peace) -> None:
        assert self._over is not None
        if not any(worker.is_at_work for worker in self.workers):
            self.findings.judge(peace.look)
            if peace.is_over:
                self._over.set_result(None)

    def _let_time_pass(self, *, is_idle: bool) -> None:
        """A little; or, when all sleep, to whatever comes next."""
        if not is_idle:
            self.advance(0.0 if self.peace else self.random.choice([0.2, 1.0, 5.0, 60.0]))
            return
        nap = min(self._next_due(), LONGEST_NAP_S)
        if self.timeline:
            nap = min(nap, self.timeline[0][0] - self.now)
        self.advance(max(nap, self.random.choice([0.2, 1.0, 2.0])))

    def _next_due(self) -> float:
        """Seconds until somebody may find something to do in the store."""
        database = self.database
        if self.trouble.database_is_down:
            return LONGEST_NAP_S
        due = [row.available_at for row in database.unfinished.values()]
        due += [row.available_at for row in database.questions.values()]
        due += [row.available_at for row in database.intents.values() if not row.is_finished]
        if not self.cluster.is_away:
            due += [row.created_at + RELAY_GRACE for row in database.unsent.values()]
        return (min(due) - database.clock()).total_seconds() if due else LONGEST_NAP_S

    # What people and faults do

    def publish(self, event: Event, topic: str, kind: str | None = None) -> None:
        """Somebody's event reaches its topic, now and perhaps once more, perhaps elsewhere."""
        attributes = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/test", "ce_type": kind} if kind else {}
        headers = [(name, text.encode()) for name, text in attributes.items()]
        key = str(event.get("order_id") or event.get("exception_id") or event.get("approval_id")).encode()
        value = json.dumps(event).encode()
        self.cluster.append(topic, key, value, headers)
        if "replays" in self.plan.faults and self.random.random() < 0.1 and not self.peace:
            other = key if self.random.random() < 0.5 else b"another key"
            self.met["replays"] += 1
            self.after(self.random.uniform(0, 600), lambda: self._append(topic, other, value, headers))

    def spoil(self, topic: str, value: bytes) -> None:
        self.met["poison"] += 1
        self.cluster.append(topic, b"somewhere", value)

    def _append(self, topic: str, key: bytes, value: bytes, headers: Sequence[Header]) -> None:
        self.cluster.append(topic, key, value, headers)

    def kill(self, worker: SimulatedWorker) -> None:
        """Between two turns: what it had asked of the store or the provider has happened, or it has not. Another is
        started in its place, some time later."""
        if worker not in self.workers:
            return
        self.workers.remove(worker)
        worker.die()
        if self._has_ids:
            self.leases.died(worker.name)
        self.relay_lock.break_connection()
        base = worker.name.split(".")[0]
        self.after(self.SESSION_S, lambda: self.cluster.leave(worker.name))
        if self.workers:
            self.after(self.random.choice([0.0, 1.0, 20.0, 200.0]), lambda: self._start(base))
        else:
            self._start(base)

    def _start(self, base: str) -> None:
        name = f"{base}.{next(self._starts)}"
        skew = timedelta(seconds=self.random.choice([0.0, -3.0, 90.0, -7_200.0, 86_400.0]))
        worker = SimulatedWorker(name, self, id=base if self._has_ids else None, skew=skew)
        self.workers.append(worker)
        worker.start()

    # What the processes ask and tell

    def database_is_down(self) -> bool:
        return self.trouble.database_is_down

    def loses_answer(self) -> bool:
        return self.trouble.loses_answer()

    def refuses_record(self, process: str) -> bool:
        """A producer that was refused is beyond repair: somebody starts its worker again."""
        refused = self.trouble.refuses_record()
        if refused:
            self.after(self.random.uniform(1, 600), lambda: self._replace(process))
        return refused

    def _replace(self, process: str) -> None:
        for worker in self.workers:
            if worker.name == process:
                self.kill(worker)
                return

    def given(self, process: str, kind: str, names: Sequence[object]) -> None:
        self.findings.judge(lambda: self.leases.given(process, [(kind, name) for name in names], self.database.clock()))

    def calls(self, process: str, idempotency_key: str) -> None:
        intent, _, _ = idempotency_key.rpartition(":")
        self.findings.judge(lambda: self.leases.calls(process, intent, self.database.clock()))

    def committed(self, process: str, unit: UnitOfWork, looked_at: datetime) -> None:
        judge = self.findings.judge
        judge(lambda: self.leases.committed(process, unit, self.database.clock()))
        judge(lambda: self.cases.committed(unit, looked_at))
        judge(lambda: self.effects.committed(unit))
        judge(lambda: self.house.look(looked_at))
        if unit.intent is not None and unit.intent.state is IntentState.PENDING:
            self.trouble.befalls_promise(process)
        case = unit.case
        if case is not None and case.state is CaseState.STUCK:
            wait = 1.0 if self.peace else self.random.uniform(60, DAY_S)
            self.after(wait, lambda: self.house.crowd.recover(case.exception.exception_id))

    def announced(self, rows: Sequence[OutboxRow]) -> None:
        self.findings.judge(lambda: self.cases.announced(rows))
        self.findings.judge(lambda: self.topics.announced(rows))

    def marked(self, rows: Sequence[OutboxRow]) -> None:
        self.findings.judge(lambda: self.topics.marked(rows))

    def failed(self, error: BaseException) -> None:
        told = "".join(traceback.format_exception(error))
        self.findings.first = self.findings.first or AssertionError(f"a loop of a worker ended: {told}")

    def _published(self, record: StoredRecord) -> None:
        self.findings.judge(lambda: self.topics.published(record))
        if record.topic == APPROVALS.name:
            event: Event = json.loads(record.value or b"")
            self.house.crowd.reads(record.event_id, event)

    def _moved(self) -> None:
        self.findings.judge(self.effects.moved)

    def _ran(self, key: str, action: Action) -> None:
        self.findings.judge(lambda: self.effects.ran(key, action))

    # What came of it

    @property
    def digest(self) -> str:
        """Of all that was said, in order: the same seed says the same."""
        said = [(message.topic, json.loads(message.payload)) for message in self.database.outbox]
        return json.dumps(said, sort_keys=True)

    def count_what_was_met(self) -> None:
        for case in invariants.all_cases(self.house.desk):
            self.met[f"ended {case.state}"] += 1
            self.met["paid"] += case.payment_reference is not None and case.state is CaseState.EXECUTED
        for receipt in self.house.desk.receipts():
            self.met[f"receipt {receipt['code']}"] += 1
        self.met["actions ran"] += len(self.house.desk.executors.effects)
        self.met[f"house: {type(self.house).__name__.lower()}"] += 1


def simulate(plan: Plan) -> World:
    """Runs a plan to its end. Raises AssertionError for an invariant that does not hold, and for a defect that the
    worker only logs."""
    world = World(plan)
    defects = _Defects(world.findings)
    log = logging.getLogger("worker")
    log.addHandler(defects)
    try:
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(lambda: world.now, world.step)) as runner:
            runner.run(world.run())
    finally:
        log.removeHandler(defects)
    if world.findings.first is not None:
        raise world.findings.first
    world.count_what_was_met()
    return world


class _Defects(logging.Handler):
    """What nobody foresaw is logged with its traceback, and the worker goes on, perhaps to the same again and again.
    The world need not."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.ERROR)
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._findings.judge(partial(_no_defect_is_logged, f"{record.getMessage()}: {record.exc_info[1]!r}"))


def _no_defect_is_logged(told: str) -> None:
    raise AssertionError(told)
