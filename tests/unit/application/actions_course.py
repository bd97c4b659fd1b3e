"""A machine that does to actions what people, time and the world do, in any order. A witness judges each step."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.builders import Event
from tests.unit.application import invariants
from tests.unit.application.actions_office import (
    AGENT,
    LEFT_TO_THE_AGENT,
    NAMES,
    ROLES,
    Counterpart,
    Death,
    WorkerDied,
    office_policy,
)
from tests.unit.application.actions_witness import Witness
from tests.unit.application.desk import LEASE, Desk
from worker.adapters.memory.executors import Mishap
from worker.domain.exception_case import CaseState
from worker.domain.intent import Intent

HOLDS = (
    invariants.a_case_has_one_outcome_or_a_reason_to_have_none,
    invariants.each_decision_is_answered_once,
    invariants.the_audit_trail_holds,
)
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
PAST_THE_LEASE_S = LEASE.total_seconds() + 1

REQUESTS = [f"EXC-{number}" for number in range(6)]
requests = st.sampled_from(REQUESTS)
GOOD_ARGS = [{"to": "ann", "symbol": "ACME"}, {"to": "bob", "symbol": "ACME"}, {"to": "everybody", "symbol": "X"}]
BAD_ARGS: list[Event] = [{}, {"to": 7, "symbol": 7}, {"to": "ann", "symbol": "ACME", "kind": "bulk"}]
good_args = st.sampled_from(GOOD_ARGS)
any_args = st.sampled_from([*GOOD_ARGS, *BAD_ARGS])
one_in_six = st.sampled_from([True, *[False] * 5])
waits = st.sampled_from([0.5, 5, MINUTE_S, MINUTE_S, MINUTE_S, HOUR_S])
long_waits = st.sampled_from([0.5, 5, 5, *[MINUTE_S] * 4, *[HOUR_S] * 3, DAY_S - HOUR_S, 2 * DAY_S])
mishaps = st.lists(st.sampled_from(Mishap), max_size=3)
deaths = st.lists(st.none() | st.sampled_from(Death), max_size=3)
verdicts = st.sampled_from(["approve", "modify", "reject", "escalate", "request_changes"])
agreements = st.sampled_from(["approve", "approve", "modify"])


@st.composite
def lists_of_actions(draw: st.DrawFn) -> list[Event]:
    """Mostly such as can run; some with ids of the agent's own."""
    actions = []
    spoilt = draw(one_in_six)
    for index in range(draw(st.integers(1, 4))):
        action: Event = {"name": draw(st.sampled_from(NAMES)), "args": draw(any_args if spoilt else good_args)}
        if draw(st.booleans()):
            action["id"] = f"call_{index}"
        actions.append(action)
    return actions


class AnyCourseOfActions(RuleBasedStateMachine):
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self.desk = Desk(office_policy())
        self.counterpart = self.desk.executors = Counterpart(self.desk.database.outbox)
        self.desk.work_with(executors=self.counterpart)
        self.witness = Witness(self.desk, self.counterpart, self.seen)
        self.outcomes: invariants.Outcomes = {}
        self.decisions: list[Event] = []
        self.held: list[Intent] = []
        self.is_wrong = False

    def do(self, *stories: Coroutine[Any, Any, object]) -> None:
        """All of them at once, each in a worker of its own, which may die."""

        async def together() -> list[object]:
            return await asyncio.gather(*stories, return_exceptions=True)

        for outcome in self._loop.run_until_complete(together()):
            if isinstance(outcome, WorkerDied):
                self.seen["a worker died"] += 1
            elif isinstance(outcome, BaseException):
                raise outcome

    # What is asked for

    @rule(data=st.data(), name=requests)
    def request_the_same_again(self, data: st.DataObject, name: str) -> None:
        if self.witness.requests[name]:
            self.do(self.desk.raises(data.draw(st.sampled_from(self.witness.requests[name]))))

    @initialize(actions=lists_of_actions(), more=lists_of_actions(), failed_before=one_in_six)
    def begin(self, actions: list[Event], more: list[Event], failed_before: bool) -> None:
        """With one request that has some of everything, and two others."""
        some_of_all = ("add_note", "send_email", *LEFT_TO_THE_AGENT)
        self.request(REQUESTS[0], [{"name": name, "args": GOOD_ARGS[0]} for name in some_of_all])
        self.request(REQUESTS[1], actions, failed_before)
        self.request(REQUESTS[2], more)

    @rule(name=requests, actions=lists_of_actions(), failed_before=one_in_six, other=st.none() | lists_of_actions())
    def request(
        self, name: str, actions: list[Event], failed_before: bool = False, other: list[Event] | None = None
    ) -> None:
        """The first time it is the request, or two at the same moment; after that it is one with other content."""
        events = [a_request(name, each, failed_before) for each in (actions, other) if each is not None]
        self.witness.requests[name] += events
        self.do(*(self.desk.raises(each) for each in events))

    @rule(name=requests, changes_their_mind=one_in_six)
    def withdraw(self, name: str, changes_their_mind: bool) -> None:
        if changes_their_mind:
            self.do(self.desk.withdraws(name, AGENT))

    # What people say

    @property
    def waiting(self) -> list[str]:
        cases = invariants.all_cases(self.desk)
        return [case.exception.exception_id for case in cases if case.state is CaseState.WAITING]

    def decide(self, data: st.DataObject, name: str, verdict: str, who: str, **named: Any) -> None:
        event: Event = {"decision_id": f"d{len(self.decisions)}", "exception_id": name, "verdict": verdict, **named}
        event["reviewer"] = {"id": who, "roles": list(ROLES[who])}
        if verdict == "modify":
            event["changes"] = data.draw(self.changes(name))
        if verdict == "request_changes":
            event["comment"] = "ask them first"
        self.decisions.append(event)
        self.witness.sent[event["decision_id"]] = event
        self.do(self.desk.decides(event))

    def changes(self, name: str) -> st.SearchStrategy[Event]:
        """Of the actions that are shown, and now and then of one more."""
        case = self.desk.database.case_of_exception(name)
        shown = len((case and case.proposal.actions) or ()) or 1
        kept = st.sets(st.integers(0, shown - 1), min_size=1).map(sorted)
        edits = st.lists(st.builds(an_edit, st.integers(0, shown - 1), good_args), min_size=1, max_size=1)
        odd = st.lists(st.builds(an_edit, st.integers(0, shown), any_args), max_size=2)
        return st.one_of(
            st.fixed_dictionaries({"approved_actions": kept}),
            st.fixed_dictionaries({"edited_actions": edits}),
            st.fixed_dictionaries({"approved_actions": kept, "edited_actions": edits}),
            st.fixed_dictionaries({"approved_actions": kept, "edited_actions": odd}),
        )

    def somebody_for(self, name: str) -> str:
        return "user:dana" if self.desk.approval(name).role == "desk" else "user:lea"

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), verdict=agreements)
    def sign(self, data: st.DataObject, verdict: str) -> None:
        """Whoever must sign does."""
        name = data.draw(st.sampled_from(self.waiting))
        round_ = self.desk.case(name).round
        for again in (verdict, "approve"):
            if name in self.waiting and self.desk.case(name).round == round_:
                self.decide(data, name, again, self.somebody_for(name))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), verdict=agreements, mishaps=mishaps)
    def sign_into_trouble(self, data: st.DataObject, verdict: str, mishaps: list[Mishap]) -> None:
        """And is tried again, until the trouble is over."""
        self.counterpart.mishaps.extend(mishaps)
        self.sign(data, verdict)
        for _ in mishaps:
            self.do(self.desk.passes(MINUTE_S))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), deaths=deaths, mishaps=mishaps)
    def sign_and_die(self, data: st.DataObject, deaths: list[Death | None], mishaps: list[Mishap]) -> None:
        self.counterpart.mishaps.extend(mishaps)
        self.counterpart.deaths.extend(deaths)
        self.sign(data, "approve")

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), at_once=st.booleans(), deaths=deaths)
    def sign_and_stall(self, data: st.DataObject, at_once: bool, deaths: list[Death | None]) -> None:
        """What is signed cannot be run at once; who takes it up next stands still."""
        self.counterpart.mishaps.appendleft(Mishap.UNAVAILABLE)
        self.sign(data, "approve")
        self.counterpart.deaths.extend(deaths)
        self.let_two_workers_hold_the_same(MINUTE_S, at_once)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), verdict=verdicts)
    def answer(self, data: st.DataObject, verdict: str) -> None:
        name = data.draw(st.sampled_from(self.waiting))
        self.decide(data, name, verdict, self.somebody_for(name))

    @rule(data=st.data(), name=requests, verdict=verdicts, who=st.sampled_from(sorted(ROLES)))
    def answer_oddly(self, data: st.DataObject, name: str, verdict: str, who: str) -> None:
        """By anybody, about what is closed or was never asked, with the seal of what was shown before."""
        named: Event = {}
        seals: list[str] = [event["review_hash"] for event in self.desk.asked()[-6:]]
        if data.draw(st.booleans()) and seals:
            named["review_hash"] = data.draw(st.sampled_from(seals))
        self.decide(data, name, verdict, who, **named)

    @precondition(lambda self: self.decisions)
    @rule(data=st.data())
    def say_the_same_again(self, data: st.DataObject) -> None:
        self.do(self.desk.decides(data.draw(st.sampled_from(self.decisions))))

    # What the world does

    @rule(away=st.booleans(), mishaps=mishaps, deaths=deaths)
    def make_trouble(self, away: bool, mishaps: list[Mishap], deaths: list[Death | None]) -> None:
        self.counterpart.away = away
        self.counterpart.mishaps.extend(mishaps)
        self.counterpart.deaths.extend(deaths)

    @rule(seconds=long_waits, worked_on=st.sampled_from([True, True, False]))
    def let_time_pass(self, seconds: float, worked_on: bool) -> None:
        """And perhaps no worker is there to see it."""
        if worked_on:
            self.do(self.desk.passes(seconds))
        else:
            self.desk.clock.advance(seconds)

    def take_up(self, seconds: float) -> list[Intent]:
        self.desk.clock.advance(seconds)
        return self._loop.run_until_complete(self.desk.inbox.abandoned_intents(100))

    @rule(seconds=waits)
    def take_up_and_stall(self, seconds: float) -> None:
        """A worker that takes up what was abandoned, and then stands still or dies."""
        self.held += self.take_up(seconds)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), seconds=st.sampled_from([0, PAST_THE_LEASE_S]))
    def wake(self, data: st.DataObject, seconds: float) -> None:
        """The worker goes on with what it holds, though others may have taken it up since."""
        self.desk.clock.advance(seconds)
        intent = data.draw(st.sampled_from(self.held))
        self.held.remove(intent)
        self.settle_late([intent])

    @rule(seconds=waits, at_once=st.booleans())
    def let_two_workers_hold_the_same(self, seconds: float, at_once: bool) -> None:
        """The first stands still for so long that a second takes it up as well. It goes on when the second is done, or
        at the same moment."""
        first = self.take_up(seconds)
        second = self.take_up(PAST_THE_LEASE_S)
        if at_once:
            self.settle_late([*first, *second])
        else:
            self.do(*(self.desk.settles(intent) for intent in second))
            self.settle_late(first)

    def settle_late(self, intents: list[Intent]) -> None:
        self.counterpart.is_stale = True
        self.do(*(self.desk.settles(intent) for intent in intents))
        self.counterpart.is_stale = False

    @invariant()
    def the_invariants_hold(self) -> None:
        self.is_wrong = True
        self.witness.look()
        for holds in HOLDS:
            holds(self.desk, self.outcomes)
        self.is_wrong = False

    def teardown(self) -> None:
        """The trouble is over: each case ends or waits for a person, and when nobody comes it ends as well."""
        try:
            if not self.is_wrong:
                self.heal()
        finally:
            self._loop.close()

    def heal(self) -> None:
        self.counterpart.away = False
        self.counterpart.mishaps.clear()
        self.counterpart.deaths.clear()
        for _ in range(8):
            self.do(self.desk.passes(2 * MINUTE_S))
        self.the_invariants_hold()
        states = {case.state for case in invariants.all_cases(self.desk)}
        assert {state for state in states if not state.is_terminal} <= {CaseState.WAITING}
        for _ in range(4):
            self.do(self.desk.passes(DAY_S))
        self.the_invariants_hold()
        assert [case for case in invariants.all_cases(self.desk) if not case.state.is_terminal] == []
        assert [row for row in self.desk.database.inbox.values() if not row.is_finished] == []


def an_edit(index: int, args: Event) -> Event:
    return {"index": index, "args": args}


def a_request(name: str, actions: list[Event], failed_before: bool) -> Event:
    return {
        "exception_id": name,
        "kind": "action_request",
        "requested_by": AGENT,
        "actions": actions,
        "failed_attempts": int(failed_before),
    }
