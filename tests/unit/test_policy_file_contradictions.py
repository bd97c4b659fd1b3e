"""A rule that can never fire looks like protection and is none; one that may fire is never refused for that."""

from itertools import product

import cel
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.values import Money
from tests.unit.policy_files import a_file, a_level, a_rule
from worker.adapters.policy.boolean_cases import MOST_CASES
from worker.adapters.policy.contradictions import why_never
from worker.adapters.policy.loading import parse_policy
from worker.adapters.policy.problems import PolicyError
from worker.adapters.policy.quantities import Limit

LIMITS: dict[str, Limit] = {"small": Money(amount_minor=10_000, currency="USD"), "sure": 0.7}

NEVER = {
    "false": "it is always false",
    "!true": "it is always false",
    "1 > 2": "it is always false",
    "'a' == 'b'": "it is always false",
    "1 in [2, 3]": "it is always false",
    "limits.sure > 1": "it is always false",
    "order.known && false": "it is always false",
    "true ? false : order.known": "it is always false",
    "amount < 0": "`amount < 0` never holds",
    "0 > amount": "`0 > amount` never holds",
    "!(amount >= 0)": "`!(amount >= 0)` never holds",
    "exposure.customer_cases <= -1": "`exposure.customer_cases <= -1` never holds",
    "exception.round == 0": "`exception.round == 0` never holds",
    "exception.confidence > 1": "`exception.confidence > 1` never holds",
    "exception.quantity == 1.5": "`exception.quantity == 1.5` never holds",
    "size(exception.reason_code) < 0": "`size(exception.reason_code) < 0` never holds",
    "amount > 100 && amount < 50": "`amount > 100` and `amount < 50` never hold together",
    "amount > 100 && order.known && 50 > amount": "`amount > 100` and `50 > amount` never hold together",
    "amount > limits.small && amount <= 10000": "`amount > limits.small` and `amount <= 10000` never hold together",
    "amount > 4 && amount < 5": "`amount > 4` and `amount < 5` never hold together",
    "amount >= 1 && amount <= 2 && amount != 1 && !(amount == 2)": (
        "`amount >= 1` and `amount <= 2` and `amount != 1` and `!(amount == 2)` never hold together"
    ),
    'order.status == "paid" && order.status == "shipped"': (
        '`order.status == "paid"` and `order.status == "shipped"` never hold together'
    ),
    "order.status in ['paid'] && order.status != r'paid'": (
        "`order.status in ['paid']` and `order.status != r'paid'` never hold together"
    ),
    "!(customer.tier in ['vip', 'standard', 'unknown'])": (
        "`!(customer.tier in ['vip', 'standard', 'unknown'])` never holds"
    ),
    "exception.requested_by == 'a' && exception.requested_by == 'b'": (
        "`exception.requested_by == 'a'` and `exception.requested_by == 'b'` never hold together"
    ),
    "order.known && !order.known": "`order.known` and `!order.known` never hold together",
    "customer.known == true && !(customer.known || order.known)": (
        "`customer.known == true` and `!customer.known` never hold together"
    ),
    "exception.confidence < 0.5 && exception.confidence > limits.sure": (
        "`exception.confidence < 0.5` and `exception.confidence > limits.sure` never hold together"
    ),
    "(amount > 10 || order.known) && amount < 5 && !order.known": (
        "`amount > 10` and `amount < 5` never hold together"
    ),
    "exception.reason_code.contains('x') && amount < 0": "`amount < 0` never holds",
}

PERHAPS = [
    "true",
    "!false",
    "amount > 100",
    "amount > 4 && amount < 6",
    "amount > 4 && amount < 6 || false",
    "amount > 100 || amount < 50",
    "amount > limits.small && amount < 20000",
    "amount * 2 < 0",
    "amount + 1 < 0",
    "-amount > 5",
    "amount < exposure.customer_total && amount > exposure.customer_total",
    "exception.confidence > 0.5 && exception.confidence < 0.50001",
    "order.status != 'paid' && order.status != 'shipped'",
    "exception.reason_code != 'a' && exception.reason_code != 'b'",
    "exception.reason_code == 'a\\x62' && exception.reason_code == 'ab'",
    "exception.reason_code == '''a''' && exception.reason_code == 'a'",
    "exception.compliance_flags.exists(flag, flag == 'a') && exception.compliance_flags.exists(flag, flag == 'b')",
    "size(exception.compliance_flags) == 0 || size(exception.compliance_flags) > 2",
    "'aml' in exception.compliance_flags && !('fraud' in exception.compliance_flags)",
    "exception.kind == 'refund' ? amount > 5 : amount < 0",
    "!(exception.kind == 'refund') ? amount < 0 : true ? order.known : false",
    "!!order.known",
    "amount in [5, 6] && amount != 5",
    "order.known == (amount > 5)",
    "1e400 > 5.0 && amount > 5",
    "true == 1 || amount > 1",
    "/* no comment */ true",
    "amount > 5 // && false",
]


@pytest.mark.parametrize(("condition", "reason"), NEVER.items())
def test_a_condition_that_can_never_be_true_is_told_with_what_excludes_what(condition: str, reason: str) -> None:
    assert why_never(condition, LIMITS) == reason


@pytest.mark.parametrize("condition", PERHAPS)
def test_a_condition_that_may_be_true_is_left_alone(condition: str) -> None:
    assert why_never(condition, LIMITS) is None


def test_a_file_with_such_a_rule_is_refused_at_its_line() -> None:
    content = a_file(a_level("manager"), rules=(a_rule("level: manager", when="amount > 100 && amount < 50"),))
    with pytest.raises(PolicyError) as refused:
        parse_policy(content.encode(), "shop.yaml")
    assert str(refused.value) == (
        "shop.yaml:11: `when` of rule any-money can never be true: "
        "`amount > 100` and `amount < 50` never hold together; mend it, or remove the rule"
    )


def test_a_condition_with_too_many_cases_is_not_judged() -> None:
    either = " && ".join(f"(amount == {number} || order.known)" for number in range(20))
    assert MOST_CASES < 2**20
    assert why_never(f"{either} && amount < 0", {}) is None


def test_a_condition_that_is_nested_very_deeply_is_not_judged() -> None:
    assert why_never("(" * 400 + "false" + ")" * 400, {}) is None
    assert why_never("!" * 401 + "true", {}) is None


signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
atoms = st.one_of(
    st.builds("{} {} {}".format, st.just("amount"), signs, st.integers(-1, 3)),
    st.builds("{} {} {}".format, st.integers(-1, 3), signs, st.just("amount")),
    st.builds("amount in {}".format, st.lists(st.integers(-1, 3), min_size=1, max_size=3)),
    st.sampled_from(["order.known", "true", "false"]),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({}) ? ({}) : ({})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


def ever_holds(condition: str) -> bool:
    """By CEL itself, for all amounts that differ where conditions are about -1 to 3."""
    program = cel.compile(condition)
    worlds = product(range(6), (True, False))
    return any(program.execute(cel.Context({"amount": amount, "order": {"known": known}})) for amount, known in worlds)


@given(conditions)
@example("(amount < 1) ? (false) : (amount < 1)")
def test_of_what_it_reads_it_finds_all_that_is_impossible_and_nothing_else(condition: str) -> None:
    assert (why_never(condition, {}) is None) == ever_holds(condition)
