"""What a rule may look at: every name of a condition or a sentence, its type and its meaning.

There is no null in it. What is not known has a value of its own (`unknown`, 0, an empty text), so
that a condition cannot break on a sparse event; the built-in rules see to it that money with
unknown facts waits for a person.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cel

from schemas.values import MAX_AMOUNT_MINOR, CustomerTier, ExceptionKind, Money, OrderStatus
from worker.adapters.policy.quantities import Limit, Rates
from worker.domain.exposure import Exposure
from worker.domain.order_exception import Facts, OrderException
from worker.domain.resolution import propose

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Variable:
    """`words` is the closed set that a text comes from, where there is one; a number lies from `least` to `most`.

    `is_amount`: in minor units of the base currency, and written as money in a sentence.
    """

    type: type
    meaning: str
    words: frozenset[str] = frozenset()
    least: float = 0
    most: float = math.inf
    is_amount: bool = False


def _amount(meaning: str) -> Variable:
    return Variable(int, meaning, is_amount=True)


_KINDS = frozenset(ExceptionKind)
_STATUSES = frozenset(OrderStatus) | {UNKNOWN}
_TIERS = frozenset(CustomerTier) | {UNKNOWN}

VARIABLES: Mapping[str, Variable] = {
    "amount": _amount("what would be paid, in minor units of the base currency; 0 if nothing"),
    "exception.kind": Variable(str, "what is asked for", _KINDS),
    "exception.reason_code": Variable(str, "the requester's code, or empty"),
    "exception.requested_by": Variable(str, "who asks, such as agent:web-chat"),
    "exception.confidence": Variable(float, "how sure the requester is; 1.0 if it did not say", most=1),
    "exception.has_confidence": Variable(bool, "whether it said"),
    "exception.customer_requests_human": Variable(bool, "the customer asked for a person"),
    "exception.failed_attempts": Variable(int, "how often a solution was tried in vain"),
    "exception.irreversible": Variable(bool, "it cannot be undone"),
    "exception.compliance_flags": Variable(list, "texts, often empty"),
    "exception.alternatives": Variable(int, "how many other ways the requester sees"),
    "exception.lines": Variable(int, "how many different items it names"),
    "exception.quantity": Variable(int, "how many pieces of them together"),
    "exception.actions": Variable(list, "the names of the actions that are to run"),
    "exception.round": Variable(int, "how often the case came to its first level", least=1),
    "order.known": Variable(bool, "somebody knows the order"),
    "order.status": Variable(str, "how far the order has come", _STATUSES),
    "order.captured": _amount("what was paid, in minor units of the base currency"),
    "order.refunded": _amount("what went back already, likewise"),
    "order.available": _amount("what is left to refund, likewise"),
    "order.payment_method": Variable(str, "such as card, or empty"),
    "customer.known": Variable(bool, "somebody knows the customer"),
    "customer.tier": Variable(str, "which sort of customer", _TIERS),
    "exposure.customer_amount": _amount("what the customer's other cases of the window add up to"),
    "exposure.customer_total": _amount("the same together with this case"),
    "exposure.customer_cases": Variable(int, "how many other cases those are"),
    "exposure.order_amount": _amount("what the order's other cases of the window add up to"),
    "exposure.order_total": _amount("the same together with this case"),
    "exposure.order_cases": Variable(int, "how many other cases those are"),
    "exposure.near_duplicates": Variable(int, "how many cases of the order look like this one once more"),
}
"""`limits.…` comes on top: the policy's own figures."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts of one judgement, prepared once for all rules.

    `amount` is what would be paid and `available` what is left of the order, both in their own
    currency; `sums` are the sums of the exposure, in the base currency. `unrated` are the
    currencies among all of them that the policy has no rate for. `actions` are the names of those
    that are to run.
    """

    facts: Facts
    actions: tuple[str, ...]
    amount: Money | None
    available: Money | None
    sums: Mapping[str, Money]
    unrated: tuple[str, ...]
    variables: Mapping[str, Any]
    context: cel.Context


class EvidenceReader:
    """From facts to the values of the vocabulary, with one policy's rates and limits."""

    def __init__(self, rates: Rates, limits: Mapping[str, Limit]) -> None:
        self._rates = rates
        self._limits = {
            name: limit.amount_minor if isinstance(limit, Money) else limit for name, limit in limits.items()
        }

    def __call__(self, facts: Facts) -> Evidence:
        amount, available, actions = propose(facts).amount, available_of(facts), _actions_of(facts)
        sums = self._sums(facts.exposure, amount)
        variables = {
            "amount": self._minor(amount),
            "exception": {**_exception(facts.exception), "actions": list(actions), "round": facts.round},
            "order": self._order(facts, available),
            "customer": {
                "known": facts.customer is not None,
                "tier": str(facts.customer.tier) if facts.customer else UNKNOWN,
            },
            "exposure": {
                **{path.partition(".")[2]: money.amount_minor for path, money in sums.items()},
                "customer_cases": facts.exposure.customer_cases,
                "order_cases": facts.exposure.order_cases,
                "near_duplicates": len(facts.exposure.near_duplicates),
            },
            "limits": self._limits,
        }
        captured = facts.order.captured if facts.order else None
        others = (*facts.exposure.customer, *facts.exposure.order)
        currencies = {money.currency for money in (amount, captured, available, *others) if money}
        return Evidence(
            facts=facts,
            actions=actions,
            amount=amount,
            available=available,
            sums=sums,
            unrated=tuple(sorted(code for code in currencies if not self._rates.knows(code))),
            variables=variables,
            context=cel.Context(variables),
        )

    def _minor(self, money: Money | None) -> int:
        return (self._rates.in_base(money) or 0) if money else 0

    def _sums(self, exposure: Exposure, amount: Money | None) -> dict[str, Money]:
        """A currency without a rate counts for nothing here; that it is there asks for a person by itself."""
        customer, order = (sum(map(self._minor, moneys)) for moneys in (exposure.customer, exposure.order))
        this = self._minor(amount)
        minor = {
            "exposure.customer_amount": customer,
            "exposure.customer_total": customer + this,
            "exposure.order_amount": order,
            "exposure.order_total": order + this,
        }
        return {
            path: Money(amount_minor=min(sum_, MAX_AMOUNT_MINOR), currency=self._rates.base)
            for path, sum_ in minor.items()
        }

    def _order(self, facts: Facts, available: Money | None) -> dict[str, Any]:
        order = facts.order
        return {
            "known": order is not None,
            "status": str(order.status) if order else UNKNOWN,
            "captured": self._minor(order.captured if order else None),
            "refunded": self._minor(order.refunded if order else None),
            "available": self._minor(available),
            "payment_method": (order.payment_method or "") if order else "",
        }


def available_of(facts: Facts) -> Money | None:
    """What is left to refund, by the order's own account if need be; None when nobody can say."""
    if facts.available is not None or facts.order is None:
        return facts.available
    captured, refunded = facts.order.captured, facts.order.refunded
    if refunded is None:
        return captured
    if refunded.currency != captured.currency:
        return None
    left = max(0, captured.amount_minor - refunded.amount_minor)
    return Money(amount_minor=left, currency=captured.currency)


def _actions_of(facts: Facts) -> tuple[str, ...]:
    """The names of those that are left to run; a later round is about nothing else."""
    actions = facts.exception.actions if facts.remaining is None else facts.remaining
    return tuple(action.name for action in actions)


def _exception(exception: OrderException) -> dict[str, Any]:
    confidence = exception.confidence
    if confidence is not None and not math.isfinite(confidence):
        confidence = 0.0  # every comparison with NaN is false: it would pass as trust
    return {
        "kind": str(exception.kind),
        "reason_code": exception.reason_code or "",
        "requested_by": exception.requested_by,
        "confidence": 1.0 if confidence is None else confidence,
        "has_confidence": confidence is not None,
        "customer_requests_human": exception.customer_requests_human,
        "failed_attempts": exception.failed_attempts,
        "irreversible": exception.irreversible,
        "compliance_flags": list(exception.compliance_flags),
        "alternatives": len(exception.alternatives),
        "lines": len(exception.items),
        "quantity": sum(item.quantity for item in exception.items),
    }
