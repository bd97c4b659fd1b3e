"""The policy that ships: each rule at its boundary, and what no file can take away."""

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import (
    Action,
    Alternative,
    Customer,
    CustomerTier,
    ExceptionKind,
    LineItem,
    Money,
    Order,
    OrderStatus,
    Proposal,
)
from worker.adapters.policy.explanation import explain
from worker.adapters.policy.loading import load_policy
from worker.domain.approval_policy import Requirement
from worker.domain.exposure import Exposure, RelatedCase
from worker.domain.order_exception import Facts, Feedback, OrderException

POLICY = load_policy()


def money(minor: int, currency: str = "USD") -> Money:
    return Money(amount_minor=minor, currency=currency)


LARGE_ORDER = Order(captured=money(10_000_000))
NOW = datetime(2026, 5, 4, tzinfo=UTC)
STANDARD = Customer()
NOTHING_ELSE = Exposure()


def facts(
    kind: str = "refund",
    *,
    order: Order | None = LARGE_ORDER,
    customer: Customer | None = STANDARD,
    available: Money | None = None,
    exposure: Exposure = NOTHING_ELSE,
    failure: str | None = None,
    difference: str | None = None,
    feedback: tuple[Feedback, ...] = (),
    round_: int = 1,
    **fields: Any,
) -> Facts:
    """A refund of 5.00 USD that nobody needs to look at, unless told otherwise."""
    exception = {"order_id": "ORD-1", "customer_id": "CUST-1", "amount": money(500), **fields}
    return Facts(
        exception=OrderException(
            exception_id="EXC-1", kind=ExceptionKind(kind), requested_by="agent:chat", **exception
        ),
        order=order,
        customer=customer,
        available=available,
        exposure=exposure,
        failure=failure,
        difference=difference,
        feedback=feedback,
        round=round_,
    )


def others(*minor: int, currency: str = "USD") -> Exposure:
    """What else was paid to the customer, each for an order of its own."""
    return Exposure(customer=(money(sum(minor), currency),), customer_cases=len(minor))


def again(*exception_ids: str) -> Exposure:
    related = tuple(
        RelatedCase(case_id=UUID(int=1), exception_id=id_, state="waiting", opened_at=NOW) for id_ in exception_ids
    )
    return Exposure(near_duplicates=related)


def asked_for_changes(reviewer: str = "user:maria") -> Feedback:
    proposal = Proposal(action="refund")
    return Feedback(round=1, level="manager", reviewer=reviewer, at=NOW, comment="which mug?", proposal=proposal)


def chain(required: Requirement) -> list[str]:
    return [level.name for level in required.chain]


def why(known: Facts) -> dict[str, str]:
    """The sentences of the rules that fired, by rule."""
    return {fired.rule: fired.says for fired in POLICY.judge(known).why}


def paid(minor: int = 100_000, status: OrderStatus = OrderStatus.PAID) -> Order:
    return Order(captured=money(minor), status=status)


def alternatives(count: int) -> tuple[Alternative, ...]:
    return (Alternative(action="refund"),) * count


AUTOMATIC = {
    "small refund": facts(),
    "refund of the limit": facts(amount=money(10_000)),
    "adjustment of the limit": facts("price_adjustment", amount=money(10_000)),
    "nothing": facts(amount=money(0)),
    "all that is left": facts(amount=money(500), available=money(500)),
    "cancellation before shipping": facts("cancellation", amount=None, order=paid(20_000)),
    "one piece": facts(items=(LineItem(sku="A"),)),
    "confidence at the limit": facts(confidence=0.7),
    "no confidence told": facts(confidence=None),
    "two alternatives": facts(alternatives=alternatives(2)),
    "three failed attempts": facts(failed_attempts=3),
    "unknown customer": facts(customer=None),
    "100.00 USD with the customer's other cases": facts(amount=money(4_000), exposure=others(3_000, 3_000)),
    "100.00 USD in EUR": facts(amount=money(9_259, "EUR"), order=Order(captured=money(9_999, "EUR"))),
}

A_PERSON = {
    "refund of 100.01": (
        facts(amount=money(10_001)),
        {"refund-over-100": "refund of 100.01 USD is over 100.00 USD"},
    ),
    "refund of 150.00": (
        facts(amount=money(15_000)),
        {"refund-over-100": "refund of 150.00 USD is over 100.00 USD"},
    ),
    "adjustment of 100.01": (
        facts("price_adjustment", amount=money(10_001)),
        {"price-adjustment-over-100": "price adjustment of 100.01 USD is over 100.00 USD"},
    ),
    "a little over in EUR": (
        facts(amount=money(9_260, "EUR"), order=Order(captured=money(9_999, "EUR"))),
        {"refund-over-100": "refund of 92.60 EUR is over 100.00 USD"},
    ),
    "a currency without minor digits": (
        facts(amount=money(15_385, "JPY"), order=Order(captured=money(99_999, "JPY"))),
        {"refund-over-100": "refund of 15385 JPY is over 100.00 USD"},
    ),
    "VIP": (
        facts(customer=Customer(tier=CustomerTier.VIP)),
        {"vip-customer": "the customer is a VIP"},
    ),
    "two pieces of one item": (
        facts(items=(LineItem(sku="A", quantity=2),)),
        {"several-items": "2 items are asked for, more than 1"},
    ),
    "two items": (
        facts(items=(LineItem(sku="A"), LineItem(sku="B"))),
        {"several-items": "2 items are asked for, more than 1"},
    ),
    "account change": (
        facts("account_change", amount=None),
        {"account-change": "account changes always need a person"},
    ),
    "low confidence": (
        facts(confidence=0.69),
        {"low-confidence": "confidence 0.69 is under 0.7"},
    ),
    "confidence that is no number": (
        facts(confidence=math.nan),
        {"low-confidence": "confidence 0.0 is under 0.7"},
    ),
    "a person asked for": (
        facts(customer_requests_human=True),
        {"customer-requests-human": "the customer asks for a person"},
    ),
    "three alternatives": (
        facts(alternatives=alternatives(3)),
        {"many-alternatives": "there are 3 reasonable alternatives, more than 2"},
    ),
    "four failed attempts": (
        facts(failed_attempts=4),
        {"many-failed-attempts": "4 attempts failed, more than 3"},
    ),
    "irreversible": (facts(irreversible=True), {"irreversible": "this cannot be undone"}),
    "compliance": (
        facts(compliance_flags=("aml", "sanctions")),
        {"compliance-flagged": "flagged for compliance: aml, sanctions"},
    ),
    "cancellation after shipping": (
        facts("cancellation", order=paid(status=OrderStatus.SHIPPED)),
        {"order-already-shipped": "the order to cancel is already shipped"},
    ),
    "cancellation after delivery": (
        facts("cancellation", order=paid(status=OrderStatus.DELIVERED)),
        {"order-already-shipped": "the order to cancel is already delivered"},
    ),
    "unknown order": (facts(order=None), {"order-unknown": "order ORD-1 is not known"}),
    "no order named": (
        facts(order=None, order_id=None),
        {"order-unknown": "no order is named"},
    ),
    "no amount": (
        facts(amount=None),
        {"amount-unknown": "the amount of the refund is not known"},
    ),
    "more than is left": (
        facts(amount=money(501), available=money(500)),
        {"over-remaining": "refund of 5.01 USD is over the 5.00 USD that is left to refund"},
    ),
    "more than is left by the order's own account": (
        facts(amount=money(501), order=Order(captured=money(900), refunded=money(400))),
        {"over-remaining": "refund of 5.01 USD is over the 5.00 USD that is left to refund"},
    ),
    "cancellation of an order that was refunded in part": (
        facts("cancellation", order=Order(captured=money(900), refunded=money(1))),
        {"over-remaining": "cancellation of 9.00 USD is over the 8.99 USD that is left to refund"},
    ),
    "another currency than the order's": (
        facts(amount=money(500, "EUR")),
        {"currency-differs": "refund of 5.00 EUR is for an order paid in USD"},
    ),
    "a currency without a rate": (
        facts(amount=money(5, "CHF"), order=Order(captured=money(500, "CHF"))),
        {"currency-without-rate": "the policy has no rate for CHF"},
    ),
    "another case in a currency without a rate": (
        facts(exposure=others(1, currency="CHF")),
        {"currency-without-rate": "the policy has no rate for CHF"},
    ),
    "failed execution": (
        facts(failure="card closed"),
        {"execution-failed": "not executed: card closed"},
    ),
    "a reviewer asked for changes": (
        facts(feedback=(asked_for_changes(),), round_=2),
        {"changes-requested": "round 2: user:maria asked for changes"},
    ),
    "the order is another one by now": (
        facts(difference="captured was 20.00 USD and is 15.00 USD"),
        {"order-changed": "the order has changed since it was shown: captured was 20.00 USD and is 15.00 USD"},
    ),
    "several refunds just under the limit": (
        facts(amount=money(8_000), exposure=others(1_000, 1_001)),
        {"structuring": "80.00 USD is just under a limit, and with other cases of this customer it is 100.01 USD"},
    ),
    "the same thing twice": (
        facts(exposure=again("EXC-0", "EXC-00")),
        {"near-duplicate": "other cases of this order that look the same, 2 of them"},
    ),
    "an agent's action": (
        facts("action_request", order=None, order_id=None, actions=(Action(name="send_email"),)),
        {"action-request": "agent:chat asks to run send_email, which the policy does not name"},
    ),
}


DELETION = facts("action_request", order=None, order_id=None, amount=None, actions=(Action(name="drop_table"),))


@pytest.mark.parametrize("known", AUTOMATIC.values(), ids=AUTOMATIC)
def test_this_goes_on_by_itself(known: Facts) -> None:
    assert why(known) == {}
    assert POLICY.judge(known).chain == ()


@pytest.mark.parametrize(("known", "reasons"), A_PERSON.values(), ids=A_PERSON)
def test_this_waits_for_a_person_for_this_reason_alone(known: Facts, reasons: dict[str, str]) -> None:
    assert {rule: says for rule, says in why(known).items() if not rule.startswith("ceiling-of-")} == reasons
    assert POLICY.judge(known).chain[0].role == "manager"


def test_every_rule_is_shown_to_fire_alone() -> None:
    alone = {rule for _, reasons in A_PERSON.values() for rule in reasons}
    assert alone | {"deletes-data", "action-not-named"} == {rule.id for rule in POLICY.rules}


def test_all_reasons_are_told_together() -> None:
    known = facts(amount=money(15_000), customer=Customer(tier=CustomerTier.VIP), order=None)
    assert list(why(known)) == ["refund-over-100", "vip-customer", "order-unknown"]


@pytest.mark.parametrize(
    ("minor", "levels"),
    [
        (10_000, []),
        (15_000, ["manager"]),
        (100_000, ["manager"]),
        (100_001, ["manager", "director"]),
        (1_000_000, ["manager", "director"]),
        (1_000_001, ["manager", "director", "vp"]),
    ],
)
def test_larger_amounts_need_more_signatures(minor: int, levels: list[str]) -> None:
    assert chain(POLICY.judge(facts(amount=money(minor)))) == levels


@pytest.mark.parametrize(
    ("minor", "levels"), [(90_000, ["manager", "director"]), (910_001, ["manager", "director", "vp"])]
)
def test_several_refunds_need_the_level_of_their_sum(minor: int, levels: list[str]) -> None:
    assert chain(POLICY.judge(facts(amount=money(90_000), exposure=others(minor)))) == levels


def test_other_cases_in_other_currencies_are_added_up_by_the_policys_rates() -> None:
    exposure = Exposure(customer=(money(5_000, "EUR"), money(1_000)), customer_cases=2)
    known = facts(amount=money(9_000), exposure=exposure)
    assert why(known)["structuring"].endswith("with other cases of this customer it is 154.00 USD")


def test_a_sum_beyond_all_amounts_is_the_largest_one() -> None:
    exposure = Exposure(customer=(money(10**15), money(10**15, "EUR")), customer_cases=2)
    assert chain(POLICY.judge(facts(amount=money(9_000), exposure=exposure))) == ["manager", "director", "vp"]
    assert chain(POLICY.judge(facts(amount=money(2_000), exposure=exposure))) == []


def test_a_case_without_money_is_no_part_of_a_sum() -> None:
    known = facts("action_request", amount=None, exposure=others(90_000), actions=(Action(name="send_email"),))
    assert "structuring" not in why(known)


@pytest.mark.parametrize(
    "known",
    [
        facts(amount=None),
        facts(amount=money(5, "CHF"), order=Order(captured=money(500, "CHF"))),
        facts(exposure=others(1, currency="CHF")),
    ],
    ids=["no amount", "no rate", "no rate for another case"],
)
def test_an_amount_that_nobody_can_weigh_needs_the_whole_ladder(known: Facts) -> None:
    assert chain(POLICY.judge(known)) == ["manager", "director", "vp"]


def test_deleting_data_needs_engineer_then_dba_then_legal_and_nobody_else() -> None:
    required = POLICY.judge(DELETION)
    assert chain(required) == ["engineer", "dba", "legal"]
    assert {fired.rule: fired.says for fired in required.why} == {
        "deletes-data": "data would be lost for good: drop_table",
        "action-request": "agent:chat asks to run drop_table, which the policy does not name",
    }


def test_the_next_round_of_such_a_chain_asks_the_same_people() -> None:
    known = DELETION.model_copy(update={"feedback": (asked_for_changes("user:dan"),), "round": 2})
    assert chain(POLICY.judge(known)) == ["engineer", "dba", "legal"]
    assert why(known)["changes-requested"] == "round 2: user:dan asked for changes"


@given(
    confidence=st.floats(max_value=1.0) | st.just(math.nan),
    amount=st.integers(0, 30_000),
    kind=st.sampled_from(ExceptionKind),
)
def test_confidence_can_only_raise(confidence: float, amount: int, kind: ExceptionKind) -> None:
    silent = POLICY.judge(facts(kind, amount=money(amount)))
    told = POLICY.judge(facts(kind, amount=money(amount), confidence=confidence))
    assert set(silent.why) <= set(told.why)
    assert set(chain(silent)) <= set(chain(told))
    assert list(type(told.risk)).index(told.risk) >= list(type(told.risk)).index(silent.risk)


@given(
    lower=st.floats(0, 1),
    higher=st.floats(0, 1),
)
def test_less_confidence_never_asks_for_less(lower: float, higher: float) -> None:
    lower, higher = sorted((lower, higher))
    assert why(facts(confidence=higher)).keys() <= why(facts(confidence=lower)).keys()


def test_what_a_sender_wrote_is_cut_short_and_never_filled_in_again() -> None:
    says = why(facts(compliance_flags=("{amount} " + "x" * 500,)))["compliance-flagged"]
    assert says.startswith("flagged for compliance: {amount} xxx")
    assert len(says) < 130


def test_an_explanation_tells_every_rule_and_what_would_happen() -> None:
    explained = asdict(explain(POLICY, facts(amount=money(150_000))))
    assert explained["amount"] == "1500.00 USD"
    assert explained["level"] == "manager"
    assert explained["what_happens"] == (
        "It waits for 1 decision by the role manager (approve, reject, modify, choose, escalate, request_changes); "
        "after 12h a reminder, after 1d without one director is asked instead. "
        "Then it waits for 1 decision by the role director (approve, reject, modify, choose, escalate, "
        "request_changes); after 12h a reminder, after 1d without one vp is asked instead."
    )
    assert explained["why"] == (
        "refund of 1500.00 USD is over 100.00 USD",
        "1500.00 USD is over the 1000.00 USD that manager may sign alone",
    )
    assert [(level["name"], level["quorum"], level["ceiling"]) for level in explained["levels"]] == [
        ("manager", 1, "1000.00 USD"),
        ("director", 1, "10000.00 USD"),
    ]
    rules = {rule["id"]: rule for rule in explained["rules"]}
    assert rules.keys() == {rule.id for rule in POLICY.rules}
    assert rules["refund-over-100"]["fired"]
    assert rules["refund-over-100"]["says"] == "refund of 1500.00 USD is over 100.00 USD"
    assert not rules["vip-customer"]["fired"]
    assert rules["vip-customer"]["when"] == 'customer.tier == "vip"'
    assert rules["order-unknown"]["built_in"]
    assert rules["order-unknown"]["fallback"]
    assert rules["deletes-data"]["levels"] == ("engineer", "dba", "legal")


def test_an_explanation_says_when_nobody_is_asked() -> None:
    explained = explain(POLICY, facts())
    assert explained.automatic
    assert explained.level is None
    assert explained.levels == ()
    assert explained.what_happens == "It goes on by itself: no rule asks for a person."
