"""Puts a model's answer beside the opinion of the rules. Neither can take away a doubt that the other has."""

from collections.abc import Iterator

from schemas.values import Alternative, ExceptionKind
from worker.adapters.analysis.answer import AlternativeAction, Answer, SuggestedAlternative
from worker.adapters.analysis.drafts import usable_description, usable_draft
from worker.adapters.analysis.reason_codes import known_code
from worker.domain.analysis import Opinion
from worker.domain.order_exception import Facts
from worker.domain.resolution import MOVES_MONEY

MAX_ALTERNATIVES = 2
"""A model that likes to suggest must not thereby make every case one with many alternatives."""


def joined(rules: Opinion, answer: Answer, facts: Facts, *, by: str) -> Opinion:
    confidences = [known for known in (rules.confidence, answer.confidence) if known is not None]
    return Opinion(
        by=by,
        intent=_intent(rules.intent, answer.intent, facts.exception.kind),
        reason_code=_code(rules, answer, facts),
        confidence=min(confidences),
        wants_human=rules.wants_human or answer.wants_human,
        concerns=tuple(dict.fromkeys((*rules.concerns, *map(str, answer.concerns)))),
        alternatives=tuple(_alternatives(answer, facts)),
        customer_message=usable_draft(answer.customer_message, facts),
    )


def _intent(rules: ExceptionKind | None, model: ExceptionKind, kind: ExceptionKind) -> ExceptionKind:
    """The rules', where they see another intent than the event says; the model must not talk that away."""
    return rules if rules is not None and rules is not kind else model


def _code(rules: Opinion, answer: Answer, facts: Facts) -> str | None:
    """The event's own code stands."""
    given = facts.exception.reason_code
    return rules.reason_code if given and known_code(given) else str(answer.reason_code)


def _alternatives(answer: Answer, facts: Facts) -> Iterator[Alternative]:
    """None for what moves no money: there an alternative that pays could not be chosen. None twice."""
    if facts.exception.kind not in MOVES_MONEY:
        return
    offered = {(known.action, known.method) for known in facts.exception.alternatives}
    for suggested in answer.alternatives[:MAX_ALTERNATIVES]:
        alternative = _alternative(suggested)
        if (alternative.action, alternative.method) not in offered:
            offered.add((alternative.action, alternative.method))
            yield alternative


def _alternative(suggested: SuggestedAlternative) -> Alternative:
    """It never names an amount: chosen, it pays what the case is about, or nothing."""
    pays = suggested.action in _PAYING
    return Alternative(
        action=str(suggested.action),
        method=suggested.method if pays else None,
        description=usable_description(suggested.description),
    )


_PAYING = (AlternativeAction.REFUND, AlternativeAction.PRICE_ADJUSTMENT, AlternativeAction.CANCELLATION)
