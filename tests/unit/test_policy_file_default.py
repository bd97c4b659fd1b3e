"""The policy that ships: each rule at its boundary, and what no file can take away."""

import math
from dataclasses import asdict
from typing import Any

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
)
from worker.adapters.policy.explanation import explain
from worker.adapters.policy.loading import load_policy
from worker.domain.order_exception import Facts, OrderException

POLICY = load_policy()


def money(minor: int, currency: str = "USD") -> Money:
    return Money(amount_minor=minor, currency=currency)


LARGE_ORDER = Order(captured=money(100_000))
STANDARD = Customer()


def facts(
    kind: str = "refund",
    *,
    order: Order | None = LARGE_ORDER,
    customer: Customer | None = STANDARD,
    available: Money | None = None,
    failure: str | None = None,
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
        failure=failure,
    )


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
    "failed execution": (
        facts(failure="card closed"),
        {"execution-failed": "approved, but not executed: card closed"},
    ),
    "an agent's action": (
        facts("action_request", order=None, order_id=None, actions=(Action(name="send_email"),)),
        {"action-request": "agent:chat asks to run send_email"},
    ),
}


@pytest.mark.parametrize("known", AUTOMATIC.values(), ids=AUTOMATIC)
def test_this_goes_on_by_itself(known: Facts) -> None:
    assert why(known) == {}
    assert POLICY.judge(known).level is None


@pytest.mark.parametrize(("known", "reasons"), A_PERSON.values(), ids=A_PERSON)
def test_this_waits_for_a_person_for_this_reason_alone(known: Facts, reasons: dict[str, str]) -> None:
    assert why(known) == reasons
    level = POLICY.judge(known).level
    assert level is not None
    assert level.role == "manager"


def test_every_rule_is_shown_to_fire_alone() -> None:
    assert {rule for _, reasons in A_PERSON.values() for rule in reasons} == {rule.id for rule in POLICY.rules}


def test_all_reasons_are_told_together() -> None:
    known = facts(amount=money(15_000), customer=Customer(tier=CustomerTier.VIP), order=None)
    assert list(why(known)) == ["refund-over-100", "vip-customer", "order-unknown"]


@given(
    confidence=st.floats(max_value=1.0) | st.just(math.nan),
    amount=st.integers(0, 30_000),
    kind=st.sampled_from(ExceptionKind),
)
def test_confidence_can_only_raise(confidence: float, amount: int, kind: ExceptionKind) -> None:
    silent = POLICY.judge(facts(kind, amount=money(amount)))
    told = POLICY.judge(facts(kind, amount=money(amount), confidence=confidence))
    assert set(silent.why) <= set(told.why)
    assert silent.level is None or told.level == silent.level
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
    explained = asdict(explain(POLICY, facts(amount=money(15_000))))
    assert explained["amount"] == "150.00 USD"
    assert explained["level"] == "manager"
    assert explained["what_happens"] == (
        "It waits for 1 decision by the role manager (approve, reject, modify); after 1d without one it is rejected."
    )
    rules = {rule["id"]: rule for rule in explained["rules"]}
    assert rules.keys() == {rule.id for rule in POLICY.rules}
    assert rules["refund-over-100"]["fired"]
    assert rules["refund-over-100"]["says"] == "refund of 150.00 USD is over 100.00 USD"
    assert not rules["vip-customer"]["fired"]
    assert rules["vip-customer"]["when"] == 'customer.tier == "vip"'
    assert rules["order-unknown"]["built_in"]


def test_an_explanation_says_when_nobody_is_asked() -> None:
    explained = explain(POLICY, facts())
    assert explained.automatic
    assert explained.level is None
    assert explained.what_happens == "It goes on by itself: no rule asks for a person."
