"""What the domain promises of any policy, with rules written by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import Alternative, ApprovalPart, ExceptionKind, FiredRule, Money, PolicyReference, Risk, Verdict
from tests.builders import eur, usd
from tests.policies import level
from worker.domain.analysis import Opinion
from worker.domain.approval_policy import ApprovalPolicy, Level, Requirement, Rule
from worker.domain.order_exception import Facts, OrderException

LEVELS = ("clerk", "manager", "director")


def some_facts(amount: Money | None = None) -> Facts:
    exception = OrderException(exception_id="E", kind=ExceptionKind.REFUND, requested_by="agent", amount=amount)
    return Facts(exception=exception, order=None, customer=None)


FACTS = some_facts()


def a_policy(*rules: Rule, levels: tuple[Level, ...] = tuple(map(level, LEVELS)), **fields: Any) -> ApprovalPolicy:
    return ApprovalPolicy(
        reference=PolicyReference(name="p", version="1"),
        rules=rules,
        levels={one.name: one for one in levels},
        **fields,
    )


def a_rule(
    id_: str = "rule", fires: bool = True, levels: tuple[str, ...] = ("clerk",), risk: Risk = Risk.LOW, **fields: Any
) -> Rule:
    return Rule(id_, lambda _: fires, lambda _: f"{id_} says so", levels, risk, **fields)


any_rule = st.builds(
    a_rule,
    st.text(min_size=1),
    st.booleans(),
    st.lists(st.sampled_from(LEVELS), min_size=1, max_size=3, unique=True).map(tuple),
    st.sampled_from(Risk),
)


def names(requirement: Requirement) -> list[str]:
    return [one.name for one in requirement.chain]


def test_nobody_is_asked_when_no_rule_fires() -> None:
    required = a_policy(a_rule(fires=False)).judge(FACTS)
    assert (required.why, required.risk, required.chain) == ((), Risk.LOW, ())


def test_every_reason_is_told_all_levels_sign_in_the_policys_order_and_the_highest_risk_applies() -> None:
    required = a_policy(
        a_rule("a", levels=("director", "manager"), risk=Risk.LOW),
        a_rule("b", levels=("clerk",), risk=Risk.HIGH),
        a_rule("c", levels=("manager",)),
        a_rule("d", fires=False, levels=("director",)),
    ).judge(FACTS)
    assert required.why == tuple(FiredRule(rule=id_, says=f"{id_} says so") for id_ in "abc")
    assert names(required) == ["clerk", "manager", "director"]
    assert required.risk is Risk.HIGH


@pytest.mark.parametrize("breaks", ["applies", "says", "weighs"])
def test_a_rule_that_breaks_counts_as_fired_and_says_so(breaks: str) -> None:
    def broken(_: object) -> Any:
        raise KeyError("order")

    spoilt: dict[str, Any] = {breaks: broken}
    rule = replace(a_rule("fragile", levels=("manager",)), **spoilt)
    required = a_policy(rule).judge(FACTS)
    assert names(required) == ["manager"]
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

    rule = Rule("r", applies, str, ("clerk",), Risk.LOW)
    a_policy(rule, rule, rule, read=read).judge(FACTS)
    assert readings == [FACTS]
    assert seen == ["evidence"] * 3


def rank(policy: ApprovalPolicy) -> int:
    return list(Risk).index(policy.judge(FACTS).risk)


@given(rules=st.lists(any_rule, max_size=6), added=any_rule, place=st.integers(0, 6))
def test_adding_a_rule_never_removes_a_requirement(rules: list[Rule], added: Rule, place: int) -> None:
    fewer, more = a_policy(*rules), a_policy(*rules[:place], added, *rules[place:])
    assert set(fewer.judge(FACTS).why) <= set(more.judge(FACTS).why)
    assert set(names(fewer.judge(FACTS))) <= set(names(more.judge(FACTS)))
    assert rank(fewer) <= rank(more)


@given(data=st.data(), rules=st.lists(any_rule, max_size=6))
def test_the_order_of_the_rules_does_not_matter(data: st.DataObject, rules: list[Rule]) -> None:
    one, other = a_policy(*rules), a_policy(*data.draw(st.permutations(rules)))
    assert names(one.judge(FACTS)) == names(other.judge(FACTS))
    assert rank(one) == rank(other)
    assert set(one.judge(FACTS).why) == set(other.judge(FACTS).why)


class TestCeilings:
    TIERS = (
        level("manager", ceiling=usd(100_000), escalates_to="director"),
        level("director", ceiling=usd(1_000_000), escalates_to="vp"),
        level("vp"),
        level("legal"),
    )

    def tiers(self, *rules: Rule, **fields: Any) -> ApprovalPolicy:
        return a_policy(*(rules or (a_rule(levels=("manager",)),)), levels=self.TIERS, **fields)

    @pytest.mark.parametrize(
        ("minor", "chain"),
        [
            (0, ["manager"]),
            (100_000, ["manager"]),
            (100_001, ["manager", "director"]),
            (1_000_000, ["manager", "director"]),
            (1_000_001, ["manager", "director", "vp"]),
        ],
    )
    def test_an_amount_over_the_ceiling_asks_the_level_above_as_well(self, minor: int, chain: list[str]) -> None:
        assert names(self.tiers().judge(some_facts(usd(minor)))) == chain

    def test_the_reviewer_reads_why_the_level_above_is_asked(self) -> None:
        why = self.tiers().judge(some_facts(usd(2_000_000))).why
        assert [(reason.rule, reason.says) for reason in why[1:]] == [
            ("ceiling-of-manager", "20000.00 USD is over the 1000.00 USD that manager may sign alone"),
            ("ceiling-of-director", "20000.00 USD is over the 10000.00 USD that director may sign alone"),
        ]

    def test_a_case_without_money_has_no_ceiling(self) -> None:
        assert names(self.tiers().judge(FACTS)) == ["manager"]

    def test_an_amount_that_cannot_be_compared_asks_everybody_above(self) -> None:
        assert names(self.tiers().judge(some_facts(eur(1)))) == ["manager", "director", "vp"]

    def test_the_policys_own_comparison_is_used(self) -> None:
        policy = self.tiers(compare=lambda money, currency: money.amount_minor * (2 if currency == "USD" else 1))
        assert names(policy.judge(some_facts(eur(400_000)))) == ["manager", "director"]

    def test_a_level_without_a_ladder_is_left_alone(self) -> None:
        policy = self.tiers(a_rule(levels=("legal",)))
        assert names(policy.judge(some_facts(usd(10**9)))) == ["legal"]

    @given(minor=st.integers(0, 10**7), more=st.integers(0, 10**7))
    def test_a_larger_amount_never_asks_fewer_people(self, minor: int, more: int) -> None:
        policy = self.tiers()
        smaller, larger = (set(names(policy.judge(some_facts(usd(sum_))))) for sum_ in (minor, minor + more))
        assert smaller <= larger

    def test_the_sum_that_a_rule_weighs_climbs_from_its_own_levels(self) -> None:
        weighing = a_rule("sum", levels=("manager",), weighs=lambda _: usd(150_000))
        required = self.tiers(weighing).judge(some_facts(usd(90_000)))
        assert names(required) == ["manager", "director"]
        assert required.why[-1].says == "1500.00 USD is over the 1000.00 USD that manager may sign alone"

    def test_a_sum_is_weighed_only_when_its_rule_fires_and_climbs_from_no_other_rules_levels(self) -> None:
        silent = a_rule("sum", fires=False, levels=("manager",), weighs=lambda _: usd(150_000))
        elsewhere = a_rule("legal", levels=("legal",), weighs=lambda _: usd(150_000))
        policy = self.tiers(a_rule(levels=("manager",)), silent, elsewhere)
        assert names(policy.judge(some_facts(usd(90_000)))) == ["manager", "legal"]

    def test_each_level_above_is_explained_once_for_amount_and_sum_together(self) -> None:
        weighing = a_rule("sum", levels=("manager",), weighs=lambda _: usd(300_000))
        why = self.tiers(weighing).judge(some_facts(usd(200_000))).why
        assert [reason.rule for reason in why] == ["sum", "ceiling-of-manager"]


class TestFallbacks:
    def test_a_fallback_asks_when_nobody_else_does(self) -> None:
        assert names(a_policy(a_rule(fallback=True)).judge(FACTS)) == ["clerk"]

    def test_a_fallback_adds_nobody_where_another_rule_asks_and_is_told_all_the_same(self) -> None:
        policy = a_policy(
            a_rule("theirs", levels=("director",)),
            a_rule("somebody-must-look", fallback=True, two_step=True, risk=Risk.HIGH, weighs=lambda _: usd(10**9)),
        )
        required = policy.judge(FACTS)
        assert names(required) == ["director"]
        assert [reason.rule for reason in required.why] == ["theirs", "somebody-must-look"]
        assert required.risk is Risk.HIGH

    @given(rules=st.lists(any_rule, max_size=5), fallbacks=st.lists(any_rule, max_size=3))
    def test_somebody_is_asked_whenever_anything_fires(self, rules: list[Rule], fallbacks: list[Rule]) -> None:
        required = a_policy(*rules, *(replace(rule, fallback=True) for rule in fallbacks)).judge(FACTS)
        assert bool(required.chain) == bool(required.why)


class TestTwoSteps:
    def test_the_level_is_asked_for_the_details_first_and_for_the_method_then(self) -> None:
        required = a_policy(a_rule(levels=("manager",), two_step=True), a_rule("other", levels=("director",))).judge(
            FACTS
        )
        assert [(one.name, one.part) for one in required.chain] == [
            ("manager", ApprovalPart.DETAILS),
            ("manager", ApprovalPart.METHOD),
            ("director", None),
        ]

    def test_the_method_is_chosen_in_the_second_step_only_and_the_amount_changed_in_the_first_only(self) -> None:
        details, method = a_policy(a_rule(two_step=True)).judge(FACTS).chain
        assert Verdict.CHOOSE not in details.allowed_verdicts
        assert Verdict.MODIFY in details.allowed_verdicts
        assert Verdict.CHOOSE in method.allowed_verdicts
        assert Verdict.MODIFY not in method.allowed_verdicts


def test_without_rates_only_one_currency_can_be_compared() -> None:
    policy = a_policy()
    assert policy.covers(usd(100), usd(100))
    assert not policy.covers(usd(100), usd(101))
    assert not policy.covers(usd(100), eur(1))
    assert policy.covers(None, eur(1))
    assert policy.covers(usd(100), None)


CONDITIONS: dict[str, Callable[[Facts], bool]] = {
    "is sure": lambda facts: (facts.exception.confidence or 0) > 0.9,
    "is unsure": lambda facts: facts.exception.confidence is not None and facts.exception.confidence < 0.5,
    "has no flags": lambda facts: not facts.exception.compliance_flags,
    "has a flag": lambda facts: "legal-threat" in facts.exception.compliance_flags,
    "wants nobody": lambda facts: not facts.exception.customer_requests_human,
    "wants somebody": lambda facts: facts.exception.customer_requests_human,
    "has one way": lambda facts: len(facts.exception.alternatives) == 1,
    "breaks without flags": lambda facts: facts.exception.compliance_flags[0] == "aml",
    "always": lambda facts: True,
}
"""Half of them hold of the facts as they were sent and not of the doubted ones."""


def a_rule_that_looks(id_: str, condition: str, levels: tuple[str, ...], risk: Risk, **fields: Any) -> Rule:
    return Rule(id_, CONDITIONS[condition], lambda _: f"{id_} says so", levels, risk, **fields)


rules_that_look = st.lists(
    st.builds(
        a_rule_that_looks,
        st.uuids().map(str),
        st.sampled_from(sorted(CONDITIONS)),
        st.lists(st.sampled_from(LEVELS), min_size=1, max_size=2, unique=True).map(tuple),
        st.sampled_from(Risk),
        two_step=st.booleans(),
        fallback=st.booleans(),
        per_action=st.booleans(),
        weighs=st.sampled_from([None, lambda _: usd(5_000), lambda _: usd(50_000)]),
    ),
    max_size=5,
)
sent = st.builds(
    lambda **fields: replace_exception(some_facts(usd(1_000)), **fields),
    confidence=st.none() | st.floats(0, 1),
    customer_requests_human=st.booleans(),
    compliance_flags=st.lists(st.sampled_from(["aml", "legal-threat"]), max_size=2).map(tuple),
    alternatives=st.lists(st.just(Alternative(action="refund")), max_size=2).map(tuple),
)
opinions = st.builds(
    Opinion,
    by=st.just("rules"),
    intent=st.none() | st.sampled_from(ExceptionKind),
    confidence=st.none() | st.floats(0, 1),
    wants_human=st.booleans(),
    concerns=st.lists(st.sampled_from(["legal-threat", "aml", "abusive"]), max_size=2).map(tuple),
    alternatives=st.lists(st.just(Alternative(action="replacement")), max_size=2).map(tuple),
)


def replace_exception(facts: Facts, **fields: Any) -> Facts:
    return facts.model_copy(update={"exception": facts.exception.model_copy(update=fields)})


def thought_of(facts: Facts, **fields: Any) -> Facts:
    return facts.model_copy(update={"opinion": Opinion(by="rules", **fields)})


class TestDoubts:
    """What an analyst thinks may ask for more and never for less, whichever way a condition looks at it."""

    LADDER = (
        level("clerk", ceiling=usd(2_000), escalates_to="manager"),
        level("manager", ceiling=usd(20_000), escalates_to="director"),
        level("director"),
    )

    @given(rules=rules_that_look, facts=sent, opinion=opinions)
    def test_no_doubt_takes_anything_away(self, rules: list[Rule], facts: Facts, opinion: Opinion) -> None:
        policy = a_policy(*rules, levels=self.LADDER)
        alone, doubted = policy.judge(facts), policy.judge(facts.model_copy(update={"opinion": opinion}))
        assert set(alone.why) <= set(doubted.why)
        assert set(names(alone)) <= set(names(doubted))
        assert list(Risk).index(alone.risk) <= list(Risk).index(doubted.risk)
        assert {(one.name, one.part) for one in alone.chain if one.part} <= {
            (one.name, one.part) for one in doubted.chain
        }
        assert not doubted.per_action or alone.per_action or not alone.chain

    @given(rules=rules_that_look, facts=sent, opinion=opinions)
    def test_all_that_the_doubted_facts_need_is_asked_for(
        self, rules: list[Rule], facts: Facts, opinion: Opinion
    ) -> None:
        policy = a_policy(*rules, levels=self.LADDER)
        facts = facts.model_copy(update={"opinion": opinion})
        as_if_sent = facts.doubted.model_copy(update={"opinion": None})
        needed, judged = policy.judge(as_if_sent), policy.judge(facts)
        assert {fired.rule for fired in needed.why} <= {fired.rule for fired in judged.why}
        assert set(names(needed)) <= set(names(judged))

    @given(rules=rules_that_look, facts=sent, opinion=opinions)
    def test_levels_sign_in_the_policys_order_and_each_of_them_once(
        self, rules: list[Rule], facts: Facts, opinion: Opinion
    ) -> None:
        chain = a_policy(*rules, levels=self.LADDER).judge(facts.model_copy(update={"opinion": opinion})).chain
        asked = [(LEVELS.index(one.name), one.part is ApprovalPart.METHOD) for one in chain]
        assert asked == sorted(set(asked))

    @pytest.mark.parametrize(
        ("condition", "facts", "doubts"),
        [
            ("is sure", replace_exception(FACTS, confidence=0.99), {"confidence": 0.1}),
            ("has no flags", FACTS, {"concerns": ("legal-threat",)}),
            ("wants nobody", FACTS, {"wants_human": True}),
            (
                "has one way",
                replace_exception(FACTS, alternatives=(Alternative(action="refund"),)),
                {"alternatives": (Alternative(action="replacement"),)},
            ),
        ],
    )
    def test_a_condition_that_a_doubt_would_untrue_holds_all_the_same(
        self, condition: str, facts: Facts, doubts: dict[str, Any]
    ) -> None:
        policy = a_policy(a_rule_that_looks("looks", condition, ("manager",), Risk.HIGH))
        assert names(policy.judge(thought_of(facts, **doubts))) == ["manager"]
        assert not CONDITIONS[condition](thought_of(facts, **doubts).doubted)

    def test_a_fallback_is_asked_beside_a_rule_that_only_the_doubt_makes_fire(self) -> None:
        policy = a_policy(
            a_rule("somebody", levels=("clerk",), fallback=True),
            a_rule_that_looks("flagged", "has a flag", ("director",), Risk.HIGH),
        )
        assert names(policy.judge(FACTS)) == ["clerk"]
        assert names(policy.judge(thought_of(FACTS, concerns=("legal-threat",)))) == ["clerk", "director"]

    def test_a_level_is_asked_in_two_steps_when_either_needs_it(self) -> None:
        policy = a_policy(
            a_rule_that_looks("sure", "is sure", ("manager",), Risk.LOW, two_step=True),
            a_rule_that_looks("unsure", "is unsure", ("manager",), Risk.LOW),
        )
        certain, uncertain = (replace_exception(FACTS, confidence=confidence) for confidence in (0.99, 0.1))
        assert [one.part for one in policy.judge(uncertain).chain] == [None]
        doubted = policy.judge(thought_of(certain, confidence=0.1))
        assert [one.part for one in doubted.chain] == [ApprovalPart.DETAILS, ApprovalPart.METHOD]

    def test_a_doubt_that_holds_back_the_whole_request_frees_none_of_its_actions(self) -> None:
        policy = a_policy(
            a_rule("action-send-email", per_action=True),
            a_rule_that_looks("flagged", "has a flag", ("director",), Risk.HIGH),
        )
        assert policy.judge(FACTS).per_action
        assert not policy.judge(thought_of(FACTS, concerns=("legal-threat",))).per_action

    def test_an_opinion_without_a_doubt_changes_nothing(self) -> None:
        policy = a_policy(a_rule_that_looks("sure", "is sure", ("clerk",), Risk.LOW))
        facts = replace_exception(FACTS, confidence=0.8)
        assert policy.judge(thought_of(facts, confidence=1.0, intent=ExceptionKind.REFUND)) == policy.judge(facts)
