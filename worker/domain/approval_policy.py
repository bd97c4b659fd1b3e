"""Who must approve what, and by when: rules as data, and one pure function over them.

Rules add requirements and never remove one, so their order does not matter. Nothing here can say
"no approval needed" against a rule that fired, and a rule that breaks counts as one that fired.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from schemas.values import FiredRule, OnTimeout, PolicyReference, Risk, Verdict
from worker.domain.order_exception import Facts

Evidence = Any
"""What the rules of a policy look at: the facts, or whatever its `read` made of them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`applies` decides, `says` explains in words to the person who must sign.

    `when` is the condition as its author wrote it, shown by explanations; a built-in rule stands in
    no file.
    """

    id: str
    applies: Callable[[Evidence], bool]
    says: Callable[[Evidence], str]
    level: str
    risk: Risk
    when: str = ""
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule answered: `says` is None when it did not fire."""

    rule: Rule
    says: str | None

    @property
    def fired(self) -> bool:
        return self.says is not None


@dataclass(frozen=True, slots=True)
class Level:
    """Who answers (anyone holding `role`), in what time, and what happens when nobody does."""

    name: str
    role: str
    due_in: timedelta
    on_timeout: OnTimeout
    allowed_verdicts: tuple[Verdict, ...]
    quorum: int = 1


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a case needs. `level` is None when no rule fired: the case may go on by itself."""

    why: tuple[FiredRule, ...]
    risk: Risk
    level: Level | None


def _the_facts_themselves(facts: Facts) -> Evidence:
    return facts


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Levels run from the lowest to the highest; `read` prepares the facts once for all rules."""

    reference: PolicyReference
    rules: tuple[Rule, ...]
    levels: Mapping[str, Level]
    read: Callable[[Facts], Evidence] = _the_facts_themselves

    def judge(self, facts: Facts) -> Requirement:
        """Of all rules that fired: every reason, the highest level and the highest risk."""
        return self.require(self.examine(facts))

    def examine(self, facts: Facts) -> tuple[Finding, ...]:
        """All rules are asked, so that the reviewer sees every reason and not the first one."""
        evidence = self.read(facts)
        return tuple(_ask(rule, evidence) for rule in self.rules)

    def require(self, findings: tuple[Finding, ...]) -> Requirement:
        """What follows from the findings of this policy's rules."""
        why = tuple(
            FiredRule(rule=finding.rule.id, says=finding.says) for finding in findings if finding.says is not None
        )
        if not why:
            return Requirement(why=(), risk=Risk.LOW, level=None)
        fired = [finding.rule for finding in findings if finding.fired]
        highest = max((rule.level for rule in fired), key=list(self.levels).index)
        return Requirement(
            why=why,
            risk=max((rule.risk for rule in fired), key=list(Risk).index),
            level=self.levels[highest],
        )


def _ask(rule: Rule, evidence: Evidence) -> Finding:
    """Whatever goes wrong in a rule must not be what lets money go: then a person looks."""
    try:
        return Finding(rule, rule.says(evidence) if rule.applies(evidence) else None)
    except Exception as error:  # a rule is its author's code: any failure of it counts as fired
        cause = type(error).__name__
        return Finding(rule, f"rule {rule.id} could not be evaluated ({cause}): a person decides")
