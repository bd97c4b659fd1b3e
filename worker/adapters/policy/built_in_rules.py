"""The rules that no policy file can take away: they stand between money and what nobody knows.

A rule that fires because an amount cannot be trusted asks the highest level, since a lower one may
have no authority over the true amount; the others ask the lowest, and the file's rules may raise
it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from schemas.values import ExceptionKind, Risk
from worker.adapters.policy.vocabulary import Evidence
from worker.domain.approval_policy import Rule
from worker.domain.resolution import MOVES_MONEY


def _asks(evidence: Evidence) -> str:
    return f"{evidence.facts.exception.kind.replace('_', ' ')} of {evidence.amount}"


def _order_unknown(evidence: Evidence) -> str | None:
    exception = evidence.facts.exception
    names_none = exception.kind is ExceptionKind.ACTION_REQUEST and exception.order_id is None
    if evidence.facts.order is not None or names_none:
        return None
    return f"order {exception.order_id} is not known" if exception.order_id else "no order is named"


def _amount_unknown(evidence: Evidence) -> str | None:
    kind = evidence.facts.exception.kind
    if evidence.amount is not None or kind not in MOVES_MONEY:
        return None
    return f"the amount of the {kind.replace('_', ' ')} is not known"


def _over_remaining(evidence: Evidence) -> str | None:
    amount, available = evidence.amount, evidence.available
    if amount is None or evidence.facts.order is None:
        return None
    if available is None:
        return f"what is left to refund of order {evidence.facts.exception.order_id} is not known"
    if amount.currency != available.currency or amount.amount_minor <= available.amount_minor:
        return None  # another currency is the next rule's
    return f"{_asks(evidence)} is over the {available} that is left to refund"


def _currency_differs(evidence: Evidence) -> str | None:
    amount, order, available = evidence.amount, evidence.facts.order, evidence.available
    if amount is None or order is None:
        return None
    for other in (order.captured, available):
        if other is not None and other.currency != amount.currency:
            return f"{_asks(evidence)} is for an order paid in {other.currency}"
    return None


def _without_rate(evidence: Evidence) -> str | None:
    if not evidence.unrated:
        return None
    return f"the policy has no rate for {', '.join(evidence.unrated)}"


def _execution_failed(evidence: Evidence) -> str | None:
    failure = evidence.facts.failure
    return f"approved, but not executed: {failure}" if failure is not None else None


def _action_request(evidence: Evidence) -> str | None:
    exception = evidence.facts.exception
    if exception.kind is not ExceptionKind.ACTION_REQUEST:
        return None
    names = ", ".join(action.name for action in exception.actions) or "an unnamed action"
    return f"{exception.requested_by} asks to run {names}"


class _BuiltIn(NamedTuple):
    """`says` gives the sentence when the rule fires, and None otherwise."""

    id: str
    when: str
    says: Callable[[Evidence], str | None]
    risk: Risk
    amount_in_doubt: bool

    def at(self, level: str) -> Rule:
        return Rule(
            id=self.id,
            applies=lambda evidence: self.says(evidence) is not None,
            says=lambda evidence: self.says(evidence) or self.when,
            level=level,
            risk=self.risk,
            when=self.when,
            built_in=True,
        )


_RULES = (
    _BuiltIn("order-unknown", "nobody knows the order", _order_unknown, Risk.MEDIUM, True),
    _BuiltIn("amount-unknown", "money without an amount", _amount_unknown, Risk.MEDIUM, True),
    _BuiltIn("over-remaining", "more than is left to refund", _over_remaining, Risk.HIGH, True),
    _BuiltIn("currency-differs", "not the order's currency", _currency_differs, Risk.HIGH, True),
    _BuiltIn("currency-without-rate", "nothing to compare by", _without_rate, Risk.MEDIUM, True),
    _BuiltIn("execution-failed", "approved, not executed", _execution_failed, Risk.HIGH, False),
    _BuiltIn("action-request", "an agent wants a signature", _action_request, Risk.MEDIUM, False),
)
BUILT_IN_IDS = frozenset(rule.id for rule in _RULES)


def built_in_rules(levels: Sequence[str]) -> tuple[Rule, ...]:
    """`levels` are the names of the policy's levels, lowest first."""
    return tuple(rule.at(levels[-1 if rule.amount_in_doubt else 0]) for rule in _RULES)
