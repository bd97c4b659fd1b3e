"""What a policy would do about an exception and why, as plain data."""

from dataclasses import dataclass

from schemas.values import Action, ApprovalPart, OnTimeout
from worker.adapters.policy.quantities import written_duration
from worker.domain.approval_policy import ActionTerms, ApprovalPolicy, Finding, Level, Requirement
from worker.domain.deadlines import DeadlineAction, DeadlineStep
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose

NOBODY_IS_ASKED = "It goes on by itself: no rule asks for a person."


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """`says` is the sentence of a rule that fired, empty otherwise; `when` its condition. `level` is the first of its
    `levels`. A `fallback` that fired asks its levels only if no other rule asks anybody."""

    id: str
    fired: bool
    says: str
    when: str
    level: str
    levels: tuple[str, ...]
    risk: str
    built_in: bool
    fallback: bool


@dataclass(frozen=True, slots=True)
class LevelExplanation:
    """One question of the chain. `part` is set for the halves of a two-step level, `waits` says in words what happens
    while nobody answers."""

    name: str
    role: str
    quorum: int
    part: str | None
    allowed_verdicts: tuple[str, ...]
    ceiling: str | None
    reviewer_cap: str | None
    waits: str


@dataclass(frozen=True, slots=True)
class ActionExplanation:
    """One action of an action request. `waits` for a signature, or runs without one; `problem` says what is wrong with
    its arguments by the policy's schema, None for nothing."""

    name: str
    waits: bool
    problem: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All plain values: `dataclasses.asdict` gives JSON. `levels` is the chain of questions, `level` the name of the
    first one, None when nobody is asked. `why` is every reason that the reviewers would read. `actions` are those of
    an action request."""

    policy: str
    version: str
    amount: str | None
    automatic: bool
    level: str | None
    levels: tuple[LevelExplanation, ...]
    risk: str
    what_happens: str
    why: tuple[str, ...]
    rules: tuple[RuleExplanation, ...]
    actions: tuple[ActionExplanation, ...] = ()


def explain(policy: ApprovalPolicy, facts: Facts) -> Explanation:
    """Asks every rule, exactly as a judgement does; changes nothing."""
    findings = policy.examine(facts)
    proposal = propose(facts)
    amount = proposal.amount
    requirement = policy.require(findings, amount)
    return Explanation(
        policy=policy.reference.name,
        version=policy.reference.version,
        amount=str(amount) if amount else None,
        automatic=not requirement.chain,
        level=requirement.chain[0].name if requirement.chain else None,
        levels=tuple(_explain_level(level) for level in requirement.chain),
        risk=str(requirement.risk),
        what_happens=_what_happens(requirement),
        why=tuple(reason.says for reason in requirement.why),
        rules=tuple(_explain_rule(finding) for finding in findings),
        actions=tuple(_explain_action(action, policy, requirement) for action in proposal.actions or ()),
    )


def _explain_action(action: Action, policy: ApprovalPolicy, requirement: Requirement) -> ActionExplanation:
    """A rule about the whole request holds back those that would pass by themselves as well."""
    terms = policy.actions.get(action.name, ActionTerms())
    held_back = bool(requirement.chain) and not requirement.per_action
    return ActionExplanation(
        name=action.name,
        waits=held_back or not terms.passes,
        problem=terms.problem_with(action.args),
    )


def _explain_rule(finding: Finding) -> RuleExplanation:
    rule = finding.rule
    return RuleExplanation(
        id=rule.id,
        fired=finding.fired,
        says=finding.says or "",
        when=rule.when,
        level=rule.levels[0],
        levels=rule.levels,
        risk=str(rule.risk),
        built_in=rule.built_in,
        fallback=rule.fallback,
    )


def _explain_level(level: Level) -> LevelExplanation:
    return LevelExplanation(
        name=level.name,
        role=level.role,
        quorum=level.quorum,
        part=str(level.part) if level.part else None,
        allowed_verdicts=tuple(map(str, level.allowed_verdicts)),
        ceiling=str(level.ceiling) if level.ceiling else None,
        reviewer_cap=f"{level.cap.amount} per {written_duration(level.cap.window)}" if level.cap else None,
        waits=in_words(level),
    )


def _what_happens(requirement: Requirement) -> str:
    """One sentence for one question, and one more for each that follows."""
    return (
        " ".join(
            f"{'Then it' if number else 'It'} waits for {_who(level)} ({', '.join(level.allowed_verdicts)}); "
            f"{in_words(level)}."
            for number, level in enumerate(requirement.chain)
        )
        or NOBODY_IS_ASKED
    )


def _who(level: Level) -> str:
    people = "1 decision" if level.quorum == 1 else f"{level.quorum} decisions of different people"
    about = {ApprovalPart.DETAILS: " on the details", ApprovalPart.METHOD: " on the method of payment", None: ""}
    return f"{people} by the role {level.role}{about[level.part]}"


def in_words(level: Level) -> str:
    """What happens to the level's question while nobody answers: `after 12h a reminder, after 1d …`."""
    steps = [f"after {_time(level, step.at)} {_step(step)}" for step in level.deadlines]
    end = f"after {_time(level, 1)} without one {_end(level)}"
    return ", ".join([*steps, end])


def _time(level: Level, fraction: float) -> str:
    length = written_duration(level.due_in * fraction, days=level.calendar is None)
    return f"{length} of working time" if level.calendar else length


def _step(step: DeadlineStep) -> str:
    return f"the role {step.to} is asked instead" if step.do is DeadlineAction.HAND_OVER else "a reminder"


def _end(level: Level) -> str:
    if level.on_timeout is OnTimeout.ESCALATE:
        return f"{level.escalates_to} is asked instead"
    return "it is rejected"
