-- name: cases_by_exception
select exception_id as key, body::text as body
from cases
where exception_id = any(%(keys)s::text[])

-- name: cases_by_id
select case_id::text as key, body::text as body
from cases
where case_id = any(%(keys)s::uuid[])

-- name: cases_by_approval
select approvals.approval_id::text as key, cases.body::text as body, approvals.body::text as approval
from approvals
join cases using (case_id)
where approvals.approval_id = any(%(keys)s::uuid[])

-- name: latest_approvals
select wanted.case_id::text as key, latest.body::text as body
from unnest(%(keys)s::uuid[]) as wanted (case_id)
cross join lateral (
    select body from approvals where approvals.case_id = wanted.case_id order by case_version desc limit 1
) as latest

-- name: receipts
select decision_id as key, receipt::text as body
from decisions
where decision_id = any(%(keys)s::text[])

-- name: balances
select order_id as key, currency, captured_minor, refunded_minor
from order_balances
where order_id = any(%(keys)s::text[])

-- name: database_time
select now() as now
