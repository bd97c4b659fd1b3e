"""The SQL executor against a real PostgreSQL: what a reviewer is shown, what runs, and what is undone."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection, AsyncRawCursor
from pydantic import ValidationError

from schemas.values import Action
from worker.adapters.executors.executor import (
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    OnUnknown,
    Ran,
)
from worker.adapters.executors.registry import Registry
from worker.adapters.executors.sql import SqlExecutor
from worker.adapters.executors.sql_rows import plain

KEY = "signoff:11111111-1111-1111-1111-111111111111:1:0"
PAGE = (Path(__file__).parents[2] / "docs" / "executors.md").read_text(encoding="utf-8")
WRITES = ("select", "insert", "update", "delete")

SHOP = """
    create table orders (id int primary key, state text not null default 'open', total numeric(10, 2));
    insert into orders select number, 'open', number from generate_series(1, 300) number;
    create table secrets (word text);
    create schema sales;
    create table sales.items (sku text);
    analyze;
"""


def record_table() -> str:
    return (resources.files("worker.adapters.executors") / "signoff_executions.sql").read_text(encoding="utf-8")


@pytest.fixture
def shop(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A shop's database with 300 open orders, and the connection of somebody who looks into it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute((SHOP + record_table()).encode())
        yield connection


@pytest.fixture
def run_sql(shop: psycopg.Connection[Any], database: str) -> Registry:
    """Any change of up to ten rows."""
    return registry(database, allow=WRITES, row_limit=10)


def registry(database: str, **options: Any) -> Registry:
    return Registry({"run_sql": SqlExecutor(name="run_sql", database=database, **options)})


def sql(statement: str, *parameters: Any) -> Action:
    args: dict[str, Any] = {"statement": statement}
    return Action(name="run_sql", args=args | ({"parameters": list(parameters)} if parameters else {}))


def count(shop: psycopg.Connection[Any], state: str) -> int:
    row = shop.execute("select count(*) from orders where state = %s", [state]).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_reviewer_sees_the_kind_the_tables_and_the_estimate(run_sql: Registry) -> None:
    seen = await run_sql.examine(sql("select id, state from orders where id <= $1", 30))
    assert seen.kind == "select"
    assert seen.shown["tables"] == ["public.orders"]
    assert seen.shown["columns"] == ["id", "state"]
    assert 20 <= seen.shown["estimated_rows"] <= 40
    assert seen.shown["row_limit"] == 10


@pytest.mark.parametrize(
    ("statement", "kind", "least"),
    [
        ("update orders set state = 'late' where id <= 30", "update", 20),
        ("delete from orders where id <= 30 returning id", "delete", 20),
        ("insert into orders (id) select id + 1000 from orders", "insert", 300),
        ("insert into orders (id) values (1) on conflict (id) do update set state = 'late'", "upsert", 1),
    ],
)
async def test_an_examination_estimates_a_change_and_makes_none(
    run_sql: Registry, shop: psycopg.Connection[Any], statement: str, kind: str, least: int
) -> None:
    seen = await run_sql.examine(sql(statement))
    assert seen.kind == kind
    assert seen.shown["estimated_rows"] >= least
    assert count(shop, "open") == 300


async def test_a_select_gives_its_rows_as_json(run_sql: Registry) -> None:
    ran = await run_sql.run(
        sql("select id, total, state as word from orders where id in ($1, $2) order by id", 1, 2), KEY
    )
    assert ran.result == {
        "columns": ["id", "total", "word"],
        "rows": [[1, "1.00", "open"], [2, "2.00", "open"]],
        "truncated": False,
    }


async def test_a_select_of_more_rows_than_the_limit_says_so(run_sql: Registry) -> None:
    whole = await run_sql.run(sql("select id from orders where id <= 10"), KEY)
    more = await run_sql.run(sql("select id from orders where id <= 11;"), KEY)
    assert (len(whole.result["rows"]), whole.result["truncated"]) == (10, False)
    assert (len(more.result["rows"]), more.result["truncated"]) == (10, True)


async def test_rows_that_do_not_fit_into_a_result_are_left_out_whole(run_sql: Registry) -> None:
    ran = await run_sql.run(sql("select repeat('x', 5000) from generate_series(1, 5)"), KEY)
    assert [len(row[0]) for row in ran.result["rows"]] == [5000, 5000]
    assert ran.result["truncated"] is True


async def test_values_of_every_type_become_plain_json(run_sql: Registry) -> None:
    ran = await run_sql.run(
        sql(
            "select '2026-03-01'::date, 'infinity'::date, '0044-03-15 BC'::date, '2026-03-01 12:00+02'::timestamptz,"
            " '1 day 2 hours'::interval, 1.10::numeric, 'NaN'::float8, 'NaN'::numeric, '\\xff00'::bytea,"
            " '{\"a\": [1, null]}'::jsonb, array[1, 2], array[1.5], null, true,"
            " '11111111-1111-1111-1111-111111111111'::uuid, int4range(1, 5), '10.0.0.1'::inet, row(1, 'a'),"
            " 9007199254740993"
        ),
        KEY,
    )
    assert ran.result["rows"] == [
        [
            "2026-03-01",
            "infinity",
            "0044-03-15 BC",
            "2026-03-01 10:00:00+00",
            "P1DT2H",
            "1.10",
            "nan",
            "NaN",
            "/wA=",
            {"a": [1, None]},
            [1, 2],
            ["1.5"],
            None,
            True,
            "11111111-1111-1111-1111-111111111111",
            "[1, 5)",
            "10.0.0.1",
            ["1", "a"],
            9007199254740993,
        ]
    ]


def test_a_number_that_json_lacks_becomes_text() -> None:
    assert plain([math.inf, -math.inf, 1.5]) == ["inf", "-inf", 1.5]


async def test_a_change_and_its_record_are_one_commit(run_sql: Registry, shop: psycopg.Connection[Any]) -> None:
    action = sql("update orders set state = $1 where id <= 3 returning id", "late")
    ran = await run_sql.run(action, KEY)
    assert ran.result == {"affected": 3, "columns": ["id"], "rows": [[1], [2], [3]], "truncated": False}
    assert count(shop, "late") == 3
    assert await run_sql.look_up(action, KEY) == ran


async def test_the_same_key_changes_nothing_twice(run_sql: Registry, shop: psycopg.Connection[Any]) -> None:
    action = sql("update orders set total = total + 1 where id = 1")
    first, second = await asyncio.gather(run_sql.run(action, KEY), run_sql.run(action, KEY))
    assert first == second == Ran(result={"affected": 1})
    assert shop.execute("select total from orders where id = 1").fetchone() == (2,)
    assert (await run_sql.run(action, KEY + "0")).result == {"affected": 1}


async def test_a_key_stands_for_one_statement(run_sql: Registry, shop: psycopg.Connection[Any]) -> None:
    await run_sql.run(sql("delete from orders where id = 1"), KEY)
    with pytest.raises(ActionFailed, match="another statement"):
        await run_sql.run(sql("delete from orders where id = 2"), KEY)
    assert count(shop, "open") == 299


async def test_a_change_of_more_rows_than_the_limit_is_undone(run_sql: Registry, shop: psycopg.Connection[Any]) -> None:
    action = sql("update orders set state = 'late' where id <= 11")
    with pytest.raises(ActionFailed, match=r"11 rows.*10"):
        await run_sql.run(action, KEY)
    assert count(shop, "late") == 0
    assert await run_sql.look_up(action, KEY) is None


async def test_of_a_change_with_too_many_rows_no_more_than_the_limit_are_read(
    run_sql: Registry, shop: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    returned: list[object] = []
    stream = AsyncRawCursor.stream

    async def counted(self: AsyncRawCursor[Any], *given: Any, **options: Any) -> AsyncIterator[Any]:
        async for row in stream(self, *given, **options):
            returned.append(row)
            yield row

    monkeypatch.setattr(AsyncRawCursor, "stream", counted)
    with pytest.raises(ActionFailed, match=r"11 rows or more.*10"):
        await run_sql.run(sql("delete from orders where id > 0 returning *"), KEY)
    assert len(returned) == 11
    assert count(shop, "open") == 300
    none = await run_sql.run(sql("delete from orders where id < 0 returning id"), KEY)
    assert (none.result["affected"], none.result["rows"]) == (0, [])


async def test_a_change_that_breaks_a_constraint_had_no_effect(run_sql: Registry) -> None:
    action = sql("insert into orders (id) values (1000), (1)")
    with pytest.raises(ActionFailed, match="duplicate key"):
        await run_sql.run(action, KEY)
    assert await run_sql.look_up(action, KEY) is None


async def test_a_look_up_does_not_say_that_nothing_ran_while_it_runs(
    shop: psycopg.Connection[Any], database: str
) -> None:
    executors, hasty = registry(database, allow=WRITES), registry(database, allow=WRITES, time_limit_s=0.5)
    action = sql("update orders set state = 'late' where id = 1")
    async with await AsyncConnection.connect(database, autocommit=True) as watcher:
        with shop.transaction():
            shop.execute("select 1 from orders where id = 1 for update")
            running = asyncio.create_task(executors.run(action, KEY))
            await until(watcher, "select count(*) from pg_locks where not granted")
            with pytest.raises(ActionUnavailable, match="locked"):
                await hasty.look_up(action, KEY)
            with pytest.raises(ActionUnavailable, match="locked"):
                await hasty.run(action, KEY)
        assert await running == await hasty.look_up(action, KEY) == Ran(result={"affected": 1})


async def test_a_statement_that_takes_too_long_is_undone(shop: psycopg.Connection[Any], database: str) -> None:
    executors = registry(database, allow=WRITES, functions=["pg_sleep"], time_limit_s=1.0)
    for statement in ("select pg_sleep(20)", "update orders set state = 'late' where id = 1 and pg_sleep(20) is null"):
        with pytest.raises(ActionFailed, match=r"did not end within 0\.8 s"):
            await executors.run(sql(statement), KEY)
    assert count(shop, "late") == 0


async def test_a_select_whose_rows_come_slowly_is_left_within_the_time_of_one_statement(
    shop: psycopg.Connection[Any], database: str
) -> None:
    executors = registry(database, functions=["pg_sleep"], time_limit_s=1.0)
    with pytest.raises(ActionFailed, match=r"did not end within 0\.8 s"):  # each fetch of 20 rows takes 0.6 s
        await executors.run(sql("select pg_sleep(0.03) from generate_series(1, 100)"), KEY)


@pytest.mark.parametrize(
    "huge",
    [
        "select repeat('x', 30000) as huge",
        "select json_agg(n) as huge from generate_series(1, 20000) n",
        "select jsonb_agg(n) as huge from generate_series(1, 20000) n",
    ],
)
async def test_a_value_that_fits_into_no_result_is_not_taken_apart(
    run_sql: Registry, monkeypatch: pytest.MonkeyPatch, huge: str
) -> None:
    def taken_apart(value: Any) -> Any:
        assert not isinstance(value, list)
        assert len(str(value)) < 20_000
        return value

    monkeypatch.setattr("worker.adapters.executors.sql_rows.plain", taken_apart)
    action = sql(huge)
    assert (await run_sql.examine(action)).kind == "select"
    ran = await run_sql.run(action, KEY)
    assert ran.result == {"columns": ["huge"], "rows": [], "truncated": True}


async def test_a_plan_that_is_too_large_is_not_read(run_sql: Registry) -> None:
    with pytest.raises(ActionRefused, match="plan of it is too large"):
        await run_sql.examine(sql("delete from orders where state = repeat('x', 2000000)"))
    seen = await run_sql.examine(sql("delete from orders where state = repeat('x', 200000)"))
    assert seen.kind == "delete"


async def test_a_function_that_writes_cannot_write_in_a_select(shop: psycopg.Connection[Any], database: str) -> None:
    shop.execute(
        "create function clear() returns int language sql as 'delete from orders returning 1'",
    )
    executors = registry(database, functions=["clear"])
    with pytest.raises(ActionFailed, match="read-only"):
        await executors.run(sql("select clear()"), KEY)
    assert count(shop, "open") == 300


@pytest.mark.parametrize(
    "statement", ["select o.clear from orders o", "select (o).clear from orders o", "select lower(o) from orders o"]
)
async def test_a_function_that_looks_like_a_column_or_a_harmless_one_is_found_out(
    run_sql: Registry, shop: psycopg.Connection[Any], database: str, statement: str
) -> None:
    for name in ("clear", "lower"):
        shop.execute(f"create function {name}(orders) returns int language sql as 'select 1'".encode())
    for call in (run_sql.examine(sql(statement)), run_sql.run(sql(statement), KEY)):
        with pytest.raises(ActionRefused, match=r"it would call (clear|lower), a function of this database"):
            await call
    allowed = registry(database, functions=["clear", "lower"])
    assert (await allowed.examine(sql(statement))).kind == "select"
    assert (await run_sql.examine(sql("select upper(o.state), o.total from orders o where id < 5"))).kind == "select"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("select nothing from orders", r"line 1, column 8: column \"nothing\""),
        ("select *\nfrom order_s", r"line 2, column 6: relation \"order_s\""),
        ("select * from items", r"\"items\" does not exist"),
        ("update orders set state = 1 where total = 'x'", "invalid input syntax"),
        ("select $1 + $2", "`parameters` holds 0"),
        ("drop table orders", "DROP"),
        ("select 1; select 2", "2 statements"),
        ("delete from orders", "no WHERE"),
        ("select * from signoff_executions", "signoff_executions"),
    ],
)
async def test_what_cannot_run_is_refused_with_its_place(run_sql: Registry, statement: str, said: str) -> None:
    with pytest.raises(ActionRefused, match=said):
        await run_sql.examine(sql(statement))


async def test_what_the_options_forbid_is_refused_also_when_it_was_edited(
    shop: psycopg.Connection[Any], database: str
) -> None:
    executors = registry(database, tables=["orders", "sales.items"], estimate_limit=100)
    assert (await executors.examine(sql("select * from orders, sales.items where id < 10"))).kind == "select"
    for statement in ("delete from orders where id = 1", "select * from secrets", "select pg_sleep(1)"):
        with pytest.raises(ActionRefused):
            await executors.examine(sql(statement))
        with pytest.raises(ActionRefused):
            await executors.run(sql(statement), KEY)
    with pytest.raises(ActionRefused, match="at most 100"):
        await executors.examine(sql("select * from orders"))


async def test_a_rule_that_makes_something_else_of_a_statement_is_found_out(
    run_sql: Registry, shop: psycopg.Connection[Any]
) -> None:
    shop.execute("create rule sly as on update to secrets do instead delete from orders")
    with pytest.raises(ActionRefused, match="otherwise"):
        await run_sql.examine(sql("update secrets set word = 'x' where true"))
    with pytest.raises(ActionRefused, match="otherwise"):
        await run_sql.run(sql("update secrets set word = 'x' where true"), KEY)
    assert count(shop, "open") == 300


async def test_objects_lists_and_nothing_can_be_parameters(run_sql: Registry) -> None:
    asked = sql("select $1::jsonb->>'a', $2::int[], $3::text, $4::numeric", {"a": "b"}, [1, 2], None, 1.5)
    assert (await run_sql.run(asked, KEY)).result["rows"] == [["b", [1, 2], None, "1.5"]]


async def test_a_parameter_is_never_read_as_sql(run_sql: Registry, shop: psycopg.Connection[Any]) -> None:
    ran = await run_sql.run(sql("select id from orders where state = $1", "x'; drop table orders; --"), KEY)
    assert ran.result["rows"] == []
    assert count(shop, "open") == 300


async def test_a_database_that_is_away_leaves_everything_for_later(database: str) -> None:
    executors = registry("postgresql://nobody:s3cret@127.0.0.1:1/none", allow=WRITES)
    action = sql("delete from orders where id = 1")
    for call in (executors.examine(action), executors.run(action, KEY), executors.look_up(action, KEY)):
        with pytest.raises(ActionUnavailable, match="no connection") as away:
            await call
        assert "s3cret" not in str(away.value)
    assert "no connection" in (await executors.check())["run_sql"]


async def test_a_connection_that_is_cut_before_the_commit_changed_nothing(
    shop: psycopg.Connection[Any], database: str
) -> None:
    executors = registry(database, allow=WRITES)
    action = sql("update orders set state = 'late' where id = 1")
    async with await AsyncConnection.connect(database, autocommit=True) as watcher:
        with shop.transaction():
            shop.execute("select 1 from orders where id = 1 for update")
            running = asyncio.create_task(executors.run(action, KEY))
            await until(watcher, "select count(*) from pg_locks where not granted")
            await watcher.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'signoff'"
                " and datname = current_database()"
            )
            with pytest.raises(ActionUnavailable, match="does not work now"):
                await running
    assert await executors.look_up(action, KEY) is None
    assert count(shop, "late") == 0


async def test_a_server_that_falls_silent_is_left_within_the_time_limit(
    shop: psycopg.Connection[Any], database: str
) -> None:
    address = psycopg.conninfo.conninfo_to_dict(database)
    silent, lines = asyncio.Event(), asyncio.TaskGroup()

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(4096):
            if b"update" in data:
                silent.set()
            if not silent.is_set():
                target.write(data)
        target.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(str(address["host"]), int(str(address["port"])))
        lines.create_task(pass_on(reader, ours))
        lines.create_task(pass_on(theirs, writer))

    async with lines, await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        far = psycopg.conninfo.make_conninfo(database, host="127.0.0.1", port=port)
        async with asyncio.timeout(3):
            with pytest.raises(ActionUnavailable, match="does not work now"):
                await registry(far, allow=WRITES, time_limit_s=1.0).run(
                    sql("update orders set id = 0 where id = 1"), KEY
                )
    assert silent.is_set()


async def test_a_commit_without_an_answer_is_looked_up(
    run_sql: Registry, shop: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def committed_and_cut(connection: AsyncConnection[Any]) -> None:
        await connection.execute("commit")
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    action = sql("update orders set state = 'late' where id = 1")
    with monkeypatch.context() as patched:
        patched.setattr(AsyncConnection, "commit", committed_and_cut)
        with pytest.raises(ActionUncertain):
            await run_sql.run(action, KEY)
    assert run_sql.on_unknown("run_sql") is OnUnknown.LOOK_UP
    assert await run_sql.look_up(action, KEY) == Ran(result={"affected": 1})
    assert count(shop, "late") == 1


async def test_the_check_misses_the_table_of_what_ran(shop: psycopg.Connection[Any], database: str) -> None:
    assert await registry(database, allow=WRITES).check() == {}
    shop.execute("drop table signoff_executions")
    assert "signoff_executions" in (await registry(database, allow=WRITES).check())["run_sql"]
    assert await registry(database).check() == {}


async def test_a_role_without_rights_is_told_by_the_check_and_by_the_examination(
    shop: psycopg.Connection[Any], database: str
) -> None:
    role = f"reader_{shop.info.dbname}"
    shop.execute(f"create role {role} login; grant select on orders to {role}".encode())
    try:
        theirs = psycopg.conninfo.make_conninfo(database, user=role)
        executors = registry(theirs, allow=WRITES)
        assert "grant its role select and insert" in (await executors.check())["run_sql"]
        assert (await executors.examine(sql("select id from orders"))).kind == "select"
        for statement in ("select * from secrets", "delete from orders where id = 1"):
            with pytest.raises(ActionRefused, match="permission denied"):
                await executors.examine(sql(statement))
    finally:
        shop.execute(f"drop owned by {role}; drop role {role}".encode())


async def test_the_role_on_the_page_has_the_rights_that_its_executor_needs(
    shop: psycopg.Connection[Any], database: str
) -> None:
    (grants,) = re.findall(r"^```sql\n(create role .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    role = f"shop_{shop.info.dbname}"
    shop.execute(grants.replace("signoff_shop", role).encode())
    try:
        theirs = psycopg.conninfo.make_conninfo(database, user=role)
        executors = registry(theirs, allow=["select", "update"], tables=["orders", "sales.items"])
        assert await executors.check() == {}
        ran = await executors.run(sql("update orders set state = $1 where id = $2", "late", 1), KEY)
        assert ran.result == {"affected": 1}
        assert (await executors.run(sql("select * from sales.items"), KEY)).result["rows"] == []
    finally:
        shop.execute(f"drop owned by {role}; drop role {role}".encode())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"database": "postgresql//signoff:s3cret@host"}, "no address"),
        ({"allow": ["merge"]}, "allow"),
        ({"allow": []}, "allow"),
        ({"row_limit": 0}, "row_limit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_in_the_options_is_named_and_no_password_with_it(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        SqlExecutor(name="run_sql", **{"database": "postgresql://host/db"} | options)
    assert "s3cret" not in str(refused.value)


async def until(watcher: AsyncConnection[Any], asked: str) -> None:
    """Asks until the answer is more than zero."""
    async with asyncio.timeout(10):
        while True:
            row = await (await watcher.execute(asked.encode())).fetchone()
            if row and row[0]:
                return
