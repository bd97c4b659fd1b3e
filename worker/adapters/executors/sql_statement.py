"""What one SQL statement is: its kind, the tables it names, the functions it calls. Parsed, and never run here.

The parser is the second wall. The first is the database's own: a role that may do no more than it needs to.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from worker.adapters.executors.sql_functions import HARMLESS, LANGUAGE
from worker.adapters.executors.sql_grammar import parsed, refuse_hidden_calls
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
    `calls` are all that have no schema, and `attributes` the names behind a dot: `orders.total` may call `total`.
    `parameters` is the highest number of a `$1`. `columns` are those of a select, where their names are written in
    it. `all_rows`: an update or delete without WHERE. `returns`: a change with RETURNING."""

    text: str
    kind: StatementKind
    tables: tuple[str, ...]
    functions: tuple[str, ...]
    parameters: int
    columns: tuple[str, ...] = ()
    all_rows: bool = False
    returns: bool = False
    calls: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


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
    text, tokens, root = _one(written)
    kind = _ROOTS.get(type(root))
    if kind is None:
        raise BadStatement(f"it is {type(root).__name__.upper()}; only select, insert, update and delete are run")
    for node in root.walk():
        if node is not root and (reason := _NEVER.get(type(node))):
            raise BadStatement(f"it holds {reason}")
    if isinstance(root, exp.Insert) and _updates(root):
        kind = StatementKind.UPSERT
    functions = set(_functions(root))
    refuse_hidden_calls(text, tokens, root, {_called(call) for call in root.find_all(exp.Func)})
    changes_rows = kind in (StatementKind.UPDATE, StatementKind.DELETE)
    return Statement(
        text=text,
        kind=kind,
        tables=tuple(sorted(set(_tables(root, search_schema)))),
        functions=tuple(sorted(functions - HARMLESS)),
        parameters=max((int(each.name) for each in root.find_all(exp.Parameter)), default=0),
        columns=_columns(root),
        all_rows=changes_rows and root.args.get("where") is None,
        returns=root.args.get("returning") is not None,
        calls=tuple(sorted({_called(call) for call in root.find_all(exp.Anonymous) if _schema_of(call) is None})),
        attributes=tuple(sorted(set(_attributes(root)))),
    )


def _one(written: str) -> tuple[str, list[Token], exp.Expr]:
    text, tokens = tokens_of(written)
    found = parsed(text, tokens)
    if len(found) != 1:
        raise BadStatement(f"it holds {len(found)} statements; write one" if found else "it holds no statement")
    return text, tokens, found[0]


def _updates(insert: exp.Insert) -> bool:
    conflict = insert.args.get("conflict")
    return conflict is not None and conflict.text("action").upper() != "DO NOTHING"


def _tables(root: exp.Expr, search_schema: str) -> Iterator[str]:
    target = None
    if isinstance(root, exp.Insert | exp.Update | exp.Delete):
        target = root.this.find(exp.Table) if isinstance(root.this, exp.Expr) else None
        if target is None:
            raise BadStatement(f"the statement cannot be read: its {type(root).__name__.lower()} names no table")
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
    if root.find(exp.Operator):
        raise BadStatement("it holds OPERATOR(...); write the operator itself")
    for call in root.find_all(exp.Func):
        schema = _schema_of(call)
        if schema is not None and schema.name != "pg_catalog":
            yield f"{schema.sql(DIALECT).lower()}.{_called(call)}"
        elif isinstance(call, exp.Anonymous) and not _is_language(call):
            yield _called(call)


def _attributes(root: exp.Expr) -> Iterator[str]:
    for column in root.find_all(exp.Column):
        if column.args.get("table") is not None and isinstance(column.this, exp.Identifier):
            yield _folded(column.this)
    for dot in root.find_all(exp.Dot):
        if isinstance(dot.expression, exp.Identifier):
            yield _folded(dot.expression)


def _schema_of(call: exp.Func) -> exp.Expr | None:
    above = call.parent
    if isinstance(above, exp.Dot) and above.expression is call:
        schema = above.this
    else:
        schema = above.args.get("db") if isinstance(above, exp.Table) else None
    return schema if isinstance(schema, exp.Expr) else None


def _called(call: exp.Func) -> str:
    if not isinstance(call, exp.Anonymous):
        return call.sql_name().lower()
    return _folded(call.this) if isinstance(call.this, exp.Identifier) else str(call.this).lower()


def _is_language(call: exp.Anonymous) -> bool:
    """In quotes, or with a schema, such a word is the name of a function."""
    quoted = isinstance(call.this, exp.Identifier) and call.this.args.get("quoted")
    return not quoted and _schema_of(call) is None and _called(call) in LANGUAGE


def _columns(root: exp.Expr) -> tuple[str, ...]:
    if not isinstance(root, exp.Select):
        return ()
    names = root.named_selects
    return tuple(names) if all(name and name != "*" for name in names) else ()
