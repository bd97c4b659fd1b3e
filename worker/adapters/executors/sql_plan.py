"""What the server says it would do with a statement, without doing it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg import AsyncRawCursor
from psycopg.rows import tuple_row

from worker.adapters.executors.sql_session import QUERIES, Connection, raw
from worker.adapters.executors.sql_statement import Statement, StatementKind
from worker.adapters.executors.sql_text import place
from worker.application.ports.executors import ActionRefused

_Node = dict[str, Any]

_PREFIX = QUERIES["explain"] + "\n"

_LARGEST_PLAN = 1_000_000
"""Characters of JSON."""

_OPERATIONS = {
    StatementKind.SELECT: set[str](),
    StatementKind.INSERT: {"Insert"},
    StatementKind.UPSERT: {"Insert"},
    StatementKind.UPDATE: {"Update"},
    StatementKind.DELETE: {"Delete"},
}


@dataclass(frozen=True, slots=True)
class Plan:
    """`estimated_rows` of a select are those it reads to its end; of a change, those it would touch."""

    estimated_rows: int


async def plan_of(connection: Connection, statement: Statement, parameters: list[Any]) -> Plan:
    """Raises ActionRefused where the server reads another kind of statement than the parser did, or none."""
    cursor = AsyncRawCursor(connection, row_factory=tuple_row)
    try:
        # Prepared, so that the server itself takes one statement and no more.
        await cursor.execute(raw(_PREFIX + statement.text), parameters, prepare=True)
        row = await cursor.fetchone()
    except psycopg.Error as error:
        position = error.diag.statement_position
        if position is None:
            raise
        where = place(statement.text, max(0, int(position) - 1 - len(_PREFIX)))
        raise ActionRefused(f"{where}: {error.diag.message_primary}") from error
    roots: list[_Node] = [found["Plan"] for found in _read(row[0] if row else []) if "Plan" in found]
    operations = {node["Operation"] for root in roots for node in _nodes(root) if node["Node Type"] == "ModifyTable"}
    if len(roots) != 1 or operations != _OPERATIONS[statement.kind]:
        did = ", ".join(sorted(operations)).lower() or "nothing that changes rows"
        raise ActionRefused(f"it reads as one {statement.kind}, and the database would do otherwise ({did})")
    return Plan(_estimate(roots[0]))


def _read(plan: Any) -> list[dict[str, Any]]:
    """The server computes what is constant, and quotes it in the plan: a statement of a line can have a plan of
    hundreds of megabytes. One of some length comes as text."""
    if not isinstance(plan, str):
        return cast(list[dict[str, Any]], plan)
    if len(plan) > _LARGEST_PLAN:
        raise ActionRefused("the database's plan of it is too large to be read; write it with smaller values")
    return cast(list[dict[str, Any]], json.loads(plan))


def _nodes(node: _Node) -> Iterator[_Node]:
    yield node
    for part in node.get("Plans", ()):
        yield from _nodes(part)


def _estimate(root: _Node) -> int:
    """A change gives back no rows unless it says RETURNING; what it touches comes up from below it."""
    if root["Node Type"] != "ModifyTable":
        return int(root["Plan Rows"])
    return sum(int(part["Plan Rows"]) for part in root.get("Plans", ()) if part["Parent Relationship"] != "InitPlan")
