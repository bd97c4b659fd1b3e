"""Cases of a store that a contract is tried on, as they are stored."""

from tests.builders import (
    an_exception,
    an_unopened_case,
    approving_unit,
    opening_unit,
)
from tests.contracts.houses import House
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery, Commit
from worker.domain.approval import ApprovalRequest
from worker.domain.exception_case import Case
from worker.domain.intent import PaymentIntent

BY_EXCEPTION = CaseQuery(exception_id="EXC-1")


async def seen(house: House, query: CaseQuery = BY_EXCEPTION) -> tuple[CaseView, Case, ApprovalRequest]:
    """A look at a case that is there and has asked somebody."""
    view = await house.store.view(query)
    assert view.case is not None
    assert view.approval is not None
    return view, view.case, view.approval


async def opened(house: House, exception_id: str = "EXC-1") -> tuple[CaseView, Case, ApprovalRequest]:
    """A case that waits for a manager."""
    view = await house.store.view(CaseQuery(exception_id=exception_id))
    unit = opening_unit(an_unopened_case(view.now, an_exception(exception_id)), view.now)
    assert await house.store.commit(unit) is Commit.DONE
    return await seen(house, CaseQuery(exception_id=exception_id))


async def approved(house: House) -> tuple[CaseView, Case, PaymentIntent]:
    view, case, approval = await opened(house)
    unit = approving_unit(case, approval, view.now)
    assert await house.store.commit(unit) is Commit.DONE
    assert isinstance(unit.intent, PaymentIntent)
    view, case, _ = await seen(house)
    return view, case, unit.intent
