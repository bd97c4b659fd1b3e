"""The whole application on in-memory adapters: what people send goes in at the topics, and is read at the topics.

The graph is the real one. Whatever takes time happens when a test says that it does.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from schemas.catalogue import (
    APPROVALS,
    DEAD_LETTERS,
    DECISION_RECEIPTS,
    ORDER_EXCEPTIONS,
    ORDER_OUTCOMES,
    REVIEW_DECISIONS,
)
from schemas.events import ExceptionWithdrawn, PaymentFailed, RecoveryRequested
from schemas.values import Customer
from tests.builders import Event, a_record, an_order, numbered_ids
from worker.adapters.memory.analysis import MemoryAnalyst
from worker.adapters.memory.clock import SetClock
from worker.adapters.memory.database import MemoryDatabase
from worker.adapters.memory.executors import MemoryExecutors
from worker.adapters.memory.inbox import MemoryInbox
from worker.adapters.memory.orders import MemoryOrders
from worker.adapters.memory.payments import MemoryPayments
from worker.adapters.memory.store import MemoryStore
from worker.adapters.memory.threads import MemoryCheckpointer
from worker.adapters.policy.loading import load_policy
from worker.application.assess_case import assessor
from worker.application.casework import Casework
from worker.application.ports import Ports
from worker.domain.approval import ApprovalRequest
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case
from worker.domain.intent import Intent
from worker.domain.reviewers import Person, person_key
from worker.graph.build import GRAPH_VERSION
from worker.graph.state import Dependencies
from worker.graph.workflow import Workflow
from worker.translation.outbound import Announcer

LEASE = timedelta(seconds=30)
DEFAULT_POLICY = cache(load_policy)


class Desk:
    """ORD-1 was paid with 200.00 USD; CUST-1 is an ordinary customer. Without a policy of its own it works by the
    default one, without a `register` roles are believed as they are sent."""

    def __init__(self, policy: ApprovalPolicy | None = None, register: Sequence[Person] | None = None) -> None:
        policy = policy or DEFAULT_POLICY()
        self.clock = SetClock()
        self.database = MemoryDatabase(self.clock)
        self.orders = MemoryOrders({"ORD-1": an_order()}, {"CUST-1": Customer()})
        self.payments = MemoryPayments()
        self.executors = MemoryExecutors()
        self.analyst = MemoryAnalyst()
        ids = numbered_ids()
        announcer = Announcer(lambda: next(ids))
        people = None if register is None else {person_key(person.id): person for person in register}
        self.store = MemoryStore(self.database, announcer, lease=LEASE, register=people)
        self.inbox = MemoryInbox(self.database, announcer, worker="w1", lease=LEASE)
        checkpointer = MemoryCheckpointer()
        self.ports = Ports(
            store=self.store,
            orders=self.orders,
            payments=self.payments,
            executors=self.executors,
            analyst=self.analyst,
            workflow=Workflow(checkpointer, checkpointer, Dependencies(assess=assessor(policy))),
            policy=policy,
            graph_version=GRAPH_VERSION,
            new_id=lambda: next(ids),
            monotonic=self.clock.monotonic,
        )
        self.casework = Casework(self.ports)

    def work_with(self, **ports: Any) -> None:
        """From now on with other ports."""
        self.ports = replace(self.ports, **ports)
        self.casework = Casework(self.ports)

    # What people send

    async def raises(self, event: Event) -> None:
        await self._consume(ORDER_EXCEPTIONS.name, event)

    async def withdraws(self, exception_id: str = "EXC-1", requested_by: str = "agent:web-chat") -> None:
        event = {"exception_id": exception_id, "requested_by": requested_by}
        await self._consume(ORDER_EXCEPTIONS.name, event, ExceptionWithdrawn.TYPE)

    async def reports(self, event: Event) -> None:
        """What a payment provider says of a payment."""
        await self._consume(ORDER_EXCEPTIONS.name, event, PaymentFailed.TYPE)

    async def recovers(self, exception_id: str = "EXC-1", by: str = "user:ines", reason: str = "") -> Event:
        """An operator wants a stuck case to go on; returns the receipt."""
        event = {"recovery_id": str(uuid4()), "exception_id": exception_id, "requested_by": by, "reason": reason}
        await self._consume(ORDER_EXCEPTIONS.name, event, RecoveryRequested.TYPE)
        return self.receipt()

    async def decides(self, event: Event) -> None:
        await self._consume(REVIEW_DECISIONS.name, event)

    async def says(self, who: str, verdict: str = "approve", role: str | None = None, **fields: Any) -> Event:
        """A reviewer decides about EXC-1, in the role that is asked unless another is given; returns the receipt."""
        known = {"exception_id": "EXC-1", **fields}
        role = role or self.approval(known["exception_id"]).role
        reviewer = {"id": f"user:{who}", "roles": [role]}
        await self.decides({"decision_id": str(uuid4()), "verdict": verdict, "reviewer": reviewer, **known})
        return self.receipt()

    async def commands(self, who: str, command: str, role: str | None = None, **fields: Any) -> Event:
        """A reviewer claims, releases or hands over the question about EXC-1; returns the receipt."""
        by = {"id": f"user:{who}", "roles": [role or self.approval().role]}
        await self.decides(
            {"command_id": str(uuid4()), "exception_id": "EXC-1", "command": command, "by": by, **fields}
        )
        return self.receipt()

    async def _consume(self, topic: str, event: Event, kind: str | None = None) -> None:
        for work in await self.inbox.receive([a_record(event, topic, kind)]):
            await self.casework.deliver(work.delivery)

    # What time brings

    async def passes(self, seconds: float) -> None:
        """Time goes by, and then everything that became due is worked on."""
        self.clock.advance(seconds)
        for work in await self.inbox.take_up(100):
            await self.casework.deliver(work.delivery)
        for approval_id in await self.inbox.due_approvals(100):
            await self.casework.act_on_timer(approval_id)
        for intent in await self.inbox.abandoned_intents(100):
            await self.settles(intent)

    async def settles(self, intent: Intent) -> None:
        """Somebody has taken the intent up at this moment."""
        await self.casework.settle(intent, since=self.casework.moment())

    # What can be seen

    def case(self, exception_id: str = "EXC-1") -> Case:
        case = self.database.case_of_exception(exception_id)
        assert case is not None, f"no case {exception_id}"
        return case

    def approval(self, exception_id: str = "EXC-1") -> ApprovalRequest:
        """The latest approval request of the case."""
        return self.database.approvals_of(self.case(exception_id).case_id)[-1].approval

    def approvals(self) -> list[Event]:
        return self._said(APPROVALS.name)

    def asked(self) -> list[Event]:
        """The questions that were put to people, in order."""
        return [event for event in self.approvals() if "review_hash" in event]

    def updates(self) -> list[str]:
        """What open screens were told, in order."""
        return [event["change"] for event in self.approvals() if "change" in event]

    def receipts(self) -> list[Event]:
        return self._said(DECISION_RECEIPTS.name)

    def receipt(self) -> Event:
        """The answer to the last decision."""
        return self.receipts()[-1]

    def outcomes(self) -> list[Event]:
        return self._said(ORDER_OUTCOMES.name)

    def dead_letters(self) -> list[Event]:
        return self._said(DEAD_LETTERS.name)

    def trail(self, exception_id: str = "EXC-1") -> list[AuditEntry]:
        case_id = self.case(exception_id).case_id
        return [entry for entry in self.database.audit if entry.case_id == case_id]

    def _said(self, topic: str) -> list[Event]:
        return [json.loads(message.payload) for message in self.database.outbox if message.topic == topic]
