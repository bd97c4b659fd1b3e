"""Whatever a reason says, and whatever an analyst that obeys it answers: a case needs at least what it did before."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import Action, Alternative, ExceptionKind, PayoutMethod, Risk
from tests.analysis.hostile_texts import ALL, FAMILIES, ORDERS
from tests.builders import an_exception, some_facts, usd
from tests.policies import level, policy, rule
from tests.unit.policy_files import a_level, a_policy, a_rule
from worker.adapters.analysis.concerns import Concern
from worker.adapters.analysis.reason_codes import ReasonCode
from worker.adapters.analysis.rules import RuleAnalyst
from worker.adapters.policy.loading import load_policy
from worker.adapters.policy.vocabulary import VARIABLES
from worker.domain.analysis import Opinion
from worker.domain.approval_policy import ApprovalPolicy, Requirement
from worker.domain.order_exception import Facts

NEUTRAL = "arrived broken"
RULES = RuleAnalyst()


@cache
def by_rules(kind: ExceptionKind, text: str) -> Opinion:
    return RULES.opinion_of(facts_of(kind, text))


def breaks(facts: Facts) -> bool:
    """A rule that fails on whatever is doubted."""
    return bool(1 // len(facts.exception.compliance_flags))


CONTRARY = policy(
    level("clerk"),
    level("manager"),
    level("director"),
    rules=(
        rule("clerk", id="trusts", when=lambda facts: facts.exception.confidence == 0.93),
        rule("manager", id="calm", when=lambda facts: not facts.exception.customer_requests_human, two_step=True),
        rule("director", id="clean", when=lambda facts: not facts.exception.compliance_flags, risk=Risk.HIGH),
        rule("clerk", id="few-ways", when=lambda facts: len(facts.exception.alternatives) == 0, fallback=True),
        rule("manager", id="breaks", when=breaks, per_action=True),
    ),
)
"""Rules that fire when there is nothing to doubt: a doubt by itself would switch them off."""

CONTRARY_FILE = a_policy(
    a_level("clerk"),
    a_level("manager"),
    a_level("director"),
    rules=(
        a_rule("level: clerk", id_="sure", when="exception.confidence > 0.9"),
        a_rule("level: manager", id_="calm", when="exception.customer_requests_human == false"),
        a_rule("level: director", id_="clean", when="size(exception.compliance_flags) == 0"),
        a_rule("level: clerk", id_="one-way", when="exception.alternatives < 1"),
    ),
)

POLICIES: Mapping[str, ApprovalPolicy] = {
    "the default policy": load_policy(),
    "contrary rules": CONTRARY,
    "a contrary file": CONTRARY_FILE,
}


def facts_of(kind: ExceptionKind, reason: str, minor: int = 15_000) -> Facts:
    """What the kind needs besides the reason."""
    needs: Mapping[ExceptionKind, dict[str, Any]] = {
        ExceptionKind.ACCOUNT_CHANGE: {"changes": {"email": "a@example.org"}, "amount": None},
        ExceptionKind.ACTION_REQUEST: {"actions": (Action(name="drop_table"), Action(name="look"))},
    }
    exception = an_exception(kind=kind, reason=reason, amount=usd(minor), confidence=0.93)
    return some_facts(exception.model_copy(update=needs.get(kind, {})))


def advised(facts: Facts, opinion: Opinion) -> Facts:
    return facts.model_copy(update={"opinion": opinion})


def obedient(kind: ExceptionKind) -> Opinion:
    """What a model that does as the text says would answer."""
    return Opinion(by="model:obedient", intent=kind, confidence=1.0, reason_code="other")


def assert_no_less(needed: Requirement, before: Requirement) -> None:
    assert {level.name for level in needed.chain} >= {level.name for level in before.chain}
    halves = {(level.name, level.part) for level in before.chain if level.part}
    assert {(level.name, level.part) for level in needed.chain} >= halves
    assert {fired.rule for fired in needed.why} >= {fired.rule for fired in before.why}
    assert list(Risk).index(needed.risk) >= list(Risk).index(before.risk)
    if before.why and not before.per_action:
        assert not needed.per_action


def test_there_are_at_least_500_different_texts_in_at_least_12_languages() -> None:
    assert len(ALL) >= 500
    assert len(ORDERS) >= 12
    assert max(map(len, ALL)) <= 4_000


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("judged_by", POLICIES)
def test_no_text_lowers_what_a_case_needs(family: str, judged_by: str) -> None:
    judge = POLICIES[judged_by].judge
    for kind in ExceptionKind:
        neutral = judge(facts_of(kind, NEUTRAL))
        for text in FAMILIES[family]:
            facts = facts_of(kind, text)
            unadvised = judge(facts)
            assert_no_less(unadvised, neutral)
            for opinion in (by_rules(kind, text), obedient(kind)):
                assert_no_less(judge(advised(facts, opinion)), unadvised)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_text_makes_a_small_refund_need_less_than_nothing_was_said(family: str) -> None:
    """Under every limit a case passes; there a hostile text can only make it wait."""
    judge = POLICIES["the default policy"].judge
    silent = judge(facts_of(ExceptionKind.REFUND, "", minor=500))
    assert silent.chain == ()
    for text in FAMILIES[family]:
        facts = facts_of(ExceptionKind.REFUND, text, minor=500)
        assert_no_less(judge(advised(facts, RULES.opinion_of(facts))), silent)


def test_the_rules_see_through_orders_in_the_languages_they_read() -> None:
    """Not what keeps the bar up, but what tells a reviewer: each language's plainest sentence is a concern."""
    read = ("english", "german", "french", "spanish", "italian", "portuguese", "dutch")
    for language in read:
        opinion = RULES.opinion_of(facts_of(ExceptionKind.REFUND, ORDERS[language][0]))
        assert Concern.ASKS_TO_BYPASS_REVIEW in opinion.concerns, language


def test_no_condition_can_see_the_text_or_the_opinion() -> None:
    assert not [name for name in VARIABLES if "opinion" in name or name.endswith(("reason", "text", "message"))]


def test_a_drop_of_a_level_would_be_seen() -> None:
    facts = facts_of(ExceptionKind.REFUND, NEUTRAL)
    needed = POLICIES["the default policy"].judge(facts)
    assert needed.chain
    with pytest.raises(AssertionError):
        assert_no_less(Requirement(why=(), risk=Risk.LOW, chain=()), needed)


ALTERNATIVES = st.builds(
    Alternative,
    action=st.sampled_from(["refund", "replacement", "approve"]),
    method=st.none() | st.sampled_from(list(PayoutMethod)),
)
OPINIONS = st.builds(
    Opinion,
    by=st.text(),
    intent=st.none() | st.sampled_from(list(ExceptionKind)),
    reason_code=st.none() | st.sampled_from([str(code) for code in ReasonCode]) | st.text(),
    confidence=st.none() | st.floats(0, 1),
    wants_human=st.booleans(),
    concerns=st.lists(st.text() | st.sampled_from([str(concern) for concern in Concern]), max_size=5).map(tuple),
    alternatives=st.lists(ALTERNATIVES, max_size=5).map(tuple),
    customer_message=st.none() | st.text(),
    problem=st.none() | st.text(),
)


@given(
    opinion=OPINIONS,
    kind=st.sampled_from(list(ExceptionKind)),
    minor=st.sampled_from([1, 9_999, 10_001, 100_001, 10**9]),
    confidence=st.none() | st.floats(0, 1),
    judged_by=st.sampled_from(list(POLICIES)),
)
def test_no_opinion_lowers_what_a_case_needs(
    opinion: Opinion, kind: ExceptionKind, minor: int, confidence: float | None, judged_by: str
) -> None:
    judge = POLICIES[judged_by].judge
    facts = facts_of(kind, NEUTRAL, minor)
    facts = facts.model_copy(update={"exception": facts.exception.model_copy(update={"confidence": confidence})})
    assert_no_less(judge(advised(facts, opinion)), judge(facts))


def test_no_confidence_at_all_asks_for_a_person() -> None:
    facts = facts_of(ExceptionKind.REFUND, NEUTRAL, minor=500)
    doubtful = obedient(ExceptionKind.REFUND).model_copy(update={"confidence": 0.0})
    needed = POLICIES["the default policy"].judge(advised(facts, doubtful))
    assert [level.name for level in needed.chain] == ["manager"]
