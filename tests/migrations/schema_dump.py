"""The schema of a database as text: what the catalogues of PostgreSQL say of its tables, in one settled order.

Not `pg_dump`, which is not everywhere and whose output changes with its version. Write tests/migrations/schema.sql
anew, after a migration was added, with

    python -m tests.migrations.schema_dump

which starts the services of the tests, migrates an empty database, and describes it.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from tests.stack.services import chosen_stack, open_services
from worker.adapters.postgres.migrator import migrate

COMMITTED = Path(__file__).with_name("schema.sql")

_HEAD = "-- Made by `python -m tests.migrations.schema_dump` from the migrations; proved equal to them by the tests.\n"

_TABLES: LiteralString = """
select oid, relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
order by relname
"""
_COLUMNS: LiteralString = """
select
    attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required, attidentity as identity,
    pg_get_expr(adbin, adrelid) as default
from pg_attribute
left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attrelid = %s and attnum > 0 and not attisdropped
order by attnum
"""
_CONSTRAINTS: LiteralString = """
select conname as name, pg_get_constraintdef(oid) as definition
from pg_constraint
where conrelid = %s and contype <> 'n'
order by conname
"""
_INDEXES: LiteralString = """
select pg_get_indexdef(indexrelid) as definition
from pg_index
where indrelid = %s and not exists (select from pg_constraint where conindid = indexrelid)
order by definition
"""


def describe(address: str) -> str:
    """All tables of the database, as SQL that a person can read."""
    with psycopg.connect(address, row_factory=dict_row) as connection:
        tables = connection.execute(_TABLES).fetchall()
        return _HEAD + "".join(_table(connection, table["oid"], table["name"]) for table in tables)


def _table(connection: psycopg.Connection[dict[str, Any]], oid: int, name: str) -> str:
    columns = [_column(row) for row in connection.execute(_COLUMNS, [oid])]
    constraints = [f"constraint {row['name']} {row['definition']}" for row in connection.execute(_CONSTRAINTS, [oid])]
    indexes = [f"{row['definition']};\n" for row in connection.execute(_INDEXES, [oid])]
    body = ",\n    ".join(columns + constraints)
    return f"\ncreate table {name} (\n    {body}\n);\n" + "".join(indexes)


def _column(row: dict[str, Any]) -> str:
    return " ".join(_words(row))


def _words(row: dict[str, Any]) -> Iterator[str]:
    yield f'"{row["name"]}"'
    yield row["type"]
    if row["required"]:
        yield "not null"
    if row["identity"]:
        yield f"generated {'always' if row['identity'] == 'a' else 'by default'} as identity"
    if row["default"] is not None:
        yield f"default {row['default']}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, open_services(chosen_stack(), Path(folder)) as services:
        with psycopg.connect(services.database, autocommit=True) as admin:
            admin.execute("create database schema_dump")
        address = services.database.rsplit("/", 1)[0] + "/schema_dump"
        asyncio.run(migrate(address))
        COMMITTED.write_text(describe(address), encoding="utf-8")
    sys.stderr.write(f"wrote {COMMITTED}\n")


if __name__ == "__main__":
    main()
