"""Cases and decisions that add up to the figures of others, and the look at those."""

from datetime import timedelta
from typing import Any

from schemas.values import ExceptionKind, Money
from tests.builders import (
    a_level,
    a_proposal,
    a_question,
    an_approval,
    an_exception,
    an_unopened_case,
    opening_unit,
    usd,
)
from tests.contracts.houses import House
from worker.application.ports.store import CaseView
from worker.application.transition import transition
from worker.application.unit_of_work import CaseQuery, Commit, OthersQuery, UnitOfWork
from worker.domain.approval import ApprovalRequest
from worker.domain.approval_policy import Cap
from worker.domain.exception_case import Case, CaseState
from worker.domain.exposure import Exposure

DAY = timedelta(days=1)
CAPPED = a_level(cap=Cap(amount=usd(1_000_000), window=DAY))


async def opened(house: House, name: str, amount: Money | None = None, **fields: Any) -> Case:
    """A case that waits, as it is stored."""
    now = (await house.store.view(CaseQuery())).now
    asked = amount or usd(15_000)
    case = an_unopened_case(now, an_exception(name, asked, **fields), proposal=a_proposal(amount=asked))
    assert await house.store.commit(opening_unit(case, now)) is Commit.DONE
    view = await house.store.view(CaseQuery(exception_id=name))
    assert view.case is not None
    return view.case


async def ended(house: House, case: Case, state: str, **fields: Any) -> None:
    now = (await house.store.view(CaseQuery())).now
    done, entry = transition(case, CaseState(state), actor="system", action=state, at=now, **fields)
    assert done.finished_at is not None
    assert await house.store.commit(UnitOfWork(case=done, audit=entry)) is Commit.DONE


def others(**fields: Any) -> OthersQuery:
    known: dict[str, Any] = {
        "exception_id": "EXC-NEW",
        "kind": ExceptionKind.REFUND,
        "window": DAY,
        "order_id": "ORD-1",
        "customer_id": "CUST-1",
        "amount": usd(15_000),
        **fields,
    }
    return OthersQuery(**known)


async def exposure(house: House, **fields: Any) -> Exposure:
    found = (await house.store.view(CaseQuery(others=others(**fields)))).exposure
    assert found is not None
    return found


async def asked(house: House, name: str = "EXC-1", level: Any = CAPPED) -> ApprovalRequest:
    """An open request of a level that caps what one reviewer may sign for."""
    now = (await house.store.view(CaseQuery())).now
    case = an_unopened_case(now, an_exception(name))
    unit = opening_unit(case, now, an_approval(case, now, a_question(level)))
    assert await house.store.commit(unit) is Commit.DONE
    assert unit.new_approval is not None
    return unit.new_approval


async def look(house: House, approval: ApprovalRequest, reviewer: str = "user:maria") -> CaseView:
    return await house.store.view(CaseQuery(approval_id=str(approval.approval_id), reviewer=reviewer))
