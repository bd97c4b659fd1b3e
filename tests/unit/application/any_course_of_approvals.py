"""A machine that does to the core what an organisation does with approvals, in any order: levels, quorum, people,
verdicts, seals, deadlines, hand-overs and batches. A witness judges each commit."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from schemas.values import Order, OrderStatus
from tests.builders import Event, an_order, refund_event, usd
from tests.unit.application import invariants
from tests.unit.application.desk import Desk
from tests.unit.application.invariants_of_approvals import Witness
from tests.unit.application.organisation import LADDER, REGISTER, REQUESTERS, ROLES, organisation_policy
from tests.unit.application.watched_store import WatchedStore
from worker.adapters.memory.payments import Fault, MemoryBooks
from worker.domain.exception_case import CaseState

HOLDS = (
    invariants.a_case_has_one_outcome_or_a_reason_to_have_none,
    invariants.what_was_approved_is_paid_or_in_hand_or_a_failure_that_is_seen,
    invariants.each_decision_is_answered_once,
    invariants.the_audit_trail_holds,
)
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400

NAMES = ["EXC-0", "EXC-1", "EXC-2", "EXC-3"]
names = st.sampled_from(NAMES)
kinds = st.sampled_from(["refund", "refund", "refund", "price_adjustment", "cancellation"])
amounts = st.sampled_from([1_000, 4_000, 9_000, 12_000, 15_000])
requesters = st.sampled_from(REQUESTERS)
everybody = st.sampled_from([*ROLES, "agent:web-chat"])
SPELLINGS: list[Callable[[str], str]] = [str, str, str.upper, " {} ".format, lambda who: who.replace("u", "\uff55")]
one_in_three = st.sampled_from([True, False, False])
spellings = st.sampled_from(SPELLINGS)
agreements = st.sampled_from(["approve", "approve", "approve", "modify", "choose"])
verdicts = st.sampled_from(["approve", "reject", "modify", "choose", "escalate", "request_changes"])
words: list[Event] = [{"method": "store_credit"}, {"ammount": 1}, {"customer_message": "We are sorry."}]
changes = st.sampled_from(words) | amounts.map(lambda minor: {"amount": {"amount_minor": minor, "currency": "USD"}})
commands = st.sampled_from(["claim", "release", "reassign", "delegate", "delegate"])
STAND_INS = ["user:ines", "user:olga", "user:pong"]
helpers = st.sampled_from(["user:ines", "user:olga", "user:max"])
waits = st.sampled_from([MINUTE_S, HOUR_S + 1, 12 * HOUR_S, 18 * HOUR_S, DAY_S + 1, 3 * DAY_S])
choices = st.sampled_from(["store_credit", "bank_transfer", 0, 1, "cash", 7])
ALTERNATIVES = [
    {"action": "replacement"},
    {"action": "refund", "method": "bank_transfer", "amount": {"amount_minor": 3_000, "currency": "USD"}},
]
ORDERS = {"ORD-1": an_order(usd(20_000)), "ORD-2": an_order(usd(15_000))}
orders = st.sampled_from(list(ORDERS))


class AnyCourseOfApprovals(RuleBasedStateMachine):
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self.sent: list[Event] = []
        self.outcomes: invariants.Outcomes = {}

    def do(self, *stories: Coroutine[Any, Any, object]) -> None:
        """All of them at once."""

        async def together() -> None:
            await asyncio.gather(*stories)

        self._loop.run_until_complete(together())

    @initialize(
        without_register=one_in_three,
        sealed=st.integers(0, 3),
        own_books=one_in_three,
        data=st.data(),
    )
    def begin(self, without_register: bool, sealed: int, own_books: bool, data: st.DataObject) -> None:
        """With a register or without; one time in four each decision needs its seal. All four levels sign for the first
        case, so that there is always one to carry through."""
        self.requires_hash = sealed == 0
        register = None if without_register else REGISTER
        self.desk = Desk(organisation_policy(requires_hash=self.requires_hash), register)
        self.desk.orders.orders = dict(ORDERS)
        witness = Witness(self.desk, register, requires_hash=self.requires_hash, seen=self.seen)
        self.store = WatchedStore(self.desk, witness)
        self.desk.work_with(store=self.store, **({"books": MemoryBooks()} if own_books else {}))
        self.raise_an_exception(NAMES[0], "refund", 15_000, data.draw(requesters))
        self.raise_an_exception(NAMES[1], data.draw(kinds), data.draw(amounts), data.draw(requesters))

    @rule(name=names, kind=kinds, amount=amounts, requester=requesters)
    def raise_an_exception(self, name: str, kind: str, amount: int, requester: str) -> None:
        """The first time it is the exception; after that it is a duplicate, or one with other content."""
        order, customer = ("ORD-2" if name == NAMES[3] else "ORD-1"), ("CUST-9" if name == NAMES[0] else "CUST-1")
        who = {"customer_id": customer, "requested_by": requester}
        event = refund_event(name, amount, kind=kind, order_id=order, alternatives=ALTERNATIVES, **who)
        self.do(self.desk.raises(event))

    # Who says what about which question

    @property
    def waiting(self) -> list[str]:
        cases = invariants.all_cases(self.desk)
        return [case.exception.exception_id for case in cases if case.state is CaseState.WAITING]

    def a_decision(self, data: st.DataObject, verdict: str, who: str, roles: tuple[str, ...], **named: Any) -> Event:
        event: Event = {"decision_id": f"d{len(self.sent)}", "verdict": verdict, **named}
        event["reviewer"] = {"id": who, "roles": list(roles)}
        match verdict:
            case "modify":
                event["changes"] = data.draw(changes)
            case "choose":
                event["choice"] = data.draw(choices)
            case "escalate":
                event["escalate_to"] = data.draw(st.sampled_from([None, None, *LADDER]))
            case "request_changes":
                event["comment"] = "where is the photo?"
        self.sent.append(event)
        return event

    def somebody_who_may(self, data: st.DataObject, name: str) -> tuple[str, tuple[str, ...]]:
        """As far as a glance tells: they hold the role or the question, and have not decided yet. Now and then it is
        somebody who may not, under another spelling."""
        request = self.desk.approval(name)
        decided = {signature.reviewer for signature in self.desk.case(name).signatures}
        holders = [who for who, roles in ROLES.items() if request.role in roles and who not in decided]
        if data.draw(st.integers(0, 7)) == 0:
            who = data.draw(st.sampled_from([request.requested_by, *sorted(decided)]))
            return data.draw(spellings)(who), (request.role,)
        given = [request.handover.to] if request.handover else []
        who = data.draw(st.sampled_from([request.assignee] if request.assignee else [*holders * 2, *given, *STAND_INS]))
        return who, ROLES.get(who, ())

    def a_likely_decision(self, data: st.DataObject, verdict: str, name: str) -> Event:
        who, roles = self.somebody_who_may(data, name)
        named: Event = {"exception_id": name}
        if self.requires_hash or data.draw(st.integers(0, 3)) == 0:
            named["review_hash"] = self.desk.approval(name).review_hash
        return self.a_decision(data, verdict, who, roles, **named)

    def an_odd_decision(self, data: st.DataObject) -> Event:
        """By anybody about anything: questions that are closed or not asked yet, seals of what was shown before."""
        who, named = data.draw(everybody), self.a_name(data)
        if len(self.desk.database.approvals) > 0 and data.draw(st.booleans()):
            request = data.draw(st.sampled_from(list(self.desk.database.approvals.values())[-6:])).approval
            named["review_hash"] = request.review_hash
        roles = data.draw(st.sampled_from([ROLES.get(who, ()), LADDER]))
        return self.a_decision(data, data.draw(verdicts), data.draw(spellings)(who), roles, **named)

    def a_name(self, data: st.DataObject) -> Event:
        """Of a question: its own id, or its case with or without a level."""
        if len(self.desk.database.approvals) > 0 and data.draw(st.booleans()):
            return {"approval_id": str(data.draw(st.sampled_from(list(self.desk.database.approvals)[-6:])))}
        named: Event = {"exception_id": data.draw(st.sampled_from([*self.waiting * 2, *NAMES]))}
        if data.draw(st.integers(0, 2)) == 0:
            named["level"] = data.draw(st.sampled_from(LADDER))
        return named

    # What they do

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), declined=st.booleans())
    def carry_through(self, data: st.DataObject, declined: bool) -> None:
        """One after the other approves, until nobody needs to; and perhaps the payment is declined then."""
        self.desk.payments.faults.extend([Fault.DECLINED] if declined else [])
        name = data.draw(st.sampled_from(self.waiting))
        round_ = self.desk.case(name).round
        for _ in range(8):
            if name in self.waiting and self.desk.case(name).round == round_:
                self.do(self.desk.decides(self.a_likely_decision(data, "approve", name)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), several=st.integers(1, 3))
    def sign(self, data: st.DataObject, several: int) -> None:
        """One after the other sign for a case, as its levels want it."""
        name = data.draw(st.sampled_from(self.waiting))
        for _ in range(several):
            if name in self.waiting:
                self.do(self.desk.decides(self.a_likely_decision(data, data.draw(agreements), name)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), verdict=verdicts)
    def answer(self, data: st.DataObject, verdict: str) -> None:
        self.do(self.desk.decides(self.a_likely_decision(data, verdict, data.draw(st.sampled_from(self.waiting)))))

    @rule(data=st.data())
    def answer_oddly(self, data: st.DataObject) -> None:
        self.do(self.desk.decides(self.an_odd_decision(data)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), times=st.sampled_from([1, 2, 6]))
    def ask_for_changes(self, data: st.DataObject, times: int) -> None:
        """The same person may: it is the same level each time."""
        name = data.draw(st.sampled_from(self.waiting))
        who, roles = self.somebody_who_may(data, name)
        for _ in range(times):
            named = {"exception_id": name, "review_hash": self.desk.approval(name).review_hash}
            self.do(self.desk.decides(self.a_decision(data, "request_changes", who, roles, **named)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), to=everybody, command=commands, likely=st.booleans())
    def command(self, data: st.DataObject, to: str, command: str, likely: bool) -> None:
        name = data.draw(st.sampled_from(self.waiting))
        who, roles = self.somebody_who_may(data, name) if likely else (data.draw(everybody), LADDER)
        named = {"exception_id": name} if likely else self.a_name(data)
        self.commands(command, who, roles, to, **named)

    def commands(self, command: str, who: str, roles: tuple[str, ...], to: str, **named: Any) -> None:
        event: Event = {"command_id": f"c{len(self.sent)}", "command": command, **named}
        event["by"] = {"id": who, "roles": list(roles)}
        if command in {"reassign", "delegate"}:
            event["to"] = to
        self.sent.append(event)
        self.do(self.desk.decides(event))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), to=helpers, meanwhile=st.sampled_from(["", "", "release", "reassign", "time"]))
    def delegate_and_sign(self, data: st.DataObject, to: str, meanwhile: str) -> None:
        """One person gives the question to another, who signs: at once, or after it was taken back, or much later. And
        then perhaps whoever gave it signs as well."""
        name = data.draw(st.sampled_from(self.waiting))
        who, roles = self.somebody_who_may(data, name)
        self.commands("delegate", who, roles, to, exception_id=name)
        if meanwhile == "time":
            self.do(self.desk.passes(data.draw(waits)))
        elif meanwhile:
            self.commands(meanwhile, who, roles, data.draw(everybody), exception_id=name)
        verdict, seal = data.draw(agreements), {"review_hash": self.desk.approval(name).review_hash}
        self.do(self.desk.decides(self.a_decision(data, verdict, to, ROLES[to], exception_id=name, **seal)))
        if data.draw(st.booleans()):
            seal = {"review_hash": self.desk.approval(name).review_hash}
            self.do(self.desk.decides(self.a_decision(data, "approve", who, roles, exception_id=name, **seal)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def answer_several_in_one_event(self, data: st.DataObject) -> None:
        likely = [self.a_likely_decision(data, data.draw(agreements), name) for name in self.waiting]
        self.do(self.desk.decides({"decisions": [*likely, self.an_odd_decision(data)]}))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def answer_twice_at_once(self, data: st.DataObject) -> None:
        """About one case, or about two of one order and customer."""
        one, other, *_ = data.draw(st.permutations(self.waiting * 2))
        decisions = [self.a_likely_decision(data, data.draw(agreements), name) for name in (one, other)]
        self.do(*(self.desk.decides(each) for each in decisions))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_the_same_again(self, data: st.DataObject) -> None:
        self.do(self.desk.decides(data.draw(st.sampled_from(self.sent))))

    # What happens besides

    @rule(
        order=st.sampled_from(list(ORDERS)), captured=st.sampled_from([20_000, 16_000, 9_000]), cancelled=st.booleans()
    )
    def change_the_order(self, order: str, captured: int, cancelled: bool) -> None:
        status = OrderStatus.CANCELLED if cancelled else OrderStatus.PAID
        self.desk.orders.orders[order] = Order(captured=usd(captured), status=status)

    @rule(name=names, changes_their_mind=one_in_three)
    def withdraw(self, name: str, changes_their_mind: bool) -> None:
        if changes_their_mind:
            self.do(self.desk.withdraws(name))

    @rule(seconds=waits, worked_on=st.sampled_from([True, True, False]))
    def let_time_pass(self, seconds: float, worked_on: bool) -> None:
        """And perhaps no worker is there to see it."""
        if worked_on:
            self.do(self.desk.passes(seconds))
        else:
            self.desk.clock.advance(seconds)

    @rule(several=st.lists(st.sampled_from([Fault.DECLINED, *Fault]), min_size=1, max_size=3))
    def make_payments_fail(self, several: list[Fault]) -> None:
        self.desk.payments.faults.extend(several)

    @invariant()
    def the_invariants_hold(self) -> None:
        if self.store.found is not None:
            raise self.store.found
        for holds in HOLDS:
            holds(self.desk, self.outcomes)
        assert not [row.problem for row in self.desk.database.inbox.values() if row.problem]

    def teardown(self) -> None:
        """The trouble is over: nothing may be left that does not end."""
        try:
            if hasattr(self, "desk") and self.store.found is None:
                self.desk.payments.faults.clear()
                for _ in range(16):
                    self.do(self.desk.passes(DAY_S))
                self.the_invariants_hold()
                assert [case for case in invariants.all_cases(self.desk) if not case.state.is_terminal] == []
                assert [row for row in self.desk.database.inbox.values() if not row.is_finished] == []
        finally:
            self._loop.close()
