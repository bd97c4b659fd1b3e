"""Who must approve what, and by when: rules as data, and one pure function over them.

Rules add requirements and never remove one, so their order does not matter. Nothing here can say "no approval
needed" against a rule that fired.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from schemas.values import FiredRule, OnTimeout, PolicyReference, Risk, Verdict
from worker.domain.order_exception import Facts


@dataclass(frozen=True, slots=True)
class Rule:
    """`applies` decides, `says` explains in words to the person who must sign."""

    id: str
    applies: Callable[[Facts], bool]
    says: Callable[[Facts], str]
    level: str
    risk: Risk


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


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    reference: PolicyReference
    rules: tuple[Rule, ...]
    levels: Mapping[str, Level]

    def judge(self, facts: Facts) -> Requirement:
        """All rules are asked, so that the reviewer sees every reason and not the first one."""
        fired = [rule for rule in self.rules if rule.applies(facts)]
        if not fired:
            return Requirement(why=(), risk=Risk.LOW, level=None)
        order = list(self.levels)
        highest = max((rule.level for rule in fired), key=order.index)
        return Requirement(
            why=tuple(FiredRule(rule=rule.id, says=rule.says(facts)) for rule in fired),
            risk=max((rule.risk for rule in fired), key=list(Risk).index),
            level=self.levels[highest],
        )
