"""What one SQL statement is: its kind, the tables it names, the functions it calls. Parsed, and never run here.

The parser is the second wall. The first is the database's own: a role that may do no more than it needs to.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlglot import Parser, exp
from sqlglot.dialects import Dialect
from sqlglot.errors import ParseError, SqlglotError

from worker.adapters.executors.sql_functions import HARMLESS
from worker.adapters.executors.sql_text import DIALECT, BadStatement, tokens_of

# sqlglot logs the text of what it does not know, and that may hold a customer's data.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


class StatementKind(StrEnum):
    """UPSERT is an insert that updates the rows that are there already."""

    SELECT = "select"
    INSERT = "insert"
    UPSERT = "upsert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Statement:
    """`tables` are written with their schema. `functions` are the called ones that are not known to be harmless.
    `parameters` is the highest number of a `$1`. `columns` are those of a select, where their names are written in
    it. `all_rows`: an update or delete without WHERE."""

    text: str
    kind: StatementKind
    tables: tuple[str, ...]
    functions: tuple[str, ...]
    parameters: int
    columns: tuple[str, ...] = ()
    all_rows: bool = False


_ROOTS: dict[type[exp.Expr], StatementKind] = {
    exp.Select: StatementKind.SELECT,
    exp.Union: StatementKind.SELECT,
    exp.Intersect: StatementKind.SELECT,
    exp.Except: StatementKind.SELECT,
    exp.Values: StatementKind.SELECT,
    exp.Subquery: StatementKind.SELECT,
    exp.Insert: StatementKind.INSERT,
    exp.Update: StatementKind.UPDATE,
    exp.Delete: StatementKind.DELETE,
}
_NEVER: dict[type[exp.Expr], str] = {
    exp.Insert: "an insert inside another statement; its rows could not be counted",
    exp.Update: "an update inside another statement; its rows could not be counted",
    exp.Delete: "a delete inside another statement; its rows could not be counted",
    exp.Merge: "a merge",
    exp.Into: "SELECT ... INTO, which creates a table",
    exp.Lock: "a lock on rows (FOR UPDATE, FOR SHARE)",
    exp.Command: "a command",
    exp.Placeholder: "a parameter that is not written as $1, $2, ...",
    exp.SessionParameter: "a session parameter",
}


def read_statement(written: str, *, search_schema: str = "public") -> Statement:
    """The one statement of the text. `search_schema` is where tables without a schema are looked for.

    Raises BadStatement for more or less than one, for any but a select, insert, update or delete, and for what cannot
    be read with certainty.
    """
    try:
        return _read(written, search_schema)
    except RecursionError:
        raise BadStatement("the statement is nested too deeply to be read") from None


def _read(written: str, search_schema: str) -> Statement:
    text, root = _one(written)
    kind = _ROOTS.get(type(root))
    if kind is None:
        raise BadStatement(f"it is {type(root).__name__.upper()}; only select, insert, update and delete are run")
    for node in root.walk():
        if node is not root and (reason := _NEVER.get(type(node))):
            raise BadStatement(f"it holds {reason}")
    if isinstance(root, exp.Insert) and _updates(root):
        kind = StatementKind.UPSERT
    changes_rows = kind in (StatementKind.UPDATE, StatementKind.DELETE)
    return Statement(
        text=text,
        kind=kind,
        tables=tuple(sorted(set(_tables(root, search_schema)))),
        functions=tuple(sorted(set(_functions(root)) - HARMLESS)),
        parameters=max((int(each.name) for each in root.find_all(exp.Parameter)), default=0),
        columns=_columns(root),
        all_rows=changes_rows and root.args.get("where") is None,
    )


def _one(written: str) -> tuple[str, exp.Expr]:
    text, tokens = tokens_of(written)
    parser: Parser = Dialect.get_or_raise(DIALECT).parser()
    try:
        found = [each for each in parser.parse(tokens, text) if not isinstance(each, exp.Semicolon | None)]
    except ParseError as error:
        raise BadStatement(_told(error)) from None
    except (SqlglotError, ValueError) as error:
        raise BadStatement(f"the statement cannot be read: {str(error).splitlines()[0][:200]}") from None
    if len(found) != 1:
        raise BadStatement(f"it holds {len(found)} statements; write one" if found else "it holds no statement")
    return text, found[0]


def _told(error: ParseError) -> str:
    first = error.errors[0] if error.errors else {}
    near = f" near {first['highlight'][:40]!a}" if first.get("highlight") else ""
    where = f"line {first['line']}, column {first['col']}: " if first.get("line") else ""
    says = first.get("description", "the statement cannot be read").partition(" but got <")[0]
    return f"{where}{says}{near}"


def _updates(insert: exp.Insert) -> bool:
    conflict = insert.args.get("conflict")
    return conflict is not None and conflict.text("action").upper() != "DO NOTHING"


def _tables(root: exp.Expr, search_schema: str) -> Iterator[str]:
    target = root.this.find(exp.Table) if isinstance(root, exp.Insert | exp.Update | exp.Delete) else None
    for table in root.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or (table is not target and _is_cte(table)):
            continue
        if table.args.get("catalog") is not None:
            raise BadStatement(f"{table.name}: write the table with its schema and without its database")
        schema = table.args.get("db")
        yield f"{_folded(schema) if schema else search_schema}.{_folded(table.this)}"


def _is_cte(table: exp.Table) -> bool:
    """Whether the name is that of a WITH query that can be seen from there: it hides a table of the same name."""
    if table.args.get("db") is not None:
        return False
    within: exp.CTE | None = None
    inner: exp.Expr = table
    while (outer := inner.parent) is not None:
        if isinstance(outer, exp.CTE):
            within = outer
        scope = outer.args.get("with_")
        if scope is not None and _folded(table.this) in _visible(scope, within if inner is scope else None):
            return True
        inner = outer
    return False


def _visible(scope: exp.With, within: exp.CTE | None) -> set[str]:
    """The names of a WITH clause as its statement sees them or, for a query `within` it, those before it."""
    names: set[str] = set()
    for query in scope.expressions:
        if query is within and not scope.recursive:
            break
        names.add(_folded(query.args["alias"].this))
    return names


def _folded(name: exp.Identifier) -> str:
    """As PostgreSQL knows it: in small letters, unless it is quoted."""
    return str(name.this) if name.args.get("quoted") else str(name.this).lower()


def _functions(root: exp.Expr) -> Iterator[str]:
    """The called functions that are not part of the language, with a schema where one is written."""
    for call in root.find_all(exp.Anonymous, exp.AnonymousAggFunc, exp.Operator):
        if isinstance(call, exp.Operator):
            raise BadStatement("it holds OPERATOR(...); write the operator itself")
        name = _folded(call.this) if isinstance(call.this, exp.Identifier) else str(call.this).lower()
        above = call.parent
        schema = above.args.get("db") if isinstance(above, exp.Table) else None
        if isinstance(above, exp.Dot) and above.expression is call:
            schema = above.this
        yield name if schema is None or schema.name == "pg_catalog" else f"{schema.sql(DIALECT).lower()}.{name}"


def _columns(root: exp.Expr) -> tuple[str, ...]:
    if not isinstance(root, exp.Select):
        return ()
    names = root.named_selects
    return tuple(names) if all(name and name != "*" for name in names) else ()
