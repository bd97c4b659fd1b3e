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
explain (format json, verbose)

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
