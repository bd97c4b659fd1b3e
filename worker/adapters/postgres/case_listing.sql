-- What operators ask about cases and open approval requests. Each way in has an index: unfinished cases by age, all
-- of an order, all by their id, which is as old as they are; open approval requests by their next timer.

-- name: unfinished_cases
select
    case_id, exception_id, order_id, customer_id, kind, state, opened_at, finished_at,
    body -> 'proposal' as proposal, body -> 'why' as why, body ->> 'reason' as reason, now() as now
from cases
where
    finished_at is null
    and (%(state)s::text is null or state = %(state)s)
    and (%(customer)s::text is null or customer_id = %(customer)s)
order by opened_at
limit %(limit)s

-- name: cases_of_order
select
    case_id, exception_id, order_id, customer_id, kind, state, opened_at, finished_at,
    body -> 'proposal' as proposal, body -> 'why' as why, body ->> 'reason' as reason, now() as now
from cases
where
    order_id = %(order)s
    and (%(state)s::text is null or state = %(state)s)
    and (%(customer)s::text is null or customer_id = %(customer)s)
order by opened_at
limit %(limit)s

-- name: latest_cases
select
    case_id, exception_id, order_id, customer_id, kind, state, opened_at, finished_at,
    body -> 'proposal' as proposal, body -> 'why' as why, body ->> 'reason' as reason, now() as now
from cases
where
    (%(state)s::text is null or state = %(state)s)
    and (%(customer)s::text is null or customer_id = %(customer)s)
order by case_id desc
limit %(limit)s

-- name: open_approvals
select
    approval_id, case_id, exception_id, body ->> 'order_id' as order_id, body ->> 'kind' as kind,
    body #> '{question,level}' as level, body #>> '{question,asked,part}' as part,
    (body #>> '{question,round}')::integer as round, (body #>> '{question,asked,quorum}')::integer as quorum,
    jsonb_array_length(body -> 'votes') as votes, body ->> 'role' as role, body ->> 'assignee' as assignee,
    (body ->> 'requested_at')::timestamptz as requested_at, due_at, available_at as next_at, now() as now
from approvals
where
    closed_at is null
    and (%(role)s::text is null or body ->> 'role' = %(role)s)
    and (%(assignee)s::text is null or lower(btrim(body ->> 'assignee')) = %(assignee)s)
order by available_at
limit %(limit)s

-- name: open_approvals_of_cases
select
    approval_id, case_id, exception_id, body ->> 'order_id' as order_id, body ->> 'kind' as kind,
    body #> '{question,level}' as level, body #>> '{question,asked,part}' as part,
    (body #>> '{question,round}')::integer as round, (body #>> '{question,asked,quorum}')::integer as quorum,
    jsonb_array_length(body -> 'votes') as votes, body ->> 'role' as role, body ->> 'assignee' as assignee,
    (body ->> 'requested_at')::timestamptz as requested_at, due_at, available_at as next_at, now() as now
from approvals
where closed_at is null and case_id = any(%(keys)s)

-- name: named_case
select case_id
from (
    select case_id, 1 as preference from cases where exception_id = %(name)s
    union all
    select case_id, 2 from cases where case_id = %(id)s::uuid
    union all
    select case_id, 3 from approvals where approval_id = %(id)s::uuid
) as found
order by preference
limit 1

-- name: case_body
select body::text as body, now() as now from cases where case_id = %(case_id)s

-- name: case_approvals
select body::text as body from approvals where case_id = %(case_id)s order by case_version

-- name: case_decisions
select body::text as said, command is not null as is_command, receipt::text as receipt, received_at
from decisions
where case_id = %(case_id)s
order by received_at

-- name: case_intents
select body::text as body, state, attempts, reference, problem, created_at, finished_at
from intents
where case_id = %(case_id)s
order by created_at

-- name: case_entries
select case_id, number, at, actor, action, from_state, to_state, detail, previous_hash, hash
from audit
where case_id = %(case_id)s
order by number
