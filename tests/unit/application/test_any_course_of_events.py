"""Whatever people, time and the payment provider do to the core, in any order: the invariants hold after each step,
and when the trouble is over every case comes to its end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.builders import Event, an_order, decision_event, refund_event, usd
from tests.unit.application import invariants
from tests.unit.application.desk import Desk
from worker.adapters.memory.payments import Fault, MemoryBooks
from worker.application.casework import Casework
from worker.application.ports.store import CaseView
from worker.domain.exception_case import CaseState
from worker.domain.intent import Intent

ORDERS = {"ORD-1": an_order(usd(20_000)), "ORD-2": an_order(usd(9_000))}
DAY_S = 86_400

NAMES = ["EXC-0", "EXC-1", "EXC-2"]
names = st.sampled_from(NAMES)
orders = st.sampled_from(["ORD-1", "ORD-1", "ORD-1", "ORD-2", "ORD-unknown"])
amounts = st.sampled_from([100, 9_000, 15_000, 15_000])
kinds = st.sampled_from(["refund", "refund", "price_adjustment", "cancellation"])
faults = st.sampled_from([Fault.DECLINED, *Fault])
MARIA = {"id": "user:maria", "roles": ["manager"]}
reviewers = st.sampled_from(
    [
        MARIA,
        {"id": "user:omar", "roles": ["clerk", "manager"]},
        {"id": "user:dora", "roles": ["director", "vp"]},
        {"id": "user:otto", "roles": ["clerk"]},
        {"id": "agent:web-chat", "roles": ["manager"]},
        {"id": " Agent:Web-Chat ", "roles": ["manager"]},
    ]
)
changes = st.sampled_from([{"method": "store_credit"}, {"ammount": 1}]) | amounts.map(
    lambda minor: {"amount": {"amount_minor": minor, "currency": "USD"}}
)
verdicts = st.sampled_from(["approve", "approve", "reject", "modify", "escalate"])


class Mortal(Casework):
    """Dies between the commit of an intent and its payment, when it is told to."""

    dies = False

    async def settle(self, intent: Intent, known: CaseView | None = None, *, since: float) -> None:
        if not self.dies:
            await super().settle(intent, known, since=since)


class AnyCourseOfEvents(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self.desk = Desk()
        self.desk.orders.orders = dict(ORDERS)
        self.casework = self.desk.casework = Mortal(self.desk.ports)
        self.raised: dict[str, Event] = {}
        self.decisions: list[Event] = []
        self.outcomes: invariants.Outcomes = {}

    def do(self, *stories: Coroutine[Any, Any, object]) -> None:
        """All of them at once."""

        async def together() -> None:
            await asyncio.gather(*stories)

        self._loop.run_until_complete(together())

    @initialize(own_books=st.booleans(), amount=amounts)
    def begin(self, own_books: bool, amount: int) -> None:
        """With the ledger in the store or elsewhere, and two cases that one order cannot both pay."""
        if own_books:
            self.desk.work_with(books=MemoryBooks())
            self.casework = self.desk.casework = Mortal(self.desk.ports)
        for name, asked in zip(NAMES, (15_000, amount), strict=False):
            self.raise_an_exception(name=name, order="ORD-1", amount=asked, kind="refund", other=None)

    @rule(name=names, order=orders, amount=amounts, kind=kinds, other=st.none() | amounts)
    def raise_an_exception(self, name: str, order: str, amount: int, kind: str, other: int | None) -> None:
        """The first time it is the exception; after that it is a duplicate, or one with other content, perhaps at the
        same moment."""
        event = refund_event(name, amount, order_id=order, kind=kind)
        self.raised.setdefault(name, event)
        events = [event] if other is None else [event, refund_event(name, other, order_id=order, kind=kind)]
        self.do(*(self.desk.raises(each) for each in events))

    @property
    def waiting(self) -> list[str]:
        cases = invariants.all_cases(self.desk)
        return [case.exception.exception_id for case in cases if case.state is CaseState.WAITING]

    def a_decision(self, data: st.DataObject, reviewer: Event, verdict: str, name: str | None = None) -> Event:
        """About a case that waits, more often than not."""
        name = name or data.draw(st.sampled_from([*self.waiting * 3, *NAMES]))
        event = decision_event(verdict, name, reviewer=reviewer, decision_id=f"d{len(self.decisions)}")
        if verdict == "modify":
            event["changes"] = data.draw(changes)
        if self.desk.database.approvals and data.draw(st.integers(0, 3)) == 0:
            event["approval_id"] = str(next(reversed(self.desk.database.approvals)))
        self.decisions.append(event)
        return event

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), verdict=st.sampled_from(["approve", "approve", "modify"]), fault=st.none() | faults)
    def sign(self, data: st.DataObject, verdict: str, fault: Fault | None) -> None:
        """A manager signs, and perhaps the payment meets trouble."""
        self.desk.payments.faults.extend([fault] if fault else [])
        self.do(self.desk.decides(self.a_decision(data, MARIA, verdict, data.draw(st.sampled_from(self.waiting)))))

    @rule(data=st.data(), reviewer=reviewers, verdict=verdicts)
    def decide(self, data: st.DataObject, reviewer: Event, verdict: str) -> None:
        self.do(self.desk.decides(self.a_decision(data, reviewer, verdict)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), reviewer=reviewers)
    def decide_twice_at_once(self, data: st.DataObject, reviewer: Event) -> None:
        """About one case, or about two that may share an order."""
        one, other, *_ = data.draw(st.permutations(self.waiting * 2))
        decisions = [self.a_decision(data, MARIA, "approve", one), self.a_decision(data, reviewer, "approve", other)]
        self.do(*(self.desk.decides(each) for each in decisions))

    @precondition(lambda self: self.decisions)
    @rule(data=st.data())
    def decide_the_same_again(self, data: st.DataObject) -> None:
        self.do(self.desk.decides(data.draw(st.sampled_from(self.decisions))))

    @rule(name=names)
    def withdraw(self, name: str) -> None:
        self.do(self.desk.withdraws(name))

    @rule(seconds=st.sampled_from([0.5, 60, DAY_S, DAY_S + 1]), worked_on=st.booleans())
    def let_time_pass(self, seconds: float, worked_on: bool) -> None:
        """And perhaps no worker is there to see it."""
        if worked_on:
            self.do(self.desk.passes(seconds))
        else:
            self.desk.clock.advance(seconds)

    @rule(several=st.lists(faults, max_size=3), blind=st.booleans(), dies=st.booleans(), closed=st.booleans())
    def make_trouble(self, several: list[Fault], blind: bool, dies: bool, closed: bool) -> None:
        """The provider fails, or cannot be asked; workers die before they pay; the shop does not answer."""
        self.desk.payments.faults.extend(several)
        self.desk.payments.blind = blind
        self.casework.dies = dies
        self.desk.orders.problem = "the shop is closed" if closed else None

    @invariant()
    def the_invariants_hold(self) -> None:
        for holds in invariants.ALL:
            holds(self.desk, self.outcomes)

    def teardown(self) -> None:
        """The trouble is over: nothing may be left that does not end."""
        try:
            self.casework.dies = self.desk.payments.blind = False
            self.desk.orders.problem = None
            self.desk.payments.faults.clear()
            for _ in range(8):
                self.do(self.desk.passes(DAY_S))
            self.the_invariants_hold()
            assert [case for case in invariants.all_cases(self.desk) if not case.state.is_terminal] == []
            assert [row for row in self.desk.database.inbox.values() if not row.is_finished] == []
            cases = {case.exception.exception_id for case in invariants.all_cases(self.desk)}
            refused = "".join(letter["head"] for letter in self.desk.dead_letters())
            assert [name for name in self.raised if name not in cases and name not in refused] == []
        finally:
            self._loop.close()


TestAnyCourseOfEvents = AnyCourseOfEvents.TestCase
TestAnyCourseOfEvents.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
