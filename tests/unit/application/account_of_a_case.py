"""A witness's own account of a case: what is asked, who holds it, who has signed what, and who still has to."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785

from tests.builders import Event
from tests.unit.application.organisation import LADDER, QUORUM, Delegation, Step, key, parts, steps_required
from worker.domain.approval import ApprovalCommand, Decision
from worker.domain.exception_case import Case
from worker.domain.intent import PaymentIntent

MAX_ROUNDS_OF_CHANGES = 5

SEALED = (
    *("level", "part", "quorum", "round", "allowed_verdicts", "proposal", "alternatives", "why", "risk"),
    *("confidence", "context", "signed_by", "on_timeout"),
)
"""The fields of approval.needed that its `review_hash` covers, as docs/approvals.md tells them."""


Payout = tuple[int | None, str | None]
"""An amount in minor units and a method; both None when nothing is paid."""


@dataclass(frozen=True, slots=True)
class Signed:
    """An answer that took effect. `people` are all whose signature it is, who gave it first."""

    level: str
    people: tuple[str, ...]
    verdict: str

    @property
    def keys(self) -> set[str]:
        return {key(person) for person in self.people}


@dataclass(slots=True)
class Asked:
    """A question, and who holds it. `before` are the signatures that stood when it was asked. A vote frees a question
    that somebody held: `frees_itself` until screens were told."""

    event: Event
    role: str
    before: list[Signed]
    votes: list[Signed]
    assignee: str | None = None
    delegations: list[Delegation] = field(default_factory=list)
    closed_as: str | None = None
    frees_itself: bool = False

    def hand_on(self, command: ApprovalCommand, at: datetime) -> None:
        """Into other hands, or nobody's. A delegate may hand on what they were given; anything else ends that."""
        by, to = command.by.id, command.to
        is_delegate = bool(self.delegations) and key(self.delegations[-1].to) == key(by)
        if command.command == "claim" and is_delegate:
            return
        given = self.delegations if is_delegate else []
        self.assignee = {"claim": by, "release": None}.get(command.command, to)
        self.delegations = []
        if command.command == "delegate" and to is not None:
            self.delegations = [*given, Delegation(by, to, command.by.roles, at)]

    @property
    def step(self) -> Step:
        return self.event["level"]["name"], self.event["part"]


@dataclass(slots=True)
class Matter:
    """A case as the witness knows it. `to_sign` are the steps of this round that are left, `done` who signed which;
    `standing` are the signatures that the next question shows, `carried` those of them that are votes of its level."""

    case: Case
    others_minor: int
    payout: Payout
    to_sign: list[Step] = field(default_factory=list)
    done: dict[Step, list[Signed]] = field(default_factory=dict)
    answers: list[Signed] = field(default_factory=list)
    round: int = 0
    rounds_of_changes: int = 0
    rung: int = 1
    open: Asked | None = None
    standing: list[Signed] = field(default_factory=list)
    carried: list[Signed] = field(default_factory=list)
    approved: Payout | None = None

    def begin_round(self, event: Event) -> None:
        """All levels sign again, for what was asked at first."""
        context, kind = event["context"], self.case.exception.kind
        assert event["round"] == self.round + 1
        assert len(context.get("history", ())) == self.rounds_of_changes <= MAX_ROUNDS_OF_CHANGES
        asked = asked_minor(self.case)
        if kind == "cancellation" and "order" in context:
            asked = context["order"]["captured"]["amount_minor"]
        self.round, self.rung, self.done, self.standing, self.carried = event["round"], 1, {}, [], []
        self.payout, self.approved = (asked, "original_method"), None
        self.to_sign = steps_required(kind, asked, self.others_minor, failed="failure" in context)

    def change_payout(self, decision: Decision, asked: Asked) -> None:
        if decision.verdict in {"modify", "choose"}:
            self.payout = _changed(decision, self.payout, asked.event["alternatives"])

    def follow(self, decision: Decision, signed: Signed, asked: Asked) -> None:
        """What an answer leads to."""
        match signed.verdict:
            case "approve":
                asked.votes.append(signed)
                asked.frees_itself, asked.assignee, asked.delegations = asked.assignee is not None, None, []
                self.standing = [*asked.before, *(vote for vote in asked.votes if vote not in asked.before)]
                if len(asked.votes) == QUORUM[asked.step[0]]:
                    self._complete(asked.votes)
            case "modify" | "choose":
                self.standing = [*asked.before, signed]
                if QUORUM[asked.step[0]] == 1:
                    self._complete([signed])
                else:
                    self.carried = [signed]
            case "escalate":
                self.escalate(asked, decision.escalate_to)
            case "request_changes":
                self.rounds_of_changes += 1

    def _complete(self, votes: list[Signed]) -> None:
        step = self.to_sign.pop(0)
        self.done[step] = list(votes)
        if self.to_sign and self.to_sign[0][0] != step[0]:
            self.rung += 1

    def check_payment(self, intent: PaymentIntent) -> None:
        """It is what was approved; and no more than was asked, or than a cancelled order captured."""
        assert (intent.amount.amount_minor, intent.method.value) == self.approved, self
        if self.case.exception.kind != "cancellation":
            assert intent.amount.amount_minor <= asked_minor(self.case), f"{intent.amount} is more than was asked"

    def escalate(self, asked: Asked, named: str | None) -> None:
        """The level that was passed over is out, and the one above in, in as many parts as were left."""
        (name, part), height = asked.step, LADDER.index(asked.step[0])
        target = named or LADDER[height + 1]
        assert LADDER.index(target) > height, f"{name} escalates to {target}"
        left = [step for step in self.to_sign if step[0] != name]
        if target not in {other for other, _ in left}:
            steps = {"details": parts(two_step=True), "method": ("method",), None: (None,)}[part]
            left = [*((target, each) for each in steps), *left]
        self.to_sign, self.standing = left, list(asked.before)


def seal_of(event: Event) -> str:
    """What the `review_hash` of approval.needed must be: SHA-256 over the RFC 8785 form of what is shown."""
    return hashlib.sha256(rfc8785.dumps({name: event[name] for name in SEALED})).hexdigest()


def asked_minor(case: Case) -> int:
    exception, order = case.exception, case.facts.order
    money = order.captured if exception.kind == "cancellation" and order is not None else exception.amount
    return money.amount_minor if money is not None else 0


def minor_of(money: Event | None) -> int | None:
    return None if money is None else int(money["amount_minor"])


def signatures_in(signatures: Sequence[Event]) -> list[Signed]:
    return [Signed(one["level"], (one["reviewer"], *one["on_behalf_of"]), one["verdict"]) for one in signatures]


def payout_of(proposal: Event) -> Payout:
    return minor_of(proposal["amount"]), proposal["method"]


def _changed(decision: Decision, before: Payout, alternatives: Sequence[Event]) -> Payout:
    """What the reviewer made of the payout; never more than it was."""
    amount, method = before
    if decision.verdict == "modify":
        changes: dict[str, Any] = decision.changes or {}
        amount = minor_of(changes.get("amount")) or amount
        method = changes.get("method") or method
    elif str(decision.choice).isdecimal():
        taken = alternatives[int(decision.choice or 0)]
        amount, method = (
            (minor_of(taken["amount"]) or amount, taken["method"] or method)
            if taken["action"] == "refund"
            else (None, None)
        )
    else:
        method = str(decision.choice)
    assert before[0] is None or amount is None or 0 < amount <= before[0], (before, amount)
    assert before[0] is not None or amount is None, (before, amount)
    return amount, method
