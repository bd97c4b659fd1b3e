"""Whatever the reader takes for one harmless select is that for PostgreSQL too: a trap in it stays unsprung."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from psycopg import RawCursor, sql

from tests.conftest import in_database
from tests.stack.services import Services
from worker.adapters.executors.sql_permissions import Permissions, kinds_of
from worker.adapters.executors.sql_statement import Statement, read_statement
from worker.adapters.executors.sql_text import BadStatement

ONLY_SELECT = Permissions(kinds_of(("select",)))

TRAP = """
    create table t (a text);
    create table caught (by text);
    create function trap() returns text language sql as $$ insert into caught values ('a call') returning by $$;
"""

PREFIXES = ["", "E", "e", "U&", "u&", "N", "B", "x", "r", "a", "_", "1", "&", "$", "$a$", "$$", "Ü"]
FRAGMENTS = [
    ", trap() ,", "; select trap(); ", "'", "''", '"', '""', "\\", "\\'", "\\\\", "$a$", "$$", "--", "/*", "*/", "\n",
    "\r", "{#", "#}", "%", "a", "1", " ", "ü", "\u00a0", "\u2028", "\\n", "\\047", "\\x27", "!",
]  # fmt: skip
GAPS = ["", " ", "\n", "\t", "\r", "\r\n", "\f", "\u00a0", "/**/", "/* ' */", "/*/**/", "*/", "--\n", "--\r", "-- '\n",
        "{# ' #}", "/*+ ' */", " || ", " as b$", " uescape '!'", " uescape '\\'", "::text"]  # fmt: skip


@pytest.fixture(scope="module")
def trapped(stack: Services) -> Iterator[psycopg.Connection[Any]]:
    """A database in which a call of `trap` leaves a row, and nobody who reads text can see that it would."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(stack.database, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        with psycopg.connect(in_database(stack.database, name), autocommit=True) as connection:
            connection.execute(TRAP.encode())
            yield connection
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def quotations() -> st.SearchStrategy[str]:
    contents = st.lists(st.sampled_from(FRAGMENTS), max_size=5).map("".join)
    return st.builds(
        lambda prefix, quote, content: f"{prefix}{quote}{content}{quote}",
        st.sampled_from(PREFIXES),
        st.sampled_from(["'", '"', ""]),
        contents,
    )


def texts() -> st.SearchStrategy[str]:
    """Selects of a few quotations that end where it is hard to say, with blanks and comments between them."""
    part = st.tuples(quotations(), st.sampled_from(GAPS)).map("".join)
    return st.lists(part, min_size=1, max_size=4).map(lambda parts: "select " + " , ".join(parts))


@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
@example("select 1 as a$b$, trap(), 2 as c$b$")
@example("select E'a'\n'\\' , ' , trap() , E'||1||'\n'--\\''")
@example('select U&"\\0074rap"()')
@example("select 1 -- \r , trap()")
@example("select 1 /*+ '*/ , trap() /*' */")
def test_no_text_hides_a_call_from_the_reader(trapped: psycopg.Connection[Any], text: str) -> None:
    statement = _harmless(text)
    event("refused" if statement is None else "read")
    if statement is None:
        return
    with RawCursor(trapped) as cursor, suppress(psycopg.Error):
        # Without parameters the driver lets the server run several statements: a second one would be seen.
        cursor.execute(statement.text.encode(), [None] * statement.parameters)
    assert trapped.execute("select by from caught").fetchall() == []


def test_the_trap_is_sprung_by_a_call(trapped: psycopg.Connection[Any]) -> None:
    with trapped.transaction(force_rollback=True):
        trapped.execute("select trap()")
        assert trapped.execute("select by from caught").fetchall() == [("a call",)]


def _harmless(text: str) -> Statement | None:
    try:
        statement = read_statement(text)
    except BadStatement:
        return None
    return None if list(ONLY_SELECT.refusals(statement)) else statement
