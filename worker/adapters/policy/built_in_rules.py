"""The rules that no policy file can take away: they stand between money and what nobody knows.

A rule that fires because an amount is not known, or cannot be compared, asks the whole ladder of the
first level, since a lower one may have no authority over the true amount; the others ask the first
level. Those whose amount is in order are fallbacks: they see to it that somebody looks, and add
nobody where a rule of the file asks somebody already.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import NamedTuple

from schemas.values import ExceptionKind, Risk
from worker.adapters.policy.sentences import cut_short
from worker.adapters.policy.vocabulary import Evidence
from worker.domain.approval_policy import ActionTerms, Rule
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
    return f"not executed: {failure}" if failure is not None else None


def _changes_requested(evidence: Evidence) -> str | None:
    facts = evidence.facts
    return f"round {facts.round}: {facts.feedback[-1].reviewer} asked for changes" if facts.feedback else None


def _order_changed(evidence: Evidence) -> str | None:
    difference = evidence.facts.difference
    return f"the order has changed since it was shown: {difference}" if difference is not None else None


class _UnnamedActions:
    """What an agent asks to run that the policy's `actions` do not name, under whatever kind that runs actions.
    `beside` actions that want a signature for themselves it is another rule that asks: their reviewers were not chosen
    for it."""

    def __init__(self, actions: Mapping[str, ActionTerms], *, beside: bool) -> None:
        self._named = frozenset(actions)
        self._signed = frozenset(name for name, terms in actions.items() if not terms.passes)
        self._beside = beside

    def __call__(self, evidence: Evidence) -> str | None:
        exception = evidence.facts.exception
        asked = dict.fromkeys(evidence.actions)
        unnamed = [name for name in asked if name not in self._named]
        is_beside = any(name in self._signed for name in asked)
        if exception.kind in MOVES_MONEY or is_beside is not self._beside:
            return None
        if not asked and exception.kind is ExceptionKind.ACTION_REQUEST:
            return f"{exception.requested_by} asks to run an unnamed action"
        names = cut_short(", ".join(unnamed))
        return f"{exception.requested_by} asks to run {names}, which the policy does not name" if unnamed else None


class _Asks(Enum):
    """THE_LADDER is the first level and all above it; SOMEBODY is the first level unless another rule asks anybody."""

    THE_LADDER = auto()
    THE_FIRST_LEVEL = auto()
    SOMEBODY = auto()


class _BuiltIn(NamedTuple):
    """`says` gives the sentence when the rule fires, and None otherwise."""

    id: str
    when: str
    says: Callable[[Evidence], str | None]
    risk: Risk
    asks: _Asks
    per_action: bool = False

    def of(self, ladder: tuple[str, ...]) -> Rule:
        return Rule(
            id=self.id,
            applies=lambda evidence: self.says(evidence) is not None,
            says=lambda evidence: self.says(evidence) or self.when,
            levels=ladder if self.asks is _Asks.THE_LADDER else ladder[:1],
            risk=self.risk,
            fallback=self.asks is _Asks.SOMEBODY,
            per_action=self.per_action,
            when=self.when,
            built_in=True,
        )


_RULES = (
    _BuiltIn("order-unknown", "nobody knows the order", _order_unknown, Risk.MEDIUM, _Asks.SOMEBODY),
    _BuiltIn("amount-unknown", "money without an amount", _amount_unknown, Risk.MEDIUM, _Asks.THE_LADDER),
    _BuiltIn("over-remaining", "more than is left to refund", _over_remaining, Risk.HIGH, _Asks.THE_FIRST_LEVEL),
    _BuiltIn("currency-differs", "not the order's currency", _currency_differs, Risk.HIGH, _Asks.THE_FIRST_LEVEL),
    _BuiltIn("currency-without-rate", "nothing to compare by", _without_rate, Risk.MEDIUM, _Asks.THE_LADDER),
    _BuiltIn("execution-failed", "it was not executed", _execution_failed, Risk.HIGH, _Asks.SOMEBODY),
    _BuiltIn("changes-requested", "a reviewer asked for changes", _changes_requested, Risk.MEDIUM, _Asks.SOMEBODY),
    _BuiltIn("order-changed", "not the order that was shown", _order_changed, Risk.HIGH, _Asks.SOMEBODY),
)


def _action_rules(actions: Mapping[str, ActionTerms]) -> tuple[_BuiltIn, ...]:
    alone, beside = _UnnamedActions(actions, beside=False), _UnnamedActions(actions, beside=True)
    return (
        _BuiltIn("action-request", "an action that the policy does not name", alone, Risk.MEDIUM, _Asks.SOMEBODY, True),
        _BuiltIn(
            "action-not-named", "the same, beside one that it names", beside, Risk.MEDIUM, _Asks.THE_FIRST_LEVEL, True
        ),
    )


BUILT_IN_IDS = frozenset(rule.id for rule in (*_RULES, *_action_rules({})))


def built_in_rules(ladder: tuple[str, ...], actions: Mapping[str, ActionTerms]) -> tuple[Rule, ...]:
    """`ladder` are the names of the policy's first level and of those above it, lowest first; `actions` those that the
    policy names."""
    return tuple(rule.of(ladder) for rule in (*_RULES, *_action_rules(actions)))
