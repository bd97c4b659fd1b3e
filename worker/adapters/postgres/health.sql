-- What `signoff doctor` asks. Each question reads a partial index of unfinished things.

-- name: tables_there
select name, to_regclass(name) is not null as there
from unnest(%(names)s::text[]) as name

-- name: checkpoint_schema
select coalesce(max(v), -1) as version from checkpoint_migrations

-- name: stuck_cases
select count(*) as count, min(exception_id) as example
from cases
where finished_at is null and state = 'stuck'

-- name: unsent_events
select count(*) as count, min(created_at)::text as example
from outbox
where published_at is null and created_at < now() - %(patience)s

-- name: overdue_approvals
select count(*) as count, min(body ->> 'exception_id') as example
from approvals
where closed_at is null and available_at < now() + %(longest_lease)s and due_at < now() - %(patience)s

-- name: unknown_intents
select count(*) as count, min(case_id::text) as example
from intents
where finished_at is null and state = 'unknown'

-- name: abandoned_intents
select count(*) as count, min(case_id::text) as example
from intents
where finished_at is null and state <> 'unknown' and available_at < now() - %(patience)s

-- name: abandoned_messages
select count(*) as count, min(correlation) as example
from inbox
where finished_at is null and available_at < now() - %(patience)s

-- name: failing_messages
select count(*) as count, min(problem) as example
from inbox
where finished_at is null and problem is not null

-- name: disabled_endpoints
select
    count(*) as count,
    string_agg(
        name || ' since ' || to_char(disabled_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI"Z"') || ' (' || disabled_because || ')',
        '; ' order by name
    ) as example
from notification_endpoints
where disabled_at is not null

-- name: failed_notifications
select count(*) as count, min(endpoint) as example
from notifications
where state = 'failed'

-- name: waiting_notifications
select count(*) as count, min(endpoint) as example
from notifications
where
    finished_at is null
    and available_at < now() - %(patience)s
    and endpoint not in (select name from notification_endpoints where disabled_at is not null)
