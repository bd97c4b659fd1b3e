"""The audit trail, read back and held against its own hashes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from worker.adapters.postgres.case_listing import entry_of
from worker.adapters.postgres.named_queries import load
from worker.domain.audit import AuditEntry

_QUERIES = load("audit_trail.sql")
_ENTRY = tuple(AuditEntry.model_fields)


@dataclass(frozen=True, slots=True)
class BrokenEntry:
    """The first entry of a case that does not hold. `number` is None when an entry is not there at all."""

    case_id: UUID
    exception_id: str | None
    number: int | None
    problem: str


@dataclass(slots=True)
class _Chain:
    """What the next entry of a case must build on."""

    case_id: UUID
    exception_id: str | None
    version: int | None
    audit_head: str | None
    number: int = 0
    head: str = ""
    broken: BrokenEntry | None = None

    def add(self, entry: AuditEntry) -> None:
        problem = self._problem(entry)
        if problem and self.broken is None:
            self.broken = BrokenEntry(self.case_id, self.exception_id, entry.number, problem)
        self.number, self.head = entry.number, entry.hash

    def _problem(self, entry: AuditEntry) -> str | None:
        if entry.number != self.number + 1:
            return f"entry {self.number + 1} is missing before it"
        if entry.previous_hash != self.head:
            return "it does not continue the entry before it"
        if entry.computed_hash() != entry.hash:
            return "its content was altered: its hash does not fit it"
        return None

    def end(self) -> BrokenEntry | None:
        """Held against the case itself, so that entries cut off at the end are missed too."""
        if self.broken is not None:
            return self.broken
        if self.version is None:
            return BrokenEntry(self.case_id, None, self.number, "it belongs to a case that does not exist")
        if self.version != self.number or (self.audit_head or "") != self.head:
            problem = f"the case is at version {self.version}, its trail ends with entry {self.number}"
            return BrokenEntry(self.case_id, self.exception_id, None, problem)
        return None


@dataclass(slots=True)
class Verification:
    """`broken` names the first broken entry of each case that has one."""

    cases: int
    entries: int
    broken: list[BrokenEntry]


async def verify(connection: AsyncConnection[Any], case_id: UUID | None = None) -> Verification:
    """Recomputes every hash of one case, or of all, in one pass that keeps nothing in memory."""
    result = Verification(cases=0, entries=0, broken=[])
    chain: _Chain | None = None
    async for row in _stream(connection, case_id):
        if chain is None or chain.case_id != row["of_case"]:
            _conclude(result, chain)
            chain = _Chain(row["of_case"], row["exception_id"], row["version"], row["audit_head"])
        if row["recorded"]:
            result.entries += 1
            chain.add(entry_of({name: row[name] for name in _ENTRY}))
    _conclude(result, chain)
    return result


def _conclude(result: Verification, chain: _Chain | None) -> None:
    if chain is None:
        return
    result.cases += 1
    if broken := chain.end():
        result.broken.append(broken)


async def _stream(connection: AsyncConnection[Any], case_id: UUID | None) -> AsyncIterator[DictRow]:
    async with (
        connection.transaction(),
        connection.cursor("audit_trail", row_factory=dict_row) as cursor,
    ):
        cursor.itersize = 1000
        if case_id is None:
            await cursor.execute(_QUERIES["entries_with_their_cases"])
        else:
            await cursor.execute(_QUERIES["entries_of_one_case"], {"case_id": case_id})
        async for row in cursor:
            yield row
