"""The figures of an audit report, added up decision by decision: a million of them leaves a few numbers behind."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from schemas.values import Money, ReceiptCode, Verdict
from worker.adapters.postgres.audit_report import ClosedQuestions, DecisionOnRecord
from worker.domain.reviewers import person_key

TOOK_EFFECT = frozenset({ReceiptCode.ACCEPTED, ReceiptCode.RECORDED})
LISTED = 200
"""Overrides and attempts at self-approval that a page shows one by one, the first of the period; all are counted, and
all are rows of the CSV and JSON forms."""


@dataclass(slots=True)
class Times:
    """Seconds from question to decision."""

    seconds: "array[float]" = field(default_factory=lambda: array("d"))

    def percentile(self, share: float) -> float | None:
        """By nearest rank: a time that somebody really took."""
        if not self.seconds:
            return None
        return sorted(self.seconds)[ceil(share * len(self.seconds)) - 1]

    def document(self) -> dict[str, float | None]:
        return {"median": self.percentile(0.5), "p90": self.percentile(0.9), "max": self.percentile(1.0)}


@dataclass(slots=True)
class Tally:
    """What one person did, or what was done at one level, or all of it."""

    name: str
    verdicts: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    overrides: int = 0
    signed: Counter[str] = field(default_factory=Counter)
    times: Times = field(default_factory=Times)

    @property
    def took_effect(self) -> int:
        return self.verdicts.total()

    @property
    def amounts(self) -> list[Money]:
        """What was signed for, one sum for each currency; each may be larger than a case's amount can be."""
        return [
            Money.model_construct(amount_minor=minor, currency=currency)
            for currency, minor in sorted(self.signed.items())
        ]

    def add(self, decision: DecisionOnRecord) -> None:
        if decision.code not in TOOK_EFFECT:
            self.refused += 1
            return
        self.verdicts[decision.verdict or ""] += 1
        self.overrides += is_override(decision)
        if decision.amount_minor is not None and decision.currency is not None:
            self.signed[decision.currency] += decision.amount_minor
        if (seconds := seconds_to_decide(decision)) is not None:
            self.times.seconds.append(seconds)

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "took_effect": self.took_effect,
            "refused": self.refused,
            "verdicts": {verdict: self.verdicts[verdict] for verdict in Verdict if self.verdicts[verdict]},
            "overrides": self.overrides,
            "signed": [money.model_dump() for money in self.amounts],
            "seconds_to_decide": self.times.document(),
        }


@dataclass(slots=True)
class Lateness:
    """How the closed questions of a level kept their time."""

    closed: int = 0
    after_reminder: int = 0
    expired: int = 0
    escalated: int = 0

    def add(self, questions: ClosedQuestions) -> None:
        self.closed += questions.closed
        self.after_reminder += questions.after_reminder
        self.expired += questions.expired
        self.escalated += questions.escalated


@dataclass(slots=True)
class Figures:
    """`refusals` count decisions and commands by code. `policies` count the questions that each version judged."""

    total: Tally = field(default_factory=lambda: Tally("all"))
    people: dict[str, Tally] = field(default_factory=dict)
    levels: dict[str, Tally] = field(default_factory=dict)
    commands: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    self_approvals: list[DecisionOnRecord] = field(default_factory=list)
    overrides: list[DecisionOnRecord] = field(default_factory=list)
    lateness: dict[str, Lateness] = field(default_factory=dict)
    policies: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, decision: DecisionOnRecord) -> None:
        if decision.code not in TOOK_EFFECT:
            self.refusals[decision.code] += 1
        if decision.code == ReceiptCode.SELF_APPROVAL and len(self.self_approvals) < LISTED:
            self.self_approvals.append(decision)
        if decision.command is not None:
            self.commands[decision.command] += decision.code in TOOK_EFFECT
            return
        key = person_key(decision.reviewer)
        tallies = [self.total, self.people.setdefault(key, Tally(decision.reviewer))]
        if decision.level is not None:
            name = decision.level["name"]
            tallies.append(self.levels.setdefault(name, Tally(name)))
        for tally in tallies:
            tally.add(decision)
        if is_override(decision) and len(self.overrides) < LISTED:
            self.overrides.append(decision)

    def add_questions(self, counted: Iterable[ClosedQuestions]) -> None:
        for questions in counted:
            self.lateness.setdefault(questions.level, Lateness()).add(questions)
            self.policies[(questions.policy, questions.policy_version)] += questions.closed

    def document(self) -> dict[str, Any]:
        return {
            "total": self.total.document(),
            "people": [tally.document() for _, tally in sorted(self.people.items())],
            "levels": [tally.document() for _, tally in sorted(self.levels.items())],
            "questions": [
                {
                    "level": level,
                    "closed": late.closed,
                    "answered_after_reminder": late.after_reminder,
                    "expired": late.expired,
                    "escalated_by_timeout": late.escalated,
                }
                for level, late in sorted(self.lateness.items())
            ],
            "refusals": dict(sorted(self.refusals.items())),
            "commands": dict(sorted(self.commands.items())),
            "policies": [
                {"name": name, "version": version, "questions": count}
                for (name, version), count in sorted(self.policies.items())
            ],
        }


def is_override(decision: DecisionOnRecord) -> bool:
    """Whether something else is done than what was proposed: it was rejected, changed, or replaced."""
    if decision.code not in TOOK_EFFECT or decision.command is not None:
        return False
    if decision.verdict == Verdict.CHOOSE:
        return decision.choice != (decision.proposal or {}).get("method")
    return decision.verdict in (Verdict.MODIFY, Verdict.REJECT)


def seconds_to_decide(decision: DecisionOnRecord) -> float | None:
    """From the question to the decision that answered it; None for one without effect."""
    asked: datetime | None = decision.asked_at
    if asked is None or decision.code not in TOOK_EFFECT:
        return None
    return max(0.0, round((decision.received_at - asked).total_seconds(), 3))
