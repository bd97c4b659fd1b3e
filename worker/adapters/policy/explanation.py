"""What a policy would do about an exception and why, as plain data."""

from dataclasses import dataclass

from worker.adapters.policy.quantities import written_duration
from worker.domain.approval_policy import ApprovalPolicy, Finding, Requirement
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """`says` is the sentence of a rule that fired, empty otherwise; `when` its condition."""

    id: str
    fired: bool
    says: str
    when: str
    level: str
    risk: str
    built_in: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """All plain values: `dataclasses.asdict` gives JSON. `level` is None when nobody is asked."""

    policy: str
    version: str
    amount: str | None
    automatic: bool
    level: str | None
    risk: str
    what_happens: str
    rules: tuple[RuleExplanation, ...]


def explain(policy: ApprovalPolicy, facts: Facts) -> Explanation:
    """Asks every rule, exactly as a judgement does; changes nothing."""
    findings = policy.examine(facts)
    requirement = policy.require(findings)
    amount = propose(facts).amount
    return Explanation(
        policy=policy.reference.name,
        version=policy.reference.version,
        amount=str(amount) if amount else None,
        automatic=requirement.level is None,
        level=requirement.level.name if requirement.level else None,
        risk=str(requirement.risk),
        what_happens=_what_happens(requirement),
        rules=tuple(_explain(finding) for finding in findings),
    )


def _explain(finding: Finding) -> RuleExplanation:
    rule = finding.rule
    return RuleExplanation(
        id=rule.id,
        fired=finding.fired,
        says=finding.says or "",
        when=rule.when,
        level=rule.level,
        risk=str(rule.risk),
        built_in=rule.built_in,
    )


def _what_happens(requirement: Requirement) -> str:
    level = requirement.level
    if level is None:
        return "It goes on by itself: no rule asks for a person."
    verdicts = ", ".join(level.allowed_verdicts)
    return (
        f"It waits for {level.quorum} decision by the role {level.role} ({verdicts}); "
        f"after {written_duration(level.due_in)} without one it is rejected."
    )
