-- What operators ask about cases. Each way in has an index: unfinished ones by age, all of an order, and all by
-- their id, which is as old as they are.

-- name: unfinished_cases
select
    cases.case_id, cases.exception_id, cases.order_id, cases.customer_id, cases.kind, cases.state,
    cases.opened_at, cases.finished_at, cases.body -> 'proposal' as proposal, cases.body -> 'why' as why,
    cases.body ->> 'reason' as reason, now() as now,
    approvals.approval_id, approvals.due_at,
    approvals.body -> 'question' -> 'level' ->> 'name' as level, approvals.body -> 'question' ->> 'role' as role
from cases
left join approvals on approvals.case_id = cases.case_id and approvals.closed_at is null
where
    cases.finished_at is null
    and (%(state)s::text is null or cases.state = %(state)s)
    and (%(customer)s::text is null or cases.customer_id = %(customer)s)
order by cases.opened_at
limit %(limit)s

-- name: cases_of_order
select
    cases.case_id, cases.exception_id, cases.order_id, cases.customer_id, cases.kind, cases.state,
    cases.opened_at, cases.finished_at, cases.body -> 'proposal' as proposal, cases.body -> 'why' as why,
    cases.body ->> 'reason' as reason, now() as now,
    approvals.approval_id, approvals.due_at,
    approvals.body -> 'question' -> 'level' ->> 'name' as level, approvals.body -> 'question' ->> 'role' as role
from cases
left join approvals on approvals.case_id = cases.case_id and approvals.closed_at is null
where
    cases.order_id = %(order)s
    and (%(state)s::text is null or cases.state = %(state)s)
    and (%(customer)s::text is null or cases.customer_id = %(customer)s)
order by cases.opened_at
limit %(limit)s

-- name: latest_cases
select
    cases.case_id, cases.exception_id, cases.order_id, cases.customer_id, cases.kind, cases.state,
    cases.opened_at, cases.finished_at, cases.body -> 'proposal' as proposal, cases.body -> 'why' as why,
    cases.body ->> 'reason' as reason, now() as now,
    approvals.approval_id, approvals.due_at,
    approvals.body -> 'question' -> 'level' ->> 'name' as level, approvals.body -> 'question' ->> 'role' as role
from cases
left join approvals on approvals.case_id = cases.case_id and approvals.closed_at is null
where
    (%(state)s::text is null or cases.state = %(state)s)
    and (%(customer)s::text is null or cases.customer_id = %(customer)s)
order by cases.case_id desc
limit %(limit)s

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
select body::text as decision, receipt::text as receipt, received_at
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
