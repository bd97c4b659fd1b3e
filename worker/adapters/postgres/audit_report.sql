-- What an auditor asks of a period: `begin` counts, `end` does not. Each way in has an index, by the time at which
-- something was received or closed.

-- name: decisions_between
-- A decision that nobody could relate to a question has none here; the name that its sender gave it need not be an id.
select
    decisions.decision_id, decisions.received_at, decisions.reviewer, decisions.verdict, decisions.code,
    decisions.approval_id, decisions.case_id, decisions.amount_minor, decisions.currency,
    decisions.command, decisions.body -> 'changes' as changes,
    decisions.body -> 'choice' as choice, decisions.body ->> 'escalate_to' as escalate_to,
    decisions.body ->> 'comment' as comment, decisions.receipt ->> 'message' as message,
    coalesce(approvals.exception_id, decisions.body ->> 'exception_id') as exception_id,
    approvals.body -> 'question' -> 'level' as level, approvals.body -> 'question' -> 'asked' ->> 'part' as part,
    (approvals.body -> 'question' ->> 'round')::integer as round,
    approvals.body -> 'question' -> 'proposal' as proposal, approvals.body -> 'question' -> 'why' as why,
    approvals.body -> 'question' ->> 'risk' as risk,
    (approvals.body -> 'question' ->> 'confidence')::double precision as confidence,
    approvals.body -> 'votes' as votes, (approvals.body ->> 'requested_at')::timestamptz as asked_at,
    approvals.due_at, approvals.body ->> 'review_hash' as review_hash, approvals.body -> 'policy' as policy
from decisions
left join approvals on approvals.approval_id = case
    when decisions.approval_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then decisions.approval_id::uuid
end
where decisions.received_at >= %(begin)s and decisions.received_at < %(end)s
order by decisions.received_at, decisions.decision_id

-- name: questions_between
-- A reminder that was sent is no longer among the timers to come. Materialized: what is grouped are words, not bodies.
with questions as materialized (
    select
        body -> 'question' -> 'level' ->> 'name' as level, body -> 'policy' ->> 'name' as policy,
        body -> 'policy' ->> 'version' as policy_version, body ->> 'closed_as' as closed_as,
        body ->> 'closed_by' as closed_by,
        jsonb_array_length(jsonb_path_query_array(body, '$.question.asked.deadlines[*] ? (@.do == "remind")'))
        > jsonb_array_length(jsonb_path_query_array(body, '$.timers[*] ? (@.do == "remind")')) as reminded
    from approvals
    where closed_at >= %(begin)s and closed_at < %(end)s
)
select
    level, policy, policy_version, count(*) as closed,
    count(*) filter (where reminded and closed_by <> 'system') as after_reminder,
    count(*) filter (where closed_as = 'expired') as expired,
    count(*) filter (where closed_as = 'escalated' and closed_by = 'system') as escalated
from questions
group by level, policy, policy_version
order by level, policy, policy_version

-- name: time_of_report
select now() as now
