"""The store: what is known of a case, and the one way to change it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.values import Money
from worker.application.threads import StoredThread
from worker.application.unit_of_work import Balance, CaseQuery, Commit, UnitOfWork, Watch
from worker.domain.approval import ApprovalRequest, Receipt
from worker.domain.exception_case import Case
from worker.domain.exposure import Exposure
from worker.domain.reviewers import Person


@dataclass(frozen=True, slots=True)
class CaseView:
    """One consistent look at a case.

    `approval` is the request that the query names, else the case's latest one; `earlier` is the receipt that the
    query's decision got already; `now` is the database's time. `people` is what the register of reviewers says of
    the query's reviewer and of everybody who reaches them through delegates; None where no register is kept.
    `exposure` answers the query's `others`. `signed` is what the reviewer signed for within the window of the cap
    that the approval's level has, one sum for each currency. `watched` are the figures behind both.
    """

    now: datetime
    case: Case | None = None
    approval: ApprovalRequest | None = None
    earlier: Receipt | None = None
    thread: StoredThread | None = None
    balance: Balance | None = None
    people: tuple[Person, ...] | None = None
    exposure: Exposure | None = None
    signed: tuple[Money, ...] = ()
    watched: tuple[Watch, ...] = ()


class UnitRefused(Exception):
    """The store cannot write this unit, ever: a defect or poison. The others of its batch were committed."""


class Store(Protocol):
    async def view(self, query: CaseQuery) -> CaseView: ...

    async def commit(self, unit: UnitOfWork) -> Commit:
        """Writes the unit, then publishes what it announces. Raises UnitRefused."""
        ...
