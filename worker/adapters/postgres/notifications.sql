-- name: take_up_notifications
-- One waits while an earlier one of its case is still to be tried for the first time; it does not wait for those that
-- failed and come again much later.
update notifications
set available_at = now() + %(lease)s
where notification_id in (
    select notification_id
    from notifications as due
    where
        endpoint = %(endpoint)s
        and finished_at is null
        and available_at <= now()
        and not exists (
            select from notification_endpoints where name = %(endpoint)s and disabled_at is not null
        )
        and not exists (
            select from notifications as earlier
            where
                earlier.case_id = due.case_id
                and earlier.finished_at is null
                and earlier.attempts = 0
                and earlier.endpoint = due.endpoint
                and earlier.notification_id < due.notification_id
        )
    order by available_at, notification_id
    limit %(limit)s
    for update skip locked
)
returning
    notification_id, message_id, endpoint, body::text as body, attempts,
    exists (
        select from approvals
        where approvals.approval_id = notifications.approval_id and approvals.closed_at is not null
    ) as is_closed

-- name: delivered
-- A success ends what failed before it, also where another worker has just given up.
with mended as (
    update notification_endpoints
    set failing_since = null, problem = null
    where name = %(endpoint)s and failing_since is not null
)
update notifications
set state = 'delivered', attempts = attempts + 1, problem = null, finished_at = now()
where notification_id = %(number)s and state <> 'delivered'

-- name: finish_untold
update notifications
set state = %(state)s, problem = %(problem)s, finished_at = now()
where notification_id = %(number)s and finished_at is null

-- name: postpone
with noted as (
    insert into notification_endpoints (name, failing_since, problem)
    values (%(endpoint)s, now(), %(problem)s)
    on conflict (name) do update set
        failing_since = coalesce(notification_endpoints.failing_since, now()), problem = excluded.problem
    returning extract(epoch from now() - failing_since)::float as failing_for_s
),

put_off as (
    update notifications
    set
        attempts = attempts + 1,
        problem = %(problem)s,
        available_at = now() + make_interval(secs => %(seconds)s)
    where notification_id = %(number)s and finished_at is null
)

select failing_for_s from noted

-- name: give_up
with noted as (
    insert into notification_endpoints (name, failing_since, problem)
    values (%(endpoint)s, now(), %(problem)s)
    on conflict (name) do update set
        failing_since = coalesce(notification_endpoints.failing_since, now()), problem = excluded.problem
    returning extract(epoch from now() - failing_since)::float as failing_for_s
),

ended as (
    update notifications
    set state = 'failed', attempts = attempts + 1, problem = %(problem)s, finished_at = now()
    where notification_id = %(number)s and finished_at is null
)

select failing_for_s from noted

-- name: disable
insert into notification_endpoints (name, disabled_at, disabled_because)
values (%(endpoint)s, now(), %(because)s)
on conflict (name) do update set disabled_at = now(), disabled_because = excluded.disabled_because
where notification_endpoints.disabled_at is null
returning name

-- name: enable
-- What was held starts anew: its tries were spent on an endpoint that nobody had mended yet. Each has an instant of its
-- own, in order: of a hundred thousand at the same one, every look for the first eight would sort all.
with enabled as (
    update notification_endpoints
    set failing_since = null, problem = null, disabled_at = null, disabled_because = null
    where name = %(endpoint)s and disabled_at is not null
    returning name
),

freed as (
    update notifications
    set attempts = 0, available_at = now() + held.place * interval '1 microsecond'
    from (
        select notification_id, row_number() over (order by notification_id) as place
        from notifications
        where endpoint = (select name from enabled) and finished_at is null
    ) as held
    where notifications.notification_id = held.notification_id and notifications.finished_at is null
    returning notifications.notification_id
)

select (select count(*) from enabled) as endpoints, (select count(*) from freed) as freed

-- name: retry_failed
update notifications
set
    state = 'pending',
    attempts = 0,
    available_at = now() + given_up.place * interval '1 microsecond',
    finished_at = null
from (
    select notification_id, row_number() over (order by notification_id) as place
    from notifications
    where state = 'failed' and body is not null and (%(endpoint)s::text is null or endpoint = %(endpoint)s)
) as given_up
where notifications.notification_id = given_up.notification_id and notifications.state = 'failed'
returning notifications.notification_id

-- name: list_notifications
with listed as (
    select
        notification_id, message_id, endpoint, kind, approval_id, case_id, attempts, problem, created_at,
        case when finished_at is null then available_at end as next_at,
        case when state = 'pending' and endpoint in (
            select name from notification_endpoints where disabled_at is not null
        ) then 'held' else state end as state
    from notifications
    where %(endpoint)s::text is null or endpoint = %(endpoint)s
)

select * from listed
where %(state)s::text is null or state = %(state)s
order by notification_id desc
limit %(limit)s

-- name: list_endpoints
select name, failing_since, problem, disabled_at, disabled_because
from notification_endpoints
where failing_since is not null or disabled_at is not null
order by name
