"""The figures that a decision may depend on besides its own case: what else was asked for the same customer and
order, and what one reviewer has signed for lately.

Both are asked within a pipeline and read after it. The versions of the figures are asked for before the figures,
never after: what changes in between then costs a conflict that was not needed, and not a decision on figures that no
longer hold.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow

from schemas.values import MAX_AMOUNT_MINOR, Money
from worker.adapters.postgres.keyed_queries import ask, ask_each, rows
from worker.adapters.postgres.named_queries import load
from worker.application.unit_of_work import CaseQuery, OthersQuery, Watch
from worker.application.watch_keys import key_of_reviewer, keys_of_others
from worker.domain.approval import ApprovalRequest
from worker.domain.approval_policy import Cap
from worker.domain.exposure import Exposure, RelatedCase
from worker.domain.reviewers import person_key

_QUERIES = load("figures.sql")

_Answer = AsyncCursor[DictRow] | None


class OtherCases:
    """Answers the queries' `others`, for each query by its place in the batch."""

    def __init__(self, queries: Sequence[CaseQuery]) -> None:
        self._asked = {place: query.others for place, query in enumerate(queries) if query.others is not None}
        self._answers: tuple[_Answer, _Answer, _Answer] = (None, None, None)
        self._versions: dict[str, int] = {}
        self._exposures: dict[int, Exposure] = {}

    async def ask(self, connection: AsyncConnection[Any]) -> None:
        keys = (key for others in self._asked.values() for key in keys_of_others(others))
        wanted = [_wanted(place, others) for place, others in self._asked.items()]
        self._answers = (
            await ask(connection, _QUERIES["watches"], keys),
            await ask_each(connection, _QUERIES["exposure"], wanted),
            await ask_each(connection, _QUERIES["near_duplicates"], wanted),
        )

    async def read(self) -> None:
        watches, figures, duplicates = self._answers
        self._versions = await _versions(watches)
        found = _by_place(await rows(figures))
        related = _by_place(await rows(duplicates))
        self._exposures = {place: _exposure(found.get(place, ()), related.get(place, ())) for place in self._asked}

    def exposure(self, place: int) -> Exposure | None:
        return self._exposures.get(place)

    def watched(self, place: int) -> tuple[Watch, ...]:
        others = self._asked.get(place)
        return _watched(keys_of_others(others), self._versions) if others is not None else ()


class Signings:
    """What the queries' reviewers have signed for, where the level of the open approval request caps it."""

    def __init__(self, queries: Sequence[CaseQuery], approvals: Sequence[ApprovalRequest | None]) -> None:
        self._asked = {
            place: (query.reviewer, cap)
            for place, (query, approval) in enumerate(zip(queries, approvals, strict=True))
            if query.reviewer is not None and approval is not None and (cap := _cap_now(approval)) is not None
        }
        self._answers: tuple[_Answer, _Answer] = (None, None)
        self._versions: dict[str, int] = {}
        self._signed: dict[int, tuple[Money, ...]] = {}

    @property
    def wanted(self) -> bool:
        return bool(self._asked)

    async def ask(self, connection: AsyncConnection[Any]) -> None:
        keys = (key_of_reviewer(reviewer) for reviewer, _ in self._asked.values())
        signers = [_signer(place, *asked) for place, asked in self._asked.items()]
        self._answers = (
            await ask(connection, _QUERIES["watches"], keys),
            await ask_each(connection, _QUERIES["signed"], signers),
        )

    async def read(self) -> None:
        watches, sums = self._answers
        self._versions = await _versions(watches)
        self._signed = {place: _sums(found) for place, found in _by_place(await rows(sums)).items()}

    def signed(self, place: int) -> tuple[Money, ...]:
        return self._signed.get(place, ())

    def watched(self, place: int) -> tuple[Watch, ...]:
        asked = self._asked.get(place)
        return _watched((key_of_reviewer(asked[0]),), self._versions) if asked is not None else ()


def _wanted(place: int, others: OthersQuery) -> dict[str, Any]:
    return {
        "place": place,
        "exception_id": others.exception_id,
        "kind": others.kind,
        "order_id": others.order_id,
        "customer_id": others.customer_id,
        "amount_minor": others.amount and others.amount.amount_minor,
        "currency": others.amount and others.amount.currency,
        "seconds": others.window.total_seconds(),
    }


def _cap_now(approval: ApprovalRequest) -> Cap | None:
    """A closed request is signed by nobody any more."""
    return approval.question.asked.cap if approval.is_open else None


def _signer(place: int, reviewer: str, cap: Cap) -> dict[str, Any]:
    return {"place": place, "reviewer_key": person_key(reviewer), "seconds": cap.window.total_seconds()}


def _exposure(figures: Sequence[DictRow], duplicates: Sequence[DictRow]) -> Exposure:
    of_customer = [row for row in figures if row["whose"] == "customer"]
    of_order = [row for row in figures if row["whose"] == "order"]
    return Exposure(
        customer=_sums(of_customer),
        customer_cases=sum(row["cases"] for row in of_customer),
        order=_sums(of_order),
        order_cases=sum(row["cases"] for row in of_order),
        near_duplicates=tuple(_related(row) for row in duplicates),
    )


def _related(row: DictRow) -> RelatedCase:
    amount = None
    if row["currency"] is not None:
        amount = Money(amount_minor=row["amount_minor"], currency=row["currency"])
    return RelatedCase(
        case_id=row["case_id"],
        exception_id=row["exception_id"],
        state=row["state"],
        amount=amount,
        opened_at=row["opened_at"],
    )


def _sums(found: Iterable[DictRow]) -> tuple[Money, ...]:
    """By currency. A sum that no amount can hold is as large as an amount can be: it is over any limit."""
    sums = {row["currency"]: int(row["amount_minor"]) for row in found if row["amount_minor"] is not None}
    return tuple(
        Money(amount_minor=min(amount_minor, MAX_AMOUNT_MINOR), currency=currency)
        for currency, amount_minor in sorted(sums.items())
    )


def _watched(keys: Iterable[str], versions: dict[str, int]) -> tuple[Watch, ...]:
    """A figure that nobody has changed yet has version 0."""
    return tuple(Watch(key, versions.get(key, 0)) for key in keys)


async def _versions(answer: _Answer) -> dict[str, int]:
    return {row["key"]: row["version"] for row in await rows(answer)}


def _by_place(found: Iterable[DictRow]) -> dict[int, list[DictRow]]:
    places: dict[int, list[DictRow]] = {}
    for row in found:
        places.setdefault(row["place"], []).append(row)
    return places
