"""A store whose every commit is looked at."""

from tests.unit.application.desk import Desk
from tests.unit.application.invariants_of_approvals import Witness
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork


class WatchedStore:
    """Lets the witness look after each commit. What it finds wrong is kept: whoever commits would take it for a fault
    of the message."""

    def __init__(self, desk: Desk, witness: Witness) -> None:
        self._store, self._witness = desk.store, witness
        self.found: Exception | None = None

    async def view(self, query: CaseQuery) -> CaseView:
        return await self._store.view(query)

    async def commit(self, unit: UnitOfWork) -> Commit:
        result = await self._store.commit(unit)
        if self.found is None:
            try:
                self._witness.look()
            except (AssertionError, LookupError) as found:
                self.found = found
        return result
