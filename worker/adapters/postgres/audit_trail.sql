-- name: entries_with_their_cases
select
    coalesce(cases.case_id, audit.case_id) as of_case, cases.exception_id, cases.version,
    cases.body ->> 'audit_head' as audit_head, (audit.case_id is not null) as recorded,
    audit.case_id, audit.number, audit.at, audit.actor, audit.action, audit.from_state, audit.to_state, audit.detail,
    audit.previous_hash, audit.hash
from cases
full join audit using (case_id)
order by of_case, audit.number

-- name: entries_of_one_case
select
    coalesce(cases.case_id, audit.case_id) as of_case, cases.exception_id, cases.version,
    cases.body ->> 'audit_head' as audit_head, (audit.case_id is not null) as recorded,
    audit.case_id, audit.number, audit.at, audit.actor, audit.action, audit.from_state, audit.to_state, audit.detail,
    audit.previous_hash, audit.hash
from cases
left join audit using (case_id)
where cases.case_id = %(case_id)s
order by audit.number
