"""No query reads a growing table from end to end: its plan, for a database that has been at work for a while."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

import worker.adapters
from tests.conftest import in_database
from tests.migrations.crowd import crowd
from tests.migrations.sample_parameters import SAMPLES
from tests.stack.services import Services
from worker.adapters.postgres.migrator import migrate
from worker.adapters.postgres.named_queries import load

GROWING = {
    "approvals",
    "audit",
    "cases",
    "checkpoint_blobs",
    "checkpoint_writes",
    "checkpoints",
    "customers",
    "dead_letters",
    "decisions",
    "inbox",
    "intents",
    "ledger_entries",
    "notifications",
    "order_balances",
    "orders",
    "outbox",
    "reviewers",
    "watches",
}
READS_EVERYTHING = {"audit_trail.sql/entries_with_their_cases", "reviewer_register.sql/register"}
"""Meant to: `signoff audit verify` recomputes all that there is, `signoff reviewers` replaces the whole register."""

NO_PLAN = {"reviewer_register.sql/lock_register"}
"""Statements that read no rows: PostgreSQL explains none of them."""

ADAPTERS = Path(worker.adapters.__path__[0])
ELSEWHERE = {"sql_executions.sql"}
"""Queries of a database that somebody else keeps: our tables are not in it."""

FILES = {
    path.name: path
    for path in ADAPTERS.rglob("*.sql")
    if path.parent.name != "migrations" and path.name not in ELSEWHERE
}
QUERIES = {
    f"{name}/{query}": text
    for name, path in FILES.items()
    for query, text in load(name, ".".join(("worker.adapters", *path.parent.relative_to(ADAPTERS).parts))).items()
    if f"{name}/{query}" not in NO_PLAN
}

Plan = dict[str, Any]


@pytest.fixture(scope="module")
def crowded(stack: Services) -> Iterator[psycopg.Connection[Any]]:
    """One database for all plans: nothing changes it."""
    name = f"test_{uuid4().hex}"
    address = in_database(stack.database, name)
    with psycopg.connect(stack.database, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        asyncio.run(migrate(address))
        crowd(address)
        with psycopg.connect(address, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
            yield connection
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def plan_of(connection: psycopg.Connection[Any], query: str, parameters: Any) -> Plan:
    row = connection.execute(f"explain (format json) {query}".encode(), parameters or None).fetchone()
    assert row is not None
    plan: Plan = row[0][0]["Plan"]
    return plan


def scanned(plan: Plan) -> Iterator[str]:
    """The tables that are read from end to end."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scanned(part)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_finds_its_rows_by_an_index(crowded: psycopg.Connection[Any], name: str) -> None:
    file, query = name.split("/")
    plan = plan_of(crowded, QUERIES[name], SAMPLES[file][query])
    found = set(scanned(plan)) & GROWING
    if name in READS_EVERYTHING:
        assert found, f"{name} no longer reads everything: strike it off the list"
    else:
        assert found == set(), f"{name} scans {', '.join(sorted(found))}"


def test_every_query_is_called_with_something_here() -> None:
    """When this fails, a query is new or gone: give it its parameters in sample_parameters.py."""
    assert {f"{file}/{query}" for file, queries in SAMPLES.items() for query in queries} == set(QUERIES)


@pytest.mark.parametrize(
    "query", ["select body from cases where kind = 'refund'", "select * from outbox where payload like '%x'"]
)
def test_a_query_without_an_index_is_noticed(crowded: psycopg.Connection[Any], query: str) -> None:
    assert set(scanned(plan_of(crowded, query, None))) & GROWING


def test_every_table_of_the_schema_is_crowded_or_known_to_stay_small(crowded: psycopg.Connection[Any]) -> None:
    tables = crowded.execute(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    small = {"signoff_migrations", "checkpoint_migrations", "notification_endpoints"}
    assert {row[0] for row in tables} - small == GROWING
