"""What must hold of approvals in combination, judged after each commit from what was published.

A `Witness` reads the events in the order of their commits, keeps its own account of each case, and compares. It takes
from the store what was sent and what is on record, and asks none of the code that decides.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from uuid import UUID

from schemas.events import ApprovalNeeded, ApprovalUpdated, ResolutionOutcome, ReviewReceipt
from tests.builders import Event
from tests.unit.application.account_of_a_case import (
    MAX_ROUNDS_OF_CHANGES,
    Asked,
    Matter,
    Signed,
    asked_minor,
    minor_of,
    payout_of,
    seal_of,
    signatures_in,
)
from tests.unit.application.desk import Desk
from tests.unit.application.invariants import first_received
from tests.unit.application.organisation import (
    CAP_MINOR,
    CAP_WINDOW,
    DUTY,
    QUORUM,
    Step,
    authority_problem,
    key,
    steps_required,
)
from worker.domain.approval import ApprovalCommand, Decision
from worker.domain.audit import AuditEntry
from worker.domain.reviewers import Person

AGREES = {"approve", "modify", "choose"}
CAME_TO_NOTHING = {"rejected", "expired", "withdrawn", "failed"}


class Witness:
    """`seen` counts what happened, so that a run can show which states it reached."""

    def __init__(
        self, desk: Desk, register: Sequence[Person] | None, *, requires_hash: bool, seen: Counter[str] | None = None
    ) -> None:
        self._desk, self._register, self._requires_hash = desk, register, requires_hash
        self.seen: Counter[str] = Counter() if seen is None else seen
        self._events_read = self._entries_read = 0
        self._matters: dict[str, Matter] = {}
        self._asked: dict[str, Asked] = {}
        self._closed_rows: dict[UUID, str] = {}
        self._first_receipts: set[str] = set()
        self._agreed: list[tuple[str, datetime, int]] = []
        self._paid: set[str] = set()

    def look(self) -> None:
        """Reads what the last commit said. Raises AssertionError."""
        database = self._desk.database
        said, self._events_read = database.outbox[self._events_read :], len(database.outbox)
        entries, self._entries_read = database.audit[self._entries_read :], len(database.audit)
        agreed_now: set[str] = set()
        outcomes: list[Event] = []
        for entry in entries:
            self._meet(entry)
        for message in said:
            event = json.loads(message.payload)
            match message.headers["ce_type"]:
                case ReviewReceipt.TYPE:
                    agreed_now |= self._answered(event)
                case ApprovalUpdated.TYPE:
                    self._updated(event, entries)
                case ApprovalNeeded.TYPE:
                    self._put(event)
                case ResolutionOutcome.TYPE:
                    outcomes.append(event)
        for entry in entries:
            self._moved(entry, agreed_now)
        for outcome in outcomes:
            self._ended(outcome)
        self._look_at_money()
        self._look_at_closed_questions()

    # The case

    def _meet(self, entry: AuditEntry) -> None:
        """A case is met with its first entry: what others of the customer come to is counted then, and kept."""
        case_id = str(entry.case_id)
        if case_id in self._matters:
            return
        case = self._desk.database.cases[entry.case_id].case
        customer, now = case.exception.customer_id, entry.at
        others = sum(
            matter.payout[0] or 0
            for matter in self._matters.values()
            if matter.case.exception.customer_id == customer
            and matter.case.opened_at > now - timedelta(days=30)
            and self._desk.database.cases[matter.case.case_id].case.state.value not in CAME_TO_NOTHING
        )
        matter = Matter(case, others, (asked_minor(case), "original_method"))
        matter.to_sign = steps_required(case.exception.kind, matter.payout[0] or 0, others, failed=False)
        alone = steps_required(case.exception.kind, matter.payout[0] or 0, 0, failed=False)
        self.seen["structuring"] += matter.to_sign != alone
        self._matters[case_id] = matter

    # Questions

    def _put(self, event: Event) -> None:
        matter = self._matters[event["case_id"]]
        assert matter.open is None, f"{event['exception_id']} is asked twice at once"
        if event["round"] != matter.round:
            matter.begin_round(event)
            self._count_round(event, matter)
        step: Step = (event["level"]["name"], event["part"])
        assert matter.to_sign[:1] == [step], f"{step} is asked, and {matter.to_sign} must sign"
        name, number, of = step[0], event["level"]["number"], event["level"]["of"]
        behind = {other for other, _ in matter.to_sign} - {name}
        assert (number, of) == (matter.rung, matter.rung + len(behind)), (event["level"], matter)
        assert event["quorum"] == QUORUM[name]
        assert payout_of(event["proposal"]) == matter.payout, (event["proposal"], matter.payout)
        standing = list(dict.fromkeys(matter.standing))
        assert list(dict.fromkeys(signatures_in(event["signed_by"]))) == standing, (event["signed_by"], standing)
        may_want_more = matter.rounds_of_changes < MAX_ROUNDS_OF_CHANGES
        assert ("request_changes" in event["allowed_verdicts"]) == may_want_more, event["allowed_verdicts"]
        assert event["review_hash"] == seal_of(event)
        matter.open = self._asked[event["approval_id"]] = Asked(
            event, role=name, before=list(matter.standing), votes=list(matter.carried)
        )
        matter.carried = []
        self.seen[f"asked {name}"] += 1
        self.seen["second level"] += number == 2
        self.seen["method of a two-step level"] += step[1] == "method"

    def _count_round(self, event: Event, matter: Matter) -> None:
        self.seen["after a declined payment"] += "failure" in event["context"]
        self.seen["sixth round by changes"] += matter.rounds_of_changes == MAX_ROUNDS_OF_CHANGES

    def _updated(self, event: Event, entries: Sequence[AuditEntry]) -> None:
        asked, matter = self._asked[event["approval_id"]], self._matters[event["case_id"]]
        by_system = event["by"] == "system"
        assert asked.closed_as is None, f"{event['change']} after it was closed as {asked.closed_as}"
        self.seen[f"{event['change']} by {'system' if by_system else 'a reviewer'}"] += 1
        match event["change"]:
            case "closed":
                asked.closed_as, matter.open = event["reason"], None
                if by_system:
                    self._closed_by_system(asked, matter)
            case "reassigned" if asked.frees_itself:
                asked.frees_itself = False
            case "reassigned" if by_system:
                asked.assignee, asked.delegations = None, []
                if any(entry.action == "handed over" for entry in entries):
                    asked.role = DUTY
        if event["change"] in {"claimed", "reassigned"}:
            assert event["assignee"] == asked.assignee, (event, asked.assignee)

    def _closed_by_system(self, asked: Asked, matter: Matter) -> None:
        """What a deadline or a changed order does; neither approves or changes anything."""
        assert asked.closed_as in {"escalated", "expired", "outdated"}, asked.closed_as
        self.seen[f"{asked.closed_as} by system"] += 1
        if asked.closed_as == "escalated":
            matter.escalate(asked, None)

    def _look_at_closed_questions(self) -> None:
        """What is closed stays as it is, and is announced as closed."""
        for approval_id, row in self._desk.database.approvals.items():
            if (closed := self._closed_rows.get(approval_id)) is not None:
                assert (row.body, row.is_open) == (closed, False), f"{approval_id} was closed, and has changed since"
                continue
            known = self._asked[str(approval_id)]
            assert row.is_open == (known.closed_as is None), f"{approval_id} was closed in silence, or not at all"
            assert not (row.is_open and known.frees_itself), f"no screen was told that nobody holds {approval_id}"
            if not row.is_open:
                self._closed_rows[approval_id] = row.body

    # Answers

    def _answered(self, receipt: Event) -> set[str]:
        """Returns the case that the decision agreed to, if it did."""
        decision_id, code = receipt["decision_id"], receipt["code"]
        assert (decision_id in self._first_receipts) == (code == "DUPLICATE"), receipt
        self._first_receipts.add(decision_id)
        self.seen[code] += 1
        self.seen["over the cap"] += "would have signed for more than" in receipt["message"]
        self.seen["stale: order changed"] += "the order has changed" in receipt["message"]
        took_effect = code in {"ACCEPTED", "RECORDED"}
        assert receipt["accepted"] == took_effect
        if not took_effect:
            return set()
        said = self._desk.database.decisions[decision_id].said
        asked = self._asked[receipt["approval_id"]]
        matter = self._matters[receipt["case_id"]]
        assert matter.open is asked, f"{decision_id} answers a question that is closed"
        if isinstance(said, ApprovalCommand):
            self._commanded(said, asked, matter)
            return set()
        return self._decided(said, code, asked, matter)

    def _commanded(self, command: ApprovalCommand, asked: Asked, matter: Matter) -> None:
        by, to = command.by.id, command.to
        requester = matter.case.exception.requested_by
        if command.command != "release":
            assert key(by) != key(requester)
            assert to is None or key(to) != key(requester)
            assert asked.assignee is None or key(asked.assignee) == key(by)
        asked.hand_on(command, self._desk.clock())
        self.seen[f"command {command.command}"] += 1

    def _decided(self, decision: Decision, code: str, asked: Asked, matter: Matter) -> set[str]:
        case = self._desk.database.cases[matter.case.case_id].case
        on_record = case.signatures[-1]
        signed = Signed(asked.step[0], (decision.reviewer.id, *on_record.on_behalf_of), decision.verdict.value)
        assert (on_record.level, on_record.reviewer, on_record.verdict) == (
            signed.level,
            decision.reviewer.id,
            signed.verdict,
        )
        assert len(case.signatures) == len(matter.answers) + 1
        self._may_decide(decision, signed, asked, matter)
        matter.change_payout(decision, asked)
        if signed.verdict in AGREES and matter.payout[0] is not None and asked.step[1] != "details":
            self._within_the_cap(decision.reviewer.id, matter.payout[0], asked)
        matter.answers.append(signed)
        leaves_open = signed.verdict == "approve" and len(asked.votes) + 1 < QUORUM[asked.step[0]]
        assert (code == "RECORDED") == leaves_open, (code, signed, asked.votes)
        self.seen["votes made void"] += signed.verdict in {"modify", "choose"} and len(asked.votes) > 0
        matter.follow(decision, signed, asked)
        self.seen["quorum of two"] += not leaves_open and len(asked.votes) == 2
        self.seen[signed.verdict] += 1
        self.seen["on behalf of somebody"] += len(signed.people) > 1
        self.seen["through a chain of delegates"] += len(signed.people) > 2
        return {str(case.case_id)} if signed.verdict in AGREES else set()

    def _may_decide(self, decision: Decision, signed: Signed, asked: Asked, matter: Matter) -> None:
        shown, now = asked.event, self._desk.clock()
        assert asked.assignee is None or key(asked.assignee) == key(decision.reviewer.id), asked.assignee
        assert key(matter.case.exception.requested_by) not in signed.keys, f"{signed} asked for it"
        elsewhere = [one for one in matter.answers if one.level != signed.level]
        for one in [*elsewhere, *asked.votes]:
            assert not one.keys & signed.keys, f"{signed} after {one}"
        agrees = signed.verdict in AGREES
        amount = matter.payout[0] if agrees else None
        roles = decision.reviewer.roles
        problem = authority_problem(signed.people, asked.role, roles, amount, now, asked.delegations, self._register)
        assert problem is None, f"{signed}: {problem}"
        assert signed.verdict in shown["allowed_verdicts"]
        assert decision.level in {None, signed.level}
        assert decision.review_hash in {None, shown["review_hash"]}
        assert decision.review_hash is not None or not self._requires_hash
        assert first_received(self._desk)[decision.decision_id] <= datetime.fromisoformat(shown["due_at"])

    def _within_the_cap(self, reviewer: str, amount_minor: int, asked: Asked) -> None:
        """Who confirms the details and then the method signs for the amount once."""
        now = self._desk.clock()
        self._agreed.append((key(reviewer), now, amount_minor))
        if asked.step[0] == "manager":
            since = now - CAP_WINDOW
            total = sum(each for who, at, each in self._agreed if who == key(reviewer) and at > since)
            assert total <= CAP_MINOR, f"{reviewer} signed for {total}"

    # What comes of it

    def _moved(self, entry: AuditEntry, agreed_now: set[str]) -> None:
        """An approved case is one that everybody signed who had to, or that nobody had to sign."""
        if entry.from_state not in {"opened", "waiting"} or entry.to_state not in {"executing", "executed"}:
            return
        matter = self._matters[str(entry.case_id)]
        assert matter.to_sign == [], f"{entry.action} by {entry.actor} while {matter.to_sign} must sign"
        assert (entry.from_state == "opened") == (entry.actor == "system"), entry
        if entry.from_state == "waiting":
            assert str(entry.case_id) in agreed_now
        else:
            matter.round = 1
        for step, votes in matter.done.items():
            assert len(votes) == QUORUM[step[0]], votes
            others = [one for other, signed in matter.done.items() if other[0] != step[0] for one in signed]
            assert all(not one.keys & other.keys for one, other in combinations(votes, 2)), votes
            assert all(not one.keys & other.keys for one in votes for other in others), matter.done
        matter.approved = matter.payout
        self._look_at_the_order(matter)
        self.seen["executed after four levels"] += len({level for level, _ in matter.done}) == 4
        self.seen["executed automatically"] += entry.from_state == "opened"

    def _look_at_the_order(self, matter: Matter) -> None:
        """With this the order gives back no more than the shop says now that it captured."""
        order_id = matter.case.exception.order_id or ""
        order, balance = self._desk.orders.orders.get(order_id), self._desk.database.balances.get(order_id)
        if order is not None and balance is not None and matter.payout[0]:
            assert balance.refunded_minor <= order.captured.amount_minor, (order_id, balance)

    def _look_at_money(self) -> None:
        entries = self._desk.payments.entries.values()
        booked = (booking.intent for booking in self._desk.database.ledger.values())
        for intent in (*entries, *booked):
            if intent.idempotency_key not in self._paid:
                self._paid.add(intent.idempotency_key)
                self._matters[str(intent.case_id)].check_payment(intent)

    def _ended(self, outcome: Event) -> None:
        matter = self._matters[outcome["case_id"]]
        self.seen[f"outcome {outcome['status']}"] += 1
        assert matter.open is None
        assert signatures_in(outcome["decided_by"]) == matter.answers
        if outcome["status"] == "executed":
            assert matter.approved == (minor_of(outcome["amount"]), outcome["method"])
