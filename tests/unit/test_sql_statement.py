"""What a statement is, before anything runs it."""

import pytest

from worker.adapters.executors.sql_permissions import Permissions, kinds_of
from worker.adapters.executors.sql_statement import StatementKind, read_statement
from worker.adapters.executors.sql_text import BadStatement

ALL = Permissions(kinds_of(("select", "insert", "update", "delete")))


@pytest.mark.parametrize(
    ("text", "kind", "tables"),
    [
        ("select 1", "select", []),
        ("select 1 ;", "select", []),
        ("SELECT * FROM Orders JOIN sales.Items USING (id)", "select", ["public.orders", "sales.items"]),
        ('select * from "Orders"', "select", ["public.Orders"]),
        ("table orders", "select", ["public.orders"]),
        ("values (1), (2)", "select", []),
        ("(select a from t) union all (select b from u)", "select", ["public.t", "public.u"]),
        ("with t as (select * from u) select * from t", "select", ["public.u"]),
        ("with t as (select * from t) select * from t", "select", ["public.t"]),
        ("with recursive t as (select 1 union all select n from t) select * from t", "select", []),
        ("with b as (select 1), a as (select * from b) select * from a, b, c", "select", ["public.c"]),
        ("with a as (select * from b), b as (select 1) select * from a, b", "select", ["public.b"]),
        ("select * from users, (with users as (select 1) select * from users) u", "select", ["public.users"]),
        ("select (select max(a) from u) from t where exists (select 1 from v)", "select",
         ["public.t", "public.u", "public.v"]),
        ("insert into t (a) values ($1) returning id", "insert", ["public.t"]),
        ("insert into t select * from u on conflict do nothing", "insert", ["public.t", "public.u"]),
        ("insert into t (a) values (1) on conflict (a) do update set a = excluded.a", "upsert", ["public.t"]),
        ("with t as (select 1) update t set a = 1 where true", "update", ["public.t"]),
        ("update t set a = u.a from u where u.id = t.id", "update", ["public.t", "public.u"]),
        ("delete from only t using u where u.id = t.id", "delete", ["public.t", "public.u"]),
        ("select 'drop table t; --' as a, E'it\\'s', '/*' -- ; drop table t\n from t /* ; */", "select", ["public.t"]),
        ("select * from t where a ? 'b' and c @> '{}' and d->>'e' like '%x%'", "select", ["public.t"]),
    ],
)  # fmt: skip
def test_a_statement_is_of_one_kind_and_names_its_tables(text: str, kind: str, tables: list[str]) -> None:
    statement = read_statement(text)
    assert (statement.kind, list(statement.tables)) == (kind, tables)
    assert list(ALL.refusals(statement)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no statement"),
        (" ; ;", "no statement"),
        ("-- nothing", "no statement"),
        ("select 1; select 2", "2 statements"),
        ("select 1; drop table t", "2 statements"),
        ("select 'a\\'; drop table t; --'", "2 statements"),
        ("select from where", ""),
        ("select (1", "line 1"),
        ("create table t (a int)", "CREATE"),
        ("create table t as select 1", "CREATE"),
        ("drop table t", "DROP"),
        ("alter table t add a int", "ALTER"),
        ("truncate t", "TRUNCATE"),
        ("grant select on t to public", "GRANT"),
        ("copy t to program 'sh'", "COPY"),
        ("copy (select 1) to '/tmp/x'", "COPY"),
        ("do $$ begin end $$", "DO"),
        ("do 'begin end'", "DO"),
        ("call f()", "CALL"),
        ("set role postgres", "SET"),
        ("reset all", "RESET"),
        ("begin", "BEGIN"),
        ("commit", "COMMIT"),
        ("rollback", "ROLLBACK"),
        ("explain analyze delete from t", "EXPLAIN"),
        ("prepare p as select 1", "PREPARE"),
        ("execute p", "EXECUTE"),
        ("declare c cursor for select 1", "DECLARE"),
        ("listen c", "LISTEN"),
        ("notify c", "NOTIFY"),
        ("vacuum t", "VACUUM"),
        ("lock table t", "LOCK"),
        ("merge into t using u on true when matched then delete", "MERGE"),
        ("select * into u from t", "creates a table"),
        ("select * from t for update", "lock on rows"),
        ("select * from (select * from t for share) u", "lock on rows"),
        ("with d as (delete from t returning *) select * from d", "inside another"),
        ("with d as (insert into t values (1)) update u set a = 1 where true", "inside another"),
        ("select a$b$, 1, c$b$ from t", "only in quotes"),
        ("select $a$ text $a$", "dollar-quoted"),
        ('select U&"\\0070g_sleep"(1)', "right behind"),
        ("select U&'\\0061'", "U&"),
        ("select E'a'\n'\\' , ' , pg_sleep(1) , E'||1||'\n'--\\''", "right behind another"),
        ("select 'a' 'b'", "right behind another"),
        ("select 'a' /* x */ 'b'", "right behind another"),
        ("select 1 /* a /* b */ c */", "plain comment"),
        ("select /*+ '*/ , 1 /*' */ 2", "near '2'"),
        ("select 1 -- a\r, 2", "control character"),
        ("select 1\x00", "control character"),
        ("select\u00a01", "plain comment"),
        ("select größe from t", "only in quotes"),
        ("select {# a #} 1", "plain comment"),
        ("select * from t where a = %s", "$1"),
        ("select * from t where a = :a", "$1"),
        ("select * from t where a = ?", "$1"),
        ("select @1", "$1"),
        ("select 1 operator(pg_catalog.+) 2", "OPERATOR"),
        ("select * from other.public.t", "without its database"),
        ("select " + "not " * 2000 + "true", "nested too deeply"),
        ("select a" + "::int" * 1900, "nested too deeply"),
        ("select " + "array[" * 40 + "1" + "]" * 40, "nested too deeply"),
        ("select " + "char(decimal(" * 20 + "1" + "))" * 20, "nested too deeply"),
        ("select '" + "a" * 10_000 + "'", "at most 10000"),
        ("select 'half \ud800'", "control character"),
        ("delete substring", "names no table"),
        ("select * from apply(1)", "could be a call"),
        ("select * from audit.cache(1)", "could be a call"),
        ("select * from t, cube(1)", "could be a call"),
        ("select a from t, rollup(1) group by a, cube (b)", "could be a call"),
        ("select * from over(1)", "could be a call"),
        ("select * from set(1)", "could be a call"),
        ("select join('a')", "could be a call"),
        ('select "trim"(1)', "could be a call"),
    ],
)
def test_what_is_not_one_plain_statement_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(BadStatement) as refused:
        read_statement(text)
    assert said in str(refused.value)


def test_the_parsers_place_is_told() -> None:
    with pytest.raises(BadStatement, match="line 2, column"):
        read_statement("select a\nfrom t where order by")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("update t set a = 1", "no WHERE"),
        ("delete from t", "no WHERE"),
        ("select * from pg_authid", "public.pg_authid"),
        ("select * from pg_catalog.pg_class", "pg_catalog.pg_class"),
        ("select * from information_schema.tables", "information_schema.tables"),
        ("select * from signoff_executions", "signoff_executions"),
        ("delete from audit.signoff_executions where true", "signoff_executions"),
        ("select pg_sleep(10)", "pg_sleep"),
        ('select "pg_sleep"(10)', "pg_sleep"),
        ("select PG_CATALOG.PG_SLEEP(10)", "pg_sleep"),
        ("select * from pg_read_file('/etc/passwd')", "pg_read_file"),
        ("select * from rows from (generate_series(1, 2), pg_ls_dir('.')) t", "pg_ls_dir"),
        ("select * from lateral dblink('x', 'y') t", "dblink"),
        ("select query_to_xml('select 1', true, true, '')", "query_to_xml"),
        ("select set_config('a', 'b', false), nextval('s'), lo_export(1, 'x')", "set_config"),
        ("select pg_terminate_backend(1)", "pg_terminate_backend"),
        ("select current_setting('a')", "current_setting"),
        ("insert into t values (nextval('s'))", "nextval"),
        ("select sales.total(1)", "sales.total"),
        ("select public.lower('a')", "public.lower"),
        ("select count(*) filter (where pg_try_advisory_lock(1))", "pg_try_advisory_lock"),
        ("select 1 order by pg_sleep(1)", "pg_sleep"),
        ("select 1 limit (select pg_sleep(1)::text::int)", "pg_sleep"),
        ("select case when true then pg_sleep(1) end", "pg_sleep"),
        ("select array[pg_sleep(1)], row(pg_sleep(1)), (pg_sleep(1)).a", "pg_sleep"),
        ("select cast(pg_sleep(1) as text), pg_sleep(1)::text", "pg_sleep"),
        ("select sum(1) over (partition by pg_sleep(1))", "pg_sleep"),
        ("values (pg_sleep(1))", "pg_sleep"),
        ("select decrypt(a, 'key', 'aes') from t", "decrypt"),
        ("select * from audit.transform(1)", "audit.transform"),
        ("select * from audit.trim(1)", "audit.trim"),
        ("select list(1), map(1, 2), struct(1)", "struct"),
        ("select max_by(a, b), if(true, 1, 2)", "max_by"),
        ('select "coalesce"(1)', "coalesce"),
    ],
)
def test_what_a_statement_may_not_do_is_named(text: str, said: str) -> None:
    refusals = list(ALL.refusals(read_statement(text)))
    assert any(said in refusal for refusal in refusals), refusals


def test_a_kind_that_is_not_allowed_is_refused() -> None:
    only_select = Permissions(kinds_of(("select",)))
    [refusal] = only_select.refusals(read_statement("delete from t where true"))
    assert "delete" in refusal
    assert StatementKind.UPSERT not in kinds_of(("insert",))
    assert list(Permissions(kinds_of(("insert",))).refusals(
        read_statement("insert into t values (1) on conflict (a) do update set a = 2")
    ))  # fmt: skip


def test_only_the_listed_tables_may_be_used() -> None:
    some = Permissions(kinds_of(("select",)), tables=frozenset({"public.orders", "pg_catalog.pg_class"}))
    assert list(some.refusals(read_statement("select * from orders, pg_catalog.pg_class"))) == []
    [refusal] = some.refusals(read_statement("select * from orders where id in (select id from users)"))
    assert "public.users" in refusal


def test_a_function_of_the_house_can_be_allowed() -> None:
    some = Permissions(kinds_of(("select",)), functions=frozenset({"sales.total"}))
    assert list(some.refusals(read_statement("select Sales.Total(id) from orders"))) == []


def test_parameters_and_columns_are_counted() -> None:
    statement = read_statement("select id, lower(name) as name from t where a = $2 and b = $1")
    assert (statement.parameters, statement.columns) == (2, ("id", "name"))
    assert read_statement("select *, a from t").columns == ()


@pytest.mark.parametrize(
    "text",
    [
        "select string_agg(distinct a, ',' order by b), count(distinct (a, b)), array_agg(x order by y desc) from t",
        "select percentile_cont(0.5) within group (order by a), count(*) filter (where a) from t",
        "select sum(a) over (partition by (b) order by c), rank() over w from t window w as (order by a)",
        "select * from t group by rollup (a, b), cube (a), grouping sets ((a), ())",
        "with x(a) as materialized (select 1) select * from (values (1, 2)) as v (a, b), x",
        "insert into t (a) values (1) on conflict (a) do update set (a, b) = (1, 2) returning (a)",
        "select a::numeric(10, 2), cast(b as char(3)), c::timestamptz(3), current_timestamp(0) from t",
        "select extract(year from a), substring(a from 1 for 2), trim(both ' ' from a), left(a, 1) from t",
        "select ceil(1.5), decode('aa', 'hex'), date_part('year', now()), coalesce(a, b), greatest(1, 2) from t",
        "select * from t join (u cross join v) on (a = b) left join (select 1) w using (c) where a like ('x')",
        "select * from unnest(array[1, 2]) with ordinality as t(a, n), generate_series(1, 3) as g(n)",
        "select xmlelement(name a, b), json_object('a': 1), json_value(a, '$.b'), a at time zone ('UTC') from t",
    ],
)
def test_what_only_computes_needs_no_permission(text: str) -> None:
    assert read_statement(text).functions == ()
