"""The figures that a decision may depend on besides its own case: what else was asked for the same customer and
order, and what one reviewer has signed for lately."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from schemas.values import MAX_AMOUNT_MINOR, Money, Verdict
from worker.adapters.memory.database import WITH_EFFECT, CaseRow, MemoryDatabase
from worker.application.unit_of_work import OthersQuery, Watch
from worker.domain.approval import Decision
from worker.domain.exception_case import Case, CaseState
from worker.domain.exposure import Exposure, RelatedCase
from worker.domain.reviewers import same_person

_SIGNS = frozenset({Verdict.APPROVE, Verdict.MODIFY, Verdict.CHOOSE})
_CAME_TO_NOTHING = frozenset({CaseState.REJECTED, CaseState.EXPIRED, CaseState.WITHDRAWN, CaseState.FAILED})
_MOST_RELATED = 10


def exposure(database: MemoryDatabase, others: OthersQuery) -> Exposure:
    """A case that came to nothing was asked for all the same, so it is counted; it adds nothing to a sum."""
    of_customer = _others(database, others, lambda row: _is(row.customer_id, others.customer_id))
    of_order = _others(database, others, lambda row: _is(row.order_id, others.order_id))
    related = [case for case in of_order if _is_near_duplicate(case, others)]
    newest = sorted(related, key=lambda case: (case.opened_at, case.case_id), reverse=True)
    return Exposure(
        customer=_sums(_at_stake(of_customer)),
        customer_cases=len(of_customer),
        order=_sums(_at_stake(of_order)),
        order_cases=len(of_order),
        near_duplicates=tuple(_related(case) for case in newest[:_MOST_RELATED]),
    )


def signed(database: MemoryDatabase, reviewer: str, window: timedelta) -> tuple[Money, ...]:
    """What the reviewer agreed to, one sum for each currency."""
    since = database.clock() - window
    return _sums(
        row.amount
        for row in database.decisions.values()
        if isinstance(row.said, Decision)
        and row.said.verdict in _SIGNS
        and row.receipt.code in WITH_EFFECT
        and same_person(row.said.reviewer.id, reviewer)
        and row.received_at > since
    )


def watched(database: MemoryDatabase, keys: Iterable[str]) -> tuple[Watch, ...]:
    """A figure that nobody has changed yet has version 0."""
    return tuple(Watch(key, database.watches.get(key, 0)) for key in keys)


def _is(known: str | None, asked: str | None) -> bool:
    return asked is not None and known == asked


def _others(database: MemoryDatabase, others: OthersQuery, belongs: Callable[[CaseRow], bool]) -> list[Case]:
    since = database.clock() - others.window
    return [
        row.known
        for row in database.cases.values()
        if belongs(row) and row.exception_id != others.exception_id and row.opened_at > since
    ]


def _is_near_duplicate(case: Case, others: OthersQuery) -> bool:
    counts = case.finished_at is None or case.state is CaseState.EXECUTED
    same_amount = others.amount in (None, case.proposal.amount)
    return counts and same_amount and case.exception.kind is others.kind


def _at_stake(cases: Iterable[Case]) -> Iterable[Money | None]:
    return (case.proposal.amount for case in cases if case.state not in _CAME_TO_NOTHING)


def _sums(amounts: Iterable[Money | None]) -> tuple[Money, ...]:
    """By currency. A sum that no amount can hold is as large as an amount can be: it is over any limit."""
    sums: dict[str, int] = {}
    for amount in amounts:
        if amount is not None:
            sums[amount.currency] = sums.get(amount.currency, 0) + amount.amount_minor
    return tuple(
        Money(amount_minor=min(amount_minor, MAX_AMOUNT_MINOR), currency=currency)
        for currency, amount_minor in sorted(sums.items())
    )


def _related(case: Case) -> RelatedCase:
    return RelatedCase(
        case_id=case.case_id,
        exception_id=case.exception.exception_id,
        state=case.state,
        amount=case.proposal.amount,
        opened_at=case.opened_at,
    )
