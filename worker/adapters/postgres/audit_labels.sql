-- name: answered_between
-- Questions that a person closed in the period, each with the decision that did: the one that was ACCEPTED.
select
    approvals.approval_id, approvals.case_id, approvals.closed_at, approvals.body ->> 'kind' as kind,
    approvals.body -> 'question' as question, approvals.body -> 'policy' as policy,
    jsonb_array_length(approvals.body -> 'votes') as signatures,
    (approvals.body ->> 'requested_at')::timestamptz as asked_at,
    decisions.received_at, decisions.verdict, decisions.body -> 'changes' as changes,
    decisions.body -> 'choice' as choice, decisions.body ->> 'comment' as comment,
    cases.body -> 'facts' as facts, cases.body -> 'proposal' as final, cases.state, cases.finished_at
from approvals
join decisions
    on decisions.approval_id = approvals.approval_id::text
    and decisions.code = 'ACCEPTED'
    and decisions.verdict is not null
join cases on cases.case_id = approvals.case_id
where approvals.closed_at >= %(begin)s and approvals.closed_at < %(end)s
order by approvals.closed_at, approvals.approval_id
