-- name: settings
-- For this transaction only. What is looked up without a schema is found in one schema, and times are written alike.
select
    set_config('statement_timeout', %(statement_ms)s, true),
    set_config('lock_timeout', %(lock_ms)s, true),
    set_config('idle_in_transaction_session_timeout', %(idle_ms)s, true),
    set_config('search_path', format('pg_catalog, %%I, pg_temp', %(search_schema)s::text), true),
    set_config('standard_conforming_strings', 'on', true),
    set_config('datestyle', 'ISO, YMD', true),
    set_config('intervalstyle', 'iso_8601', true),
    set_config('timezone', 'UTC', true)

-- name: explain
explain (format json)

-- name: functions_of_the_house
-- Those that a statement would call under a name that it may use: a function with the name of a harmless one and other
-- types, or one that is written like a column of a row. Extensions are not somebody's own functions.
select distinct found.proname
from pg_proc as found
where
    found.pronamespace = to_regnamespace(quote_ident(%(search_schema)s))
    and not found.proname = any(%(allowed)s)
    and (
        found.proname = any(%(calls)s)
        or (
            found.proname = any(%(attributes)s)
            and (
                select shape.typtype in ('c', 'p')
                from pg_type as shape
                where shape.oid = found.proargtypes[0]
            )
        )
    )
    and not exists (
        select from pg_depend as part
        where part.classid = 'pg_proc'::regclass and part.objid = found.oid and part.deptype = 'e'
    )
order by found.proname

-- name: lock_key
select pg_advisory_xact_lock(hashtextextended(%(key)s, 0))

-- name: recorded
select fingerprint, result
from signoff_executions
where idempotency_key = %(key)s

-- name: record
insert into signoff_executions (idempotency_key, fingerprint, result)
values (%(key)s, %(fingerprint)s, %(result)s)

-- name: record_rights
select
    to_regclass('signoff_executions') is not null as there,
    coalesce(has_table_privilege(to_regclass('signoff_executions'), 'select'), false)
    and coalesce(has_table_privilege(to_regclass('signoff_executions'), 'insert'), false) as writable
