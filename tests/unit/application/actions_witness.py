"""What must hold of actions, judged from the published events and from the counterpart's own ledger.

The witness keeps its own account of each request: what was asked for, what each question showed, and what was signed
in the end. It asks none of the code that runs actions or says what became of them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from schemas.catalogue import APPROVALS, DECISION_RECEIPTS, ORDER_OUTCOMES
from tests.builders import Event
from tests.unit.application.actions_office import AGENT, FREE, ROLES, RUN_HERE, Call, Counterpart, can_run, runs_at_once
from tests.unit.application.desk import Desk
from worker.application.ports.executors import OnUnknown

AGREES = frozenset({"approve", "modify"})

Args = Mapping[str, Any]
Form = dict[str, Args]
"""Actions by their ids, in the arguments that they have now."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What may run in one round, from the moment at which so many events had been published."""

    round: int
    since: int
    form: Form


@dataclass(slots=True)
class Account:
    """`base` is what the round began with, `shown` what the open question is about, `carried` what the next level must
    be shown because a level below has signed it."""

    request: Event
    names: dict[str, str]
    base: Form
    round: int = 0
    shown: Form = field(default_factory=dict)
    passing: Form = field(default_factory=dict)
    carried: Form | None = None
    grants: list[Grant] = field(default_factory=list)
    executed: set[str] = field(default_factory=set)
    signers: list[str] = field(default_factory=list)
    outcome: Event | None = None


def form_of(actions: Iterable[Event] | None) -> Form:
    return {action["id"]: action["args"] for action in actions or ()}


class Witness:
    """`sent` are the decisions by their ids, `requests` what was asked for under each name. `seen` counts what
    happened, so that a run can show what it came by."""

    def __init__(self, desk: Desk, counterpart: Counterpart, seen: Counter[str]) -> None:
        self._desk, self._counterpart, self.seen = desk, counterpart, seen
        self.requests: dict[str, list[Event]] = defaultdict(list)
        self.sent: dict[str, Event] = {}
        self._accounts: dict[str, Account] = {}
        self._questions: dict[str, Event] = {}
        self._events_read = self._calls_read = 0
        self._calls: dict[str, list[Call]] = defaultdict(list)

    def look(self) -> None:
        """Reads on in the events and in the ledger. Raises AssertionError."""
        outbox = self._desk.database.outbox
        calls = self._counterpart.ledger[self._calls_read :]
        self._calls_read += len(calls)
        for call in calls:
            while self._events_read < call.said:
                self._read_event(outbox[self._events_read].topic, json.loads(outbox[self._events_read].payload))
            self._called(call)
        while self._events_read < len(outbox):
            self._read_event(outbox[self._events_read].topic, json.loads(outbox[self._events_read].payload))

    def _read_event(self, topic: str, event: Event) -> None:
        self._events_read += 1
        if topic == APPROVALS.name and "review_hash" in event:
            self._put(event)
        elif topic == DECISION_RECEIPTS.name:
            self._answered(event)
        elif topic == ORDER_OUTCOMES.name:
            self._ended(event)

    def _account(self, case_id: str) -> Account:
        """What nobody has to sign for may run as soon as it is a case."""
        if case_id not in self._accounts:
            request = self._request(case_id)
            named = [(action.get("id", str(index)), action) for index, action in enumerate(request["actions"])]
            form = {action_id: action["args"] for action_id, action in named}
            account = Account(request, {action_id: action["name"] for action_id, action in named}, form)
            if runs_at_once(request):
                account.grants.append(Grant(1, 0, form))
            self._accounts[case_id] = account
        return self._accounts[case_id]

    def _request(self, case_id: str) -> Event:
        """Of several that came under one name at the same moment the one that became the case."""
        exception = self._desk.database.cases[UUID(case_id)].case.exception
        kept = [(action.name, action.args) for action in exception.actions]
        return next(
            request
            for request in self.requests[exception.exception_id]
            if [(action["name"], action["args"]) for action in request["actions"]] == kept
        )

    # Questions and answers

    def _put(self, event: Event) -> None:
        account = self._account(event["case_id"])
        assert account.outcome is None, "a question after the outcome"
        proposal, granted = event["proposal"], account.grants[-1:]
        shown, passing = form_of(proposal["actions"]), form_of(proposal["passing"])
        if event["round"] != account.round:
            assert event["round"] == account.round + 1 or (granted and event["round"] == 2)
            if granted and granted[0].round == event["round"] - 1:
                account.base = self._left_of(granted[0], event, account)
            account.round, account.carried, account.signers = event["round"], None, []
        expected = account.base if account.carried is None else {**account.carried, **account.passing}
        assert {**shown, **passing} == expected, (shown, passing, expected)
        assert not shown.keys() & passing.keys()
        assert {account.names[each] for each in passing} <= FREE
        assert not (passing and account.request["failed_attempts"]), "a doubted request lets something pass"
        assert not runs_at_once(account.request) or event["round"] > 1, "a question that nobody needs"
        account.shown, account.passing = shown, passing
        self._questions[event["approval_id"]] = event
        self.seen["passing beside what is asked about"] += bool(passing)
        self.seen["second level"] += event["level"]["number"] == 2

    def _left_of(self, grant: Grant, event: Event, account: Account) -> Form:
        """What came to nothing of the round before is asked about again, in the form that was signed."""
        results = {result["id"]: result for result in event["context"]["results"]}
        for action_id, result in results.items():
            self._check_result(event["case_id"], action_id, result["status"], account)
        assert account.executed <= results.keys(), "results of an earlier round are forgotten"
        self.seen["asked again"] += 1
        self.seen["asked about an unknown result"] += any(each["status"] == "unknown" for each in results.values())
        return {
            action_id: args
            for action_id, args in grant.form.items()
            if action_id in results and results[action_id]["status"] in {"failed", "unknown"}
        }

    def _answered(self, receipt: Event) -> None:
        self.seen[receipt["code"]] += 1
        if receipt["code"] != "ACCEPTED":
            return
        decision, question = self.sent[receipt["decision_id"]], self._questions[receipt["approval_id"]]
        account = self._account(question["case_id"])
        reviewer = decision["reviewer"]["id"]
        assert question["level"]["name"] in ROLES[reviewer], f"{reviewer} may not sign for {question['level']}"
        assert reviewer not in {AGENT, *account.signers}, f"{reviewer} signs twice, or for their own request"
        assert decision.get("review_hash") in {None, question["review_hash"]}
        self.seen[f"said {decision['verdict']}"] += 1
        if decision["verdict"] not in AGREES:
            account.carried = account.shown if decision["verdict"] == "escalate" else None
            return
        account.signers.append(reviewer)
        account.carried = self._changed(decision.get("changes") or {}, account)
        if question["level"]["number"] == question["level"]["of"]:
            form = {**account.carried, **account.passing}
            account.grants.append(Grant(question["round"], self._events_read, form))

    def _changed(self, changes: Event, account: Account) -> Form:
        ids = list(account.shown)
        kept = changes.get("approved_actions", list(range(len(ids))))
        edits = {edit["index"]: edit["args"] for edit in changes.get("edited_actions", ())}
        assert kept, changes
        assert len(set(kept)) == len(kept), changes
        assert edits.keys() <= set(kept) <= set(range(len(ids))), changes
        for index, args in edits.items():
            name = account.names[ids[index]]
            assert can_run(name, args), f"{name} cannot run with {args}"
            is_of_its_kind = args.get("kind") == account.shown[ids[index]].get("kind")
            assert is_of_its_kind or name not in RUN_HERE, f"the edit makes something else of {name}"
        self.seen["edited"] += bool(edits)
        self.seen["approved in part"] += len(kept) < len(ids)
        return {ids[index]: edits.get(index, account.shown[ids[index]]) for index in sorted(kept)}

    # What was done in the world

    def _called(self, call: Call) -> None:
        parts = call.key.split(":", 3)
        assert len(parts) == 4, f"{call.key} is no key of one action in one round of one case"
        _, case_id, round_, action_id = parts
        account = self._account(case_id)
        assert (call.action.id, call.action.name) == (action_id, account.names[action_id])
        assert call.action.name in RUN_HERE
        grants = [grant for grant in account.grants if str(grant.round) == round_ and grant.since <= call.said]
        assert any(grant.form.get(action_id) == call.action.args for grant in grants), f"nobody signed for {call}"
        earlier, on_unknown = self._calls[call.key], RUN_HERE[call.action.name]
        reached = [each for each in earlier if each.was_reached]
        assert not (reached and on_unknown is OnUnknown.ASK), f"{call} may have run before: {reached}"
        done = [each for each in reached if each.took_effect and not call.is_stale and not each.is_stale]
        assert not (done and call.took_effect and on_unknown is OnUnknown.LOOK_UP), f"{call} ran before: {done}"
        may_come_late = call.is_stale or on_unknown is OnUnknown.REPEAT
        assert action_id not in account.executed or may_come_late, f"{call} is on record as done"
        earlier.append(call)
        self.seen["a call by a stale worker"] += call.is_stale
        self.seen["repeated under its key"] += len(reached) > 0
        signed = sum(action_id in grant.form for grant in account.grants)
        assert len(self._effects(case_id, action_id)) <= signed, f"{action_id} ran more often than it was signed for"

    def _effects(self, case_id: str, action_id: str) -> set[str]:
        return {
            key
            for key, calls in self._calls.items()
            if key.startswith(f"signoff:{case_id}:") and key.endswith(f":{action_id}") and _took_effect(calls)
        }

    # What is told in the end

    def _ended(self, outcome: Event) -> None:
        account = self._account(outcome["case_id"])
        assert account.outcome is None, "a second outcome"
        account.outcome = outcome
        self.seen[f"outcome {outcome['status']}"] += 1
        statuses = {result["id"]: result["status"] for result in outcome["results"]}
        assert list(statuses) == list(account.names), "a result for each action, in the order of the request"
        for action_id, status in statuses.items():
            self._check_result(outcome["case_id"], action_id, status, account)
        granted = {action_id for grant in account.grants for action_id in grant.form}
        assert granted or outcome["status"] != "executed", "executed, and nobody signed"
        for action_id in granted:
            runs_here = account.names[action_id] in RUN_HERE
            if outcome["status"] == "executed" or runs_here:
                assert statuses[action_id] != "refused", f"{action_id} was signed for"
        if outcome["status"] == "executed":
            assert {statuses[each] for each in account.grants[-1].form} <= {"executed", "approved"}

    def _check_result(self, case_id: str, action_id: str, status: str, account: Account) -> None:
        self.seen[f"result {status}"] += 1
        granted = [grant for grant in account.grants if action_id in grant.form]
        calls = self._calls[f"signoff:{case_id}:{granted[-1].round}:{action_id}"] if granted else []
        own = [call for call in calls if not call.is_stale]
        effects = self._effects(case_id, action_id)
        name = account.names[action_id]
        # Of an action that may be repeated, a call that surely did nothing is no word about one before it.
        may_be_repeated = RUN_HERE.get(name) is OnUnknown.REPEAT
        assert action_id not in account.executed or status == "executed", f"{action_id} was done, and is {status}"
        match status:
            case "executed":
                account.executed.add(action_id)
                assert effects, f"{action_id} has no effect"
            case "refused":
                assert not effects, f"{action_id} was refused, and ran"
            case "approved":
                assert granted, f"nobody signed for {action_id}"
                assert name not in RUN_HERE
            case "failed":
                assert not _took_effect(own), f"{action_id} ran: {own}"
            case "unknown":
                assert granted, f"nobody signed for {action_id}"
                told = [call for call in own if call.answered and (call.took_effect or not may_be_repeated)]
                assert not told, f"what came of {action_id} is known: {told}"


def _took_effect(calls: Iterable[Call]) -> bool:
    return any(call.took_effect for call in calls)
