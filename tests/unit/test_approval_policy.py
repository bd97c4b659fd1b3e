"""What the domain promises of any policy, with rules written by hand."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import ExceptionKind, FiredRule, OnTimeout, PolicyReference, Risk, Verdict
from worker.domain.approval_policy import ApprovalPolicy, Level, Rule
from worker.domain.order_exception import Facts, OrderException

LEVELS = ("clerk", "manager", "director")
FACTS = Facts(
    exception=OrderException(exception_id="E", kind=ExceptionKind.REFUND, requested_by="agent"),
    order=None,
    customer=None,
)


def a_level(name: str) -> Level:
    return Level(name, f"{name}s", timedelta(hours=1), OnTimeout.REJECT, (Verdict.APPROVE,))


def a_policy(*rules: Rule) -> ApprovalPolicy:
    return ApprovalPolicy(
        reference=PolicyReference(name="p", version="1"),
        rules=rules,
        levels={name: a_level(name) for name in LEVELS},
    )


def a_rule(id_: str = "rule", fires: bool = True, level: str = "clerk", risk: Risk = Risk.LOW) -> Rule:
    return Rule(id_, lambda _: fires, lambda _: f"{id_} says so", level, risk)


any_rule = st.builds(a_rule, st.text(min_size=1), st.booleans(), st.sampled_from(LEVELS), st.sampled_from(Risk))


def rank(policy: ApprovalPolicy) -> tuple[int, int]:
    """How much is required: the level and the risk, as places in their orders."""
    required = policy.judge(FACTS)
    level = LEVELS.index(required.level.name) if required.level else -1
    return level, list(Risk).index(required.risk)


def test_nobody_is_asked_when_no_rule_fires() -> None:
    required = a_policy(a_rule(fires=False)).judge(FACTS)
    assert (required.why, required.risk, required.level) == ((), Risk.LOW, None)


def test_the_reviewer_sees_every_reason_and_the_highest_level_and_risk_apply() -> None:
    required = a_policy(
        a_rule("a", level="manager", risk=Risk.LOW),
        a_rule("b", level="clerk", risk=Risk.HIGH),
        a_rule("c", fires=False, level="director"),
    ).judge(FACTS)
    assert required.why == (
        FiredRule(rule="a", says="a says so"),
        FiredRule(rule="b", says="b says so"),
    )
    assert required.level == a_level("manager")
    assert required.risk is Risk.HIGH


@pytest.mark.parametrize("breaks", ["applies", "says"])
def test_a_rule_that_breaks_counts_as_fired_and_says_so(breaks: str) -> None:
    def broken(_: object) -> bool:
        raise KeyError("order")

    rule = Rule(
        "fragile",
        broken if breaks == "applies" else lambda _: True,
        broken if breaks == "says" else lambda _: "fine",  # type: ignore[arg-type]
        "manager",
        Risk.MEDIUM,
    )
    required = a_policy(rule).judge(FACTS)
    assert required.level == a_level("manager")
    assert required.why == (
        FiredRule(
            rule="fragile",
            says="rule fragile could not be evaluated (KeyError): a person decides",
        ),
    )


def test_the_facts_are_read_once_for_all_rules() -> None:
    readings: list[Facts] = []

    def read(facts: Facts) -> str:
        readings.append(facts)
        return "evidence"

    seen: list[object] = []

    def applies(evidence: object) -> bool:
        seen.append(evidence)
        return False

    rule = Rule("r", applies, str, "clerk", Risk.LOW)
    policy = a_policy(rule, rule, rule)
    ApprovalPolicy(policy.reference, policy.rules, policy.levels, read).judge(FACTS)
    assert readings == [FACTS]
    assert seen == ["evidence"] * 3


@given(rules=st.lists(any_rule, max_size=6), added=any_rule, place=st.integers(0, 6))
def test_adding_a_rule_never_removes_a_requirement(rules: list[Rule], added: Rule, place: int) -> None:
    fewer, more = a_policy(*rules), a_policy(*rules[:place], added, *rules[place:])
    assert set(fewer.judge(FACTS).why) <= set(more.judge(FACTS).why)
    assert all(before <= after for before, after in zip(rank(fewer), rank(more), strict=True))


@given(data=st.data(), rules=st.lists(any_rule, max_size=6))
def test_the_order_of_the_rules_does_not_matter(data: st.DataObject, rules: list[Rule]) -> None:
    one, other = a_policy(*rules), a_policy(*data.draw(st.permutations(rules)))
    assert rank(one) == rank(other)
    assert set(one.judge(FACTS).why) == set(other.judge(FACTS).why)
