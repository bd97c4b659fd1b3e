"""What people agreed to: worked out from the questions that were published and the decisions that count, round by
round. Each round of a case is judged by its own signatures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.checker.events import Question
from tests.chaos.checker.history import Request
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import Action, Approval, Case, Decision, Money

MOVES_MONEY = frozenset({"refund", "cancellation", "price_adjustment"})


@dataclass(slots=True)
class Consent:
    """`signers` are people by level, for what is finally agreed: a change voids the signatures before it at its level.
    `passed_over` are levels that gave the question to another. `last` is the decision that said last what is done."""

    signers: dict[str, set[str]] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)
    last: Decision | None = None
    shown: Question | None = None

    @property
    def amount(self) -> Money | None:
        """What may be paid; None where nobody agreed to a payment."""
        if self.last is None or self.shown is None:
            return None
        return amount_after(self.last, self.shown)

    @property
    def actions(self) -> Mapping[str, Action]:
        """What may run, by id."""
        if self.last is None or self.shown is None:
            return {}
        return {**_actions_after(self.last, self.shown), **self.shown.passing}


def consent_of(run: Run, case_id: str, round_: int, until: float = float("inf")) -> Consent:
    """Of one round, as it was on record at a moment of the database."""
    consent = Consent()
    for approval in run.approvals_of.get(case_id, ()):
        question = run.published.questions.get(approval.approval_id)
        if approval.round != round_ or question is None:
            continue
        for decision in run.decisions_of.get(case_id, ()):
            if decision.approval_id == approval.approval_id and decision.received_at <= until:
                _count(run, consent, approval, question, decision)
        if approval.closed_as == "escalated" and (approval.closed_at or until) <= until:
            consent.passed_over.add(approval.level)
    return consent


def missing(run: Run, consent: Consent, demand: Request, round_: int) -> Iterator[str]:
    """What the shop demands and nobody gave. A level that passed the question on is stood in for by one above it; a
    case that came back to people, for whatever reason, needs somebody in any case."""
    signed = {level for level, people in consent.signers.items() if people}
    rank = {level: number for number, level in enumerate(run.levels)}
    for level in demand.needs:
        people = consent.signers.get(level, set())
        wanted = demand.quorum.get(level, 1)
        above = {other for other in signed - consent.passed_over if rank.get(other, -1) > rank.get(level, -1)}
        stood_in_for = level in consent.passed_over and bool(above)
        if len(people) < wanted and not stood_in_for:
            yield f"level {level} has {len(people)} of {wanted} signatures"
    if round_ > 1 and not signed:
        yield f"nobody signed round {round_}"


def most(run: Run, case: Case, demand: Request) -> Money | None:
    """What was asked for; of a cancellation what the order captured."""
    if case.kind != "cancellation":
        return demand.amount
    captured = captured_of(run, demand.order_id)
    return captured or demand.amount


def captured_of(run: Run, order_id: str | None) -> Money | None:
    truth = run.orders.get(order_id or "")
    return Money(truth["captured_minor"], truth["currency"]) if truth else None


def _count(run: Run, consent: Consent, approval: Approval, question: Question, decision: Decision) -> None:
    if decision.verdict == "escalate":
        consent.passed_over.add(approval.level)
    if not decision.agrees:
        return
    person = run.people.person(decision.reviewer)
    is_change = decision.verdict != "approve" and approval.closed_as == "modified" and decision.code == "ACCEPTED"
    before = set() if is_change else consent.signers.get(approval.level, set())
    consent.signers[approval.level] = before | {person}
    consent.last, consent.shown = decision, question


def amount_after(decision: Decision, shown: Question) -> Money | None:
    if decision.verdict == "modify":
        changed = decision.changes.get("amount")
        return Money(changed["amount_minor"], changed["currency"]) if changed else shown.amount
    if decision.verdict == "choose" and (index := _index(decision.choice)) is not None:
        if index >= len(shown.alternatives):
            return None
        taken = shown.alternatives[index]
        return (taken.amount or shown.amount) if taken.action in MOVES_MONEY else None
    return shown.amount if shown.action in MOVES_MONEY else None


def _index(choice: int | str | None) -> int | None:
    if isinstance(choice, str):
        return int(choice) if choice.isdecimal() else None
    return choice


def _actions_after(decision: Decision, shown: Question) -> dict[str, Action]:
    listed = list(shown.actions.items())
    kept: Any = decision.changes.get("approved_actions")
    edits: dict[int, Any] = {each["index"]: each["args"] for each in decision.changes.get("edited_actions") or ()}
    indexes = range(len(listed)) if kept is None else kept
    chosen = {index: listed[index] for index in indexes if index < len(listed)}
    return {id_: Action(action.name, edits.get(index, action.args)) for index, (id_, action) in chosen.items()}
