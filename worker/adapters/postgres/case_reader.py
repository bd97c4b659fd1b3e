"""Reads cases, many at once: what the use cases see before they decide."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from pydantic import BaseModel, ValidationError

from schemas.values import Money
from worker.adapters.postgres.batching import Batcher
from worker.adapters.postgres.checkpointer import fetch_threads
from worker.adapters.postgres.figures import OtherCases, Signings
from worker.adapters.postgres.identifiers import uuid_or_none
from worker.adapters.postgres.keyed_queries import ask, rows
from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.people import People, ask_delegators, ask_people
from worker.adapters.postgres.pool import Pool, borrowed
from worker.application.ports.store import CaseView
from worker.application.threads import StoredThread
from worker.application.unit_of_work import Balance, CaseQuery
from worker.domain.approval import ApprovalRequest, Receipt
from worker.domain.exception_case import Case, CaseState

_QUERIES = load("cases.sql")

Stored = TypeVar("Stored", bound=BaseModel)


class CaseReader:
    """One look at a case takes two round trips, however many callers look at the same time, and a third where a
    thread must be read. `register` says that a register of reviewers is kept."""

    def __init__(self, pool: Pool, *, batch: int = 200, register: bool = False) -> None:
        self._pool = pool
        self._register = register
        self.view = Batcher[CaseQuery, CaseView](self._views, size=batch, parallel=2)

    async def _views(self, queries: list[CaseQuery]) -> list[CaseView | Exception]:
        async with borrowed(self._pool) as connection:
            found = await _find(connection, queries, register=self._register)
            return await _complete(connection, queries, found)


class _Found:
    """What the first round trip brought: for each query its case, and the approval or receipt it names. A row that
    this release cannot read is the trouble of the one query that is about it."""

    def __init__(self, queries: list[CaseQuery]) -> None:
        self.cases: list[Case | None] = [None] * len(queries)
        self.approvals: list[ApprovalRequest | None] = [None] * len(queries)
        self.unreadable: list[ValidationError | None] = [None] * len(queries)
        self.receipts: dict[str, str] = {}
        self.people: People | None = None
        self.others = OtherCases(queries)
        self.now = datetime.now(UTC)

    def read(self, kind: type[Stored], body: str | None, place: int) -> Stored | None:
        if body is None:
            return None
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            self.unreadable[place] = error
            return None


async def _find(connection: AsyncConnection[Any], queries: list[CaseQuery], *, register: bool) -> _Found:
    found = _Found(queries)
    async with connection.pipeline():
        exceptions = await ask(connection, _QUERIES["cases_by_exception"], (query.exception_id for query in queries))
        approvals = await ask(
            connection, _QUERIES["cases_by_approval"], (uuid_or_none(query.approval_id) for query in queries)
        )
        ids = await ask(connection, _QUERIES["cases_by_id"], (query.case_id for query in queries))
        receipts = await ask(connection, _QUERIES["receipts"], (query.decision_id for query in queries))
        people = await ask_people(connection, queries) if register else None
        await found.others.ask(connection)
        clock = await connection.cursor(row_factory=dict_row).execute(_QUERIES["database_time"])
    found.now = (await rows(clock))[0]["now"]
    _sort_out(found, queries, await rows(exceptions), await rows(approvals), await rows(ids))
    found.receipts = {row["key"]: row["body"] for row in await rows(receipts)}
    found.people = People(await rows(people)) if register else None
    await found.others.read()
    return found


def _sort_out(
    found: _Found,
    queries: list[CaseQuery],
    exceptions: list[DictRow],
    approvals: list[DictRow],
    ids: list[DictRow],
) -> None:
    """To each query its case: by the approval request if it is known, else by the business key, else by our own id."""
    of_exception = {row["key"]: row for row in exceptions}
    of_approval = {row["key"]: row for row in approvals}
    of_id = {row["key"]: row for row in ids}
    for place, query in enumerate(queries):
        approval_id = uuid_or_none(query.approval_id)
        if approval_id is not None and (row := of_approval.get(str(approval_id))):
            found.approvals[place] = found.read(ApprovalRequest, row["approval"], place)
        elif query.exception_id is not None:
            row = of_exception.get(query.exception_id)
        else:
            row = of_id.get(str(query.case_id))
        if row is not None:
            found.cases[place] = found.read(Case, row["body"], place)


async def _complete(
    connection: AsyncConnection[Any], queries: list[CaseQuery], found: _Found
) -> list[CaseView | Exception]:
    """The other round trips: what can only be asked for once the case, and then its approval request, is known."""
    orders = [
        query.order_id or (case.exception.order_id if case else None)
        for query, case in zip(queries, found.cases, strict=True)
    ]
    unanswered = [
        case.case_id
        for case, approval in zip(found.cases, found.approvals, strict=True)
        if case is not None and approval is None
    ]
    async with connection.pipeline():
        approvals = await ask(connection, _QUERIES["latest_approvals"], unanswered)
        balances = await ask(connection, _QUERIES["balances"], orders)
    of_case = {row["key"]: row["body"] for row in await rows(approvals)}
    balance_of = {row["key"]: _balance(row) for row in await rows(balances)}
    for place, case in enumerate(found.cases):
        if found.approvals[place] is None and case is not None and (body := of_case.get(str(case.case_id))):
            found.approvals[place] = found.read(ApprovalRequest, body, place)
    if found.people is not None:
        found.people.add(await rows(await ask_delegators(connection, found.approvals)))
    signings = Signings(queries, found.approvals)
    threads = await _what_waits(connection, found.cases, signings)
    earlier = [
        found.read(Receipt, found.receipts.get(query.decision_id or ""), place) for place, query in enumerate(queries)
    ]
    return [
        found.unreadable[place]
        or CaseView(
            now=found.now,
            case=case,
            approval=found.approvals[place],
            earlier=earlier[place],
            thread=threads.get(str(case.case_id)) if case else None,
            balance=balance_of.get(orders[place] or ""),
            people=found.people.of(query, found.approvals[place]) if found.people else None,
            exposure=found.others.exposure(place),
            signed=signings.signed(place),
            watched=(*found.others.watched(place), *signings.watched(place)),
        )
        for place, (query, case) in enumerate(zip(queries, found.cases, strict=True))
    ]


async def _what_waits(
    connection: AsyncConnection[Any], cases: list[Case | None], signings: Signings
) -> dict[str, StoredThread]:
    """The threads of the cases that wait for an answer; what their reviewers have signed for is asked with them."""
    waiting = dict.fromkeys(str(case.case_id) for case in cases if case and case.state is CaseState.WAITING)
    if not waiting and not signings.wanted:
        return {}
    async with connection.pipeline():
        await signings.ask(connection)
        threads = await fetch_threads(connection, waiting)
    await signings.read()
    return threads


def _balance(row: DictRow) -> Balance:
    captured = Money(amount_minor=row["captured_minor"], currency=row["currency"])
    return Balance(captured=captured, refunded_minor=row["refunded_minor"])
