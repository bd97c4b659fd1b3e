"""What the configuration lets statements do."""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.adapters.executors.sql_statement import Statement, StatementKind

RECORD = "signoff_executions"
"""The table of what was run. A statement that could change it could run twice."""

_OF_THE_SERVER = ("pg_catalog.", "pg_toast.", "information_schema.")


@dataclass(frozen=True, slots=True)
class Permissions:
    """`tables` are written with their schema; None is every table but those of the server itself."""

    kinds: frozenset[StatementKind]
    tables: frozenset[str] | None = None
    functions: frozenset[str] = frozenset()
    all_rows: bool = False

    def refusals(self, statement: Statement) -> Iterator[str]:
        """Why the statement may not run; nothing when it may."""
        if statement.kind not in self.kinds:
            allowed = ", ".join(sorted(self.kinds))
            yield f"it is of the kind {statement.kind}, and this executor runs {allowed} only"
        if statement.all_rows and not self.all_rows:
            yield f"its {statement.kind} has no WHERE; say which rows"
        for table in statement.tables:
            if not self._may_use(table):
                yield f"it uses {table}, which this executor may not"
        for function in statement.functions:
            if function not in self.functions:
                yield f"it calls {function}, which is not known to be harmless; the option `functions` can allow it"

    def _may_use(self, table: str) -> bool:
        schema, _, name = table.partition(".")
        if name == RECORD:
            return False
        if self.tables is not None:
            return table in self.tables
        return not (table.startswith(_OF_THE_SERVER) or schema.startswith("pg_") or name.startswith("pg_"))


def kinds_of(words: tuple[str, ...]) -> frozenset[StatementKind]:
    """An upsert is what both an insert and an update may do."""
    kinds = {StatementKind(word) for word in words}
    both = {StatementKind.INSERT, StatementKind.UPDATE} <= kinds
    return frozenset(kinds | {StatementKind.UPSERT} if both else kinds)
