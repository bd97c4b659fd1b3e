"""The application's store, in PostgreSQL: batched reads and group commits behind one port."""

from worker.adapters.postgres.case_reader import CaseReader
from worker.adapters.postgres.group_commit import GroupCommit
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import NOTHING, CaseQuery, Commit, UnitOfWork


class PostgresStore:
    def __init__(self, reader: CaseReader, group_commit: GroupCommit) -> None:
        self._reader = reader
        self._group_commit = group_commit

    async def view(self, query: CaseQuery) -> CaseView:
        return await self._reader.view(query)

    async def commit(self, unit: UnitOfWork) -> Commit:
        return Commit.DONE if unit == NOTHING else await self._group_commit.commit(unit)
