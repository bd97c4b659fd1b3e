"""Who must approve what, and by when: rules as data, and one pure function over them.

Rules add requirements and never remove one, so their order does not matter. Nothing here can say
"no approval needed" against a rule that fired, and a rule that breaks counts as one that fired.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from schemas.values import ApprovalPart, FiredRule, Money, OnTimeout, PolicyReference, Proposal, Risk, Value, Verdict
from worker.domain.business_calendar import BusinessCalendar
from worker.domain.deadlines import DeadlineStep
from worker.domain.order_exception import Facts
from worker.domain.resolution import draft, propose

Evidence = Any
"""What the rules of a policy look at: the facts, or whatever its `read` made of them."""

Draft = Callable[[Verdict, Proposal, Facts], str | None]
"""What the customer would be told if the proposal were approved, or rejected."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`applies` decides, `says` explains in words to the person who must sign; all `levels` must.

    `two_step` asks each of its levels to confirm the details first and the method of payment then. `weighs` gives
    the figure that its levels' ceilings must cover besides the case's own amount, such as a sum over several cases.
    A `fallback` asks its levels only when no other rule asks anybody; its reason is told all the same. `per_action`:
    it is about single actions of a request, and leaves the others free to pass. `when` is the condition as its author
    wrote it, shown by explanations; a built-in rule stands in no file.
    """

    id: str
    applies: Callable[[Evidence], bool]
    says: Callable[[Evidence], str]
    levels: tuple[str, ...]
    risk: Risk
    two_step: bool = False
    weighs: Callable[[Evidence], Money | None] | None = None
    fallback: bool = False
    per_action: bool = False
    when: str = ""
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule answered: `says` is None when it did not fire, `weight` what a rule that did weighs."""

    rule: Rule
    says: str | None
    weight: Money | None = None

    @property
    def fired(self) -> bool:
        return self.says is not None


class Cap(Value):
    """The most that one reviewer may sign for within a window of time."""

    amount: Money
    window: timedelta


class Level(Value):
    """Who answers (`quorum` different people holding `role`), in what time, and what happens when they do not.

    `ceiling` is the largest amount for which this level is enough: above it `escalates_to` must sign as well.
    `part` is set for the halves of a two-step level. Plain data, because a waiting case keeps the levels it was
    given, whatever the next policy says.
    """

    name: str
    role: str
    due_in: timedelta
    on_timeout: OnTimeout
    allowed_verdicts: tuple[Verdict, ...]
    quorum: int = 1
    ceiling: Money | None = None
    escalates_to: str | None = None
    deadlines: tuple[DeadlineStep, ...] = ()
    calendar: BusinessCalendar | None = None
    cap: Cap | None = None
    part: ApprovalPart | None = None


def _no_problem(args: Mapping[str, Any]) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class ActionTerms:
    """What a policy says of the actions of one name. `passes`: they want no signature. `problem_with` says what is
    wrong with their arguments by the JSON Schema `args_schema`, or None."""

    passes: bool = False
    args_schema: Mapping[str, Any] | None = None
    problem_with: Callable[[Mapping[str, Any]], str | None] = _no_problem


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a case needs: the levels that must sign, one after the other. None when no rule fired: the case may go on
    by itself. `per_action`: only some actions of a request made it wait; those that want no signature may pass."""

    why: tuple[FiredRule, ...]
    risk: Risk
    chain: tuple[Level, ...]
    per_action: bool = False


def _the_facts_themselves(facts: Facts) -> Evidence:
    return facts


def _same_currency_only(money: Money, base: str) -> int | None:
    return money.amount_minor if money.currency == base else None


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Levels stand in the order in which they sign; `read` prepares the facts once for all rules.

    `compare` gives an amount in minor units of another currency, rounded up, or None without a rate. `exposure` is
    how far back other cases are added up; None when no rule looks at them. `requires_hash`: a decision must carry
    the `review_hash` of what its reviewer saw. `actions` are the terms of the actions that it names; one that it does
    not name wants a signature.
    """

    reference: PolicyReference
    rules: tuple[Rule, ...]
    levels: Mapping[str, Level]
    actions: Mapping[str, ActionTerms] = field(default_factory=dict)
    read: Callable[[Facts], Evidence] = _the_facts_themselves
    compare: Callable[[Money, str], int | None] = _same_currency_only
    draft: Draft = draft
    exposure: timedelta | None = None
    requires_hash: bool = False
    claim: timedelta = timedelta(hours=1)

    def judge(self, facts: Facts) -> Requirement:
        """Of all rules that fired: every reason, every level, and the highest risk. What an analyst doubts is judged
        besides, so that it can only add to what the facts need by themselves."""
        amount, sent, doubted = propose(facts).amount, facts.as_sent, facts.doubted
        needed = self.require(self.examine(sent), amount)
        if doubted is facts:
            return needed
        return self._both(needed, self.require(self.examine(doubted), amount))

    def examine(self, facts: Facts) -> tuple[Finding, ...]:
        """All rules are asked, so that the reviewer sees every reason and not the first one."""
        evidence = self.read(facts)
        return tuple(_ask(rule, evidence) for rule in self.rules)

    def require(self, findings: tuple[Finding, ...], amount: Money | None) -> Requirement:
        """What follows from the findings of this policy's rules for a case of this amount."""
        why = [FiredRule(rule=finding.rule.id, says=finding.says) for finding in findings if finding.says is not None]
        if not why:
            return Requirement(why=(), risk=Risk.LOW, chain=())
        fired = [finding for finding in findings if finding.fired]
        asking = [finding for finding in fired if not finding.rule.fallback] or fired
        names = {level for finding in asking for level in finding.rule.levels}
        two_step = {level for finding in asking if finding.rule.two_step for level in finding.rule.levels}
        why += self._climb(names, names, amount)
        for finding in asking:
            why += self._climb(names, finding.rule.levels, finding.weight)
        return Requirement(
            why=tuple(why),
            risk=max((finding.rule.risk for finding in fired), key=list(Risk).index),
            chain=self._chain(names, two_step),
            per_action=all(finding.rule.per_action for finding in asking),
        )

    def _both(self, one: Requirement, other: Requirement) -> Requirement:
        known = {fired.rule for fired in one.why}
        names = {level.name for level in (*one.chain, *other.chain)}
        two_step = {level.name for level in (*one.chain, *other.chain) if level.part is not None}
        return Requirement(
            why=(*one.why, *(fired for fired in other.why if fired.rule not in known)),
            risk=max(one.risk, other.risk, key=list(Risk).index),
            chain=self._chain(names, two_step),
            per_action=one.per_action and other.per_action,
        )

    def _chain(self, names: Collection[str], two_step: Collection[str]) -> tuple[Level, ...]:
        """The levels of these names in the order in which they sign."""
        return tuple(
            part
            for name, level in self.levels.items()
            if name in names
            for part in (in_two_steps(level) if name in two_step else (level,))
        )

    def covers(self, ceiling: Money | None, amount: Money | None) -> bool:
        """Whether an amount is within a ceiling; one that cannot be compared is not."""
        if ceiling is None or amount is None:
            return True
        limit, asked = self.compare(ceiling, ceiling.currency), self.compare(amount, ceiling.currency)
        return limit is not None and asked is not None and asked <= limit

    def _climb(self, names: set[str], start: Collection[str], amount: Money | None) -> list[FiredRule]:
        """Adds to `names` the levels above those of `start` whose ceiling does not cover the amount; says why."""
        why = []
        for name in [name for name in self.levels if name in start]:
            level = self.levels[name]
            while level.escalates_to is not None and not self.covers(level.ceiling, amount):
                if level.escalates_to not in names:
                    names.add(level.escalates_to)
                    why.append(_over_ceiling(level, amount))
                level = self.levels[level.escalates_to]
        return why


def in_two_steps(level: Level) -> tuple[Level, Level]:
    """The same people, asked twice: what is done, then how the money goes back."""
    details = tuple(verdict for verdict in level.allowed_verdicts if verdict is not Verdict.CHOOSE)
    method = tuple(verdict for verdict in level.allowed_verdicts if verdict is not Verdict.MODIFY)
    return (
        level.model_copy(update={"part": ApprovalPart.DETAILS, "allowed_verdicts": details}),
        level.model_copy(
            update={
                "part": ApprovalPart.METHOD,
                "allowed_verdicts": method if Verdict.CHOOSE in method else (*method, Verdict.CHOOSE),
            }
        ),
    )


def _over_ceiling(level: Level, amount: Money | None) -> FiredRule:
    says = f"{amount} is over the {level.ceiling} that {level.name} may sign alone"
    return FiredRule(rule=f"ceiling-of-{level.name}", says=says)


def _ask(rule: Rule, evidence: Evidence) -> Finding:
    """Whatever goes wrong in a rule must not be what lets money go: then a person looks."""
    try:
        if not rule.applies(evidence):
            return Finding(rule, None)
        return Finding(rule, rule.says(evidence), rule.weighs(evidence) if rule.weighs else None)
    except Exception as error:  # a rule is its author's code: any failure of it counts as fired
        cause = type(error).__name__
        return Finding(rule, f"rule {rule.id} could not be evaluated ({cause}): a person decides")
