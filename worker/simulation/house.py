"""A house on a clock of its own: traffic comes in, people answer when they have time, deadlines fall due."""

import heapq
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from schemas.catalogue import APPROVALS, ORDER_EXCEPTIONS, REVIEW_DECISIONS
from worker.adapters.analysis.rules import RuleAnalyst
from worker.adapters.executors.registry import Registry
from worker.adapters.memory.clock import SetClock
from worker.adapters.memory.database import MemoryDatabase
from worker.adapters.memory.inbox import MemoryInbox
from worker.adapters.memory.orders import MemoryOrders
from worker.adapters.memory.payments import MemoryBooks, MemoryPayments
from worker.adapters.memory.store import MemoryStore
from worker.adapters.memory.threads import MemoryCheckpointer
from worker.application.assess_case import assessor
from worker.application.casework import Casework
from worker.application.ports import Ports
from worker.domain.approval_policy import ApprovalPolicy
from worker.graph.build import GRAPH_VERSION
from worker.graph.state import Dependencies
from worker.graph.workflow import Workflow
from worker.simulation.staff import Team
from worker.simulation.traffic import Arrival
from worker.translation.inbound import Record
from worker.translation.outbound import Announcer

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)

Happening = tuple[datetime, int, Callable[[], Record | None]]


@dataclass(slots=True)
class Person:
    """`free_at` is when their answer to the last question that they took is given; `busy` their time spent."""

    id: str
    role: str
    team: Team
    free_at: datetime
    busy: timedelta = timedelta()
    signed: set[str] = field(default_factory=set)

    def answers_at(self, now: datetime) -> datetime:
        return self.team.hours.after(max(now, self.free_at), self.team.handling)


class House:
    """`seed` decides which answers are approvals; all else follows from traffic, policy and staff."""

    def __init__(
        self, policy: ApprovalPolicy, staff: Mapping[str, Team], traffic: Sequence[Arrival], seed: int
    ) -> None:
        self.clock = SetClock(traffic[0].at)
        self.database = MemoryDatabase(self.clock)
        self.people = [
            Person(f"user:{role}-{number}", role, team, traffic[0].at)
            for role, team in staff.items()
            for number in range(1, team.people + 1)
        ]
        self._random = random.Random(seed)  # noqa: S311 - answers, not secrets
        ids = (UUID(int=number) for number in count(1))
        announcer = Announcer(lambda: next(ids))
        checkpointer = MemoryCheckpointer()
        self._inbox = MemoryInbox(self.database, announcer, worker="simulated", lease=LEASE)
        self._casework = Casework(
            Ports(
                store=MemoryStore(self.database, announcer, lease=LEASE),
                orders=MemoryOrders({}, {}),
                payments=MemoryPayments(),
                books=MemoryBooks(),
                executors=Registry(),
                analyst=RuleAnalyst(),
                workflow=Workflow(checkpointer, checkpointer, Dependencies(assess=assessor(policy))),
                policy=policy,
                graph_version=GRAPH_VERSION,
                new_id=lambda: next(ids),
                monotonic=self.clock.monotonic,
            )
        )
        self._order, self._offsets, self._read = count(), count(), 0
        self._happenings: list[Happening] = []
        for arrival in traffic:
            self._at(arrival.at, lambda event=arrival.event: self._record(ORDER_EXCEPTIONS.name, event))  # type: ignore[misc]

    async def run(self) -> None:
        """Until nothing is left to happen: every case has ended."""
        while self._happenings:
            at, _, happens = heapq.heappop(self._happenings)
            self.clock.advance(max(timedelta(), at - self.clock()).total_seconds())
            record = happens()
            if record is not None:
                for work in await self._inbox.receive([record]):
                    await self._casework.deliver(work.delivery)
            for approval_id in await self._inbox.due_approvals(1_000):
                await self._casework.act_on_timer(approval_id)
            self._hand_out()

    def _at(self, moment: datetime, happens: Callable[[], Record | None]) -> None:
        heapq.heappush(self._happenings, (moment, next(self._order), happens))

    def _hand_out(self) -> None:
        """What is asked anew goes to as many of the role as must sign: to those whose answer comes first."""
        said = [message for message in self.database.outbox[self._read :] if message.topic == APPROVALS.name]
        self._read = len(self.database.outbox)
        for message in said:
            event = json.loads(message.payload)
            if "review_hash" in event:
                self._ask(event)
            for timer in self.database.approvals[UUID(event["approval_id"])].approval.timers:
                self._at(timer.at + SECOND, lambda: None)

    def _ask(self, question: dict[str, Any]) -> None:
        case_id, now = question["case_id"], self.clock()
        able = [one for one in self.people if one.role == question["role"] and case_id not in one.signed]
        for person in sorted(able, key=lambda one: one.answers_at(now))[: question["quorum"]]:
            done = person.answers_at(now)
            person.free_at, person.busy = done, person.busy + person.team.handling
            person.signed.add(case_id)
            verdict = "approve" if self._random.random() < person.team.approves else "reject"
            self._at(done, lambda who=person, verdict=verdict: self._answer(question, who, verdict))  # type: ignore[misc]

    def _answer(self, question: dict[str, Any], person: Person, verdict: str) -> Record:
        decision = {
            "decision_id": f"{question['approval_id']}:{person.id}",
            "approval_id": question["approval_id"],
            "verdict": verdict,
            "reviewer": {"id": person.id, "roles": [person.role]},
        }
        return self._record(REVIEW_DECISIONS.name, decision)

    def _record(self, topic: str, event: dict[str, Any]) -> Record:
        return Record(topic, 0, next(self._offsets), None, json.dumps(event).encode(), ())


async def simulate(
    policy: ApprovalPolicy, staff: Mapping[str, Team], traffic: Sequence[Arrival], *, seed: int = 1
) -> House:
    """The house after all of the traffic has come to its end."""
    house = House(policy, staff, traffic, seed)
    await house.run()
    return house
