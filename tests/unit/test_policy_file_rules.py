"""What a policy file says of its rules, and of all cases, is what happens."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.values import Action, Alternative, ApprovalPart, ExceptionKind, Verdict
from tests.builders import an_exception, eur, some_facts, usd
from tests.unit.policy_files import a_level, a_policy, a_refund, a_rule, chain
from worker.domain.analysis import Opinion
from worker.domain.exposure import Exposure
from worker.domain.order_exception import Facts, OrderException
from worker.domain.resolution import propose

MANAGER, LEGAL = a_level("manager"), a_level("legal")
TIERS = a_level("manager", "ceiling: 100.00 USD", "escalates_to: director"), a_level("director")
WINDOW = ("exposure_window: 30d",)


def with_other_cases(facts: Facts, **exposure: object) -> Facts:
    return facts.model_copy(update={"exposure": Exposure.model_validate(exposure)})


def an_action(name: str) -> OrderException:
    asked = an_exception(kind=ExceptionKind.ACTION_REQUEST, actions=(Action(name=name),))
    return asked.model_copy(update={"amount": None})


class TestLevelsOfARule:
    def test_all_levels_of_a_rule_sign_in_the_order_of_the_file(self) -> None:
        policy = a_policy(MANAGER, LEGAL, rules=(a_rule("levels: [legal, manager]"),))
        assert chain(policy, a_refund()) == ["manager", "legal"]

    def test_two_steps_are_two_questions_to_the_same_level(self) -> None:
        policy = a_policy(MANAGER, rules=(a_rule("level: manager", "confirm: details-then-method"),))
        details, method = policy.judge(a_refund()).chain
        assert (details.part, method.part) == (ApprovalPart.DETAILS, ApprovalPart.METHOD)
        assert method.allowed_verdicts == (Verdict.APPROVE, Verdict.REJECT, Verdict.CHOOSE)

    def test_one_condition_may_be_asked_of_different_levels_for_different_reasons(self) -> None:
        rules = a_rule("level: manager"), a_rule("level: legal", id_="for-legal")
        assert chain(a_policy(MANAGER, LEGAL, rules=rules), a_refund()) == ["manager", "legal"]


class TestSumsOfSeveralCases:
    def test_the_ceilings_are_held_against_the_sum_that_a_rule_names(self) -> None:
        rule = a_rule("level: manager", "amount: exposure.order_total", when="exposure.order_amount > 0")
        policy = a_policy(*TIERS, rules=(rule,), top=WINDOW)
        just_under = a_refund(usd(6_000))
        assert policy.exposure == timedelta(days=30)
        assert chain(policy, just_under) == []
        assert chain(policy, with_other_cases(just_under, order=(usd(4_000),), order_cases=1)) == ["manager"]
        assert chain(policy, with_other_cases(just_under, order=(usd(4_001),), order_cases=1)) == [
            "manager",
            "director",
        ]

    def test_a_rule_without_a_sum_weighs_the_case_alone(self) -> None:
        policy = a_policy(*TIERS, rules=(a_rule("level: manager", when="exposure.order_amount > 0"),), top=WINDOW)
        assert chain(policy, with_other_cases(a_refund(usd(6_000)), order=(usd(9_000),))) == ["manager"]

    def test_a_rule_sees_counts_and_sums_and_shows_them_as_money(self) -> None:
        says = "{exposure.customer_amount} in {exposure.customer_cases}, with this one {exposure.customer_total}"
        rule = a_rule("level: manager", when="exposure.customer_cases == 2").replace("somebody looks", f'"{says}"')
        policy = a_policy(MANAGER, rules=(rule,), top=("rates: {EUR: 2}", *WINDOW))
        facts = with_other_cases(a_refund(usd(100)), customer=(usd(50), eur(25)), customer_cases=2)
        assert [reason.says for reason in policy.judge(facts).why] == ["1.00 USD in 2, with this one 2.00 USD"]

    def test_a_currency_without_a_rate_hides_no_money(self) -> None:
        rule = a_rule("level: manager", when="exposure.customer_total > 10000")
        facts = with_other_cases(a_refund(usd(100)), customer=(eur(10**9),), customer_cases=1)
        assert chain(a_policy(*TIERS, rules=(rule,), top=WINDOW), facts) == ["manager", "director"]


class TestBuiltInRules:
    """Of a policy whose own rule asks the second level alone, for orders that are known."""

    POLICY = a_policy(
        *TIERS, LEGAL, rules=(a_rule("level: legal", when="exception.reason_code == 'legal'", id_="legal-matter"),)
    )

    def test_they_ask_the_first_level_of_the_file(self) -> None:
        facts = some_facts(an_exception(amount=usd(20_001)))
        assert chain(self.POLICY, facts) == ["manager", "director"]

    def test_money_beyond_what_is_left_asks_the_first_level_whoever_else_is_asked(self) -> None:
        facts = some_facts(an_exception(amount=usd(20_001), reason_code="legal"))
        assert chain(self.POLICY, facts) == ["manager", "director", "legal"]

    def test_an_agents_action_is_left_to_whom_the_file_asks(self) -> None:
        somebody = some_facts(an_action("send_email"))
        assert chain(self.POLICY, somebody) == ["manager"]
        matter = somebody.exception.model_copy(update={"reason_code": "legal"})
        assert chain(self.POLICY, somebody.model_copy(update={"exception": matter})) == ["legal"]

    def test_what_comes_back_to_people_asks_somebody_each_time(self) -> None:
        for back in ({"failure": "card closed"}, {"difference": "cancelled meanwhile"}):
            facts = a_refund(usd(100)).model_copy(update=back)
            assert chain(self.POLICY, facts) == ["manager"]


class TestAllCases:
    def test_the_usual_policy_seals_nothing_and_lets_a_claim_run_out_after_an_hour(self) -> None:
        policy = a_policy(MANAGER)
        assert (policy.requires_hash, policy.claim, policy.exposure) == (False, timedelta(hours=1), None)

    def test_seals_may_be_required_and_claims_may_last_longer(self) -> None:
        policy = a_policy(MANAGER, top=("review_hash: required", "claims_last: 8h"))
        assert (policy.requires_hash, policy.claim) == (True, timedelta(hours=8))

    def test_a_rule_may_look_at_the_actions_and_the_round(self) -> None:
        when = "exception.round > 1 && exception.actions.exists(name, name == 'drop_table')"
        policy = a_policy(MANAGER, LEGAL, rules=(a_rule("level: legal", when=when),))
        facts = some_facts(an_action("drop_table"))
        assert chain(policy, facts) == ["manager"]
        assert chain(policy, facts.model_copy(update={"round": 2})) == ["legal"]

    def test_customers_are_told_what_the_policy_words(self) -> None:
        policy = a_policy(MANAGER, top=("messages: {refund: {approve: 'You get {{ amount }} back.'}}",))
        facts = a_refund(usd(500))
        assert policy.draft(Verdict.APPROVE, propose(facts), facts) == "You get 5.00 USD back."


class TestDoubts:
    """Conditions that a doubt could make false hold of the facts as they were sent."""

    POLICY = a_policy(
        MANAGER,
        LEGAL,
        rules=(
            a_rule("level: manager", id_="sure", when="exception.confidence > 0.9"),
            a_rule("level: manager", id_="unflagged", when="size(exception.compliance_flags) == 0"),
            a_rule("level: manager", id_="alone", when='"!exception.customer_requests_human"'),
            a_rule("level: manager", id_="few-ways", when="exception.alternatives < 1"),
            a_rule("level: legal", id_="flagged", when="size(exception.compliance_flags) > 0"),
        ),
    )

    @given(
        opinion=st.builds(
            Opinion,
            by=st.just("rules"),
            confidence=st.none() | st.floats(0, 1),
            wants_human=st.booleans(),
            concerns=st.sampled_from([(), ("legal-threat",)]),
            alternatives=st.sampled_from([(), (Alternative(action="replacement"),)]),
        )
    )
    def test_an_opinion_adds_reasons_and_takes_none_away(self, opinion: Opinion) -> None:
        facts = some_facts(an_exception(confidence=0.95))
        alone = self.POLICY.judge(facts)
        thought_of = self.POLICY.judge(facts.model_copy(update={"opinion": opinion}))
        assert {fired.rule for fired in alone.why} == {"sure", "unflagged", "alone", "few-ways"}
        assert {fired.rule for fired in thought_of.why} - {"flagged"} == {fired.rule for fired in alone.why}
        assert ("legal" in [level.name for level in thought_of.chain]) == bool(opinion.concerns)
