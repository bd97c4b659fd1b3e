-- One group commit: first everything it depends on is locked, always in this order, then everything is written.

-- name: lock_inbox
select inbox_id from inbox where inbox_id = any(%(keys)s::bigint[]) and finished_at is null order by inbox_id for update

-- name: lock_cases
select case_id, version from cases where case_id = any(%(keys)s::uuid[]) order by case_id for update

-- name: lock_intents
select idempotency_key, takes
from intents
where idempotency_key = any(%(keys)s::text[])
order by idempotency_key
for update

-- name: open_balances
insert into order_balances (order_id, currency, captured_minor, refunded_minor)
select order_id, currency, captured_minor, refunded_minor
from json_populate_recordset(null::order_balances, %(rows)s::json)
order by order_id
on conflict (order_id) do nothing

-- name: lock_balances
select order_id, currency, captured_minor, refunded_minor
from order_balances
where order_id = any(%(keys)s::text[])
order by order_id
for update

-- name: open_watches
insert into watches (key, version)
select key, 0 from unnest(%(keys)s::text[]) as key order by key
on conflict (key) do nothing

-- name: lock_watches
select key, version from watches where key = any(%(keys)s::text[]) order by key for update

-- name: known_exceptions
select exception_id from cases where exception_id = any(%(keys)s::text[])

-- name: known_decisions
select decision_id from decisions where decision_id = any(%(keys)s::text[])

-- name: unsent
select outbox_id, ordering from outbox where ordering = any(%(keys)s::text[]) and published_at is null

-- name: insert_cases
insert into cases (
    case_id, exception_id, order_id, customer_id, kind, state, version, amount_minor, currency,
    opened_at, finished_at, body
)
select
    case_id, exception_id, order_id, customer_id, kind, state, version, amount_minor, currency,
    opened_at, finished_at, body
from json_populate_recordset(null::cases, %(rows)s::json)

-- name: update_cases
update cases
set
    state = new.state,
    version = new.version,
    amount_minor = new.amount_minor,
    currency = new.currency,
    finished_at = new.finished_at,
    body = new.body
from json_populate_recordset(null::cases, %(rows)s::json) as new
where cases.case_id = new.case_id

-- name: change_approvals
update approvals
set closed_at = new.closed_at, due_at = new.due_at, available_at = new.available_at, body = new.body
from json_populate_recordset(null::approvals, %(rows)s::json) as new
where approvals.approval_id = new.approval_id

-- name: insert_approvals
insert into approvals (approval_id, case_id, exception_id, case_version, due_at, available_at, body)
select approval_id, case_id, exception_id, case_version, due_at, available_at, body
from json_populate_recordset(null::approvals, %(rows)s::json)

-- name: insert_decisions
insert into decisions (
    decision_id, approval_id, case_id, reviewer, reviewer_key, verdict, command, code, amount_minor, currency,
    body, receipt
)
select
    decision_id, approval_id, case_id, reviewer, reviewer_key, verdict, command, code, amount_minor, currency,
    body, receipt
from json_populate_recordset(null::decisions, %(rows)s::json)

-- name: insert_intents
insert into intents (idempotency_key, case_id, state, body, available_at)
select idempotency_key, case_id, state, body, now() + %(lease)s
from json_populate_recordset(null::intents, %(rows)s::json)

-- name: finish_intents
update intents
set state = new.state, reference = new.reference, problem = new.problem, body = new.body, finished_at = now()
from json_populate_recordset(null::intents, %(rows)s::json) as new
where intents.idempotency_key = new.idempotency_key and intents.finished_at is null

-- name: postpone_intents
update intents
set
    state = new.state,
    attempts = new.attempts,
    problem = new.problem,
    body = new.body,
    available_at = now() + make_interval(secs => new.seconds)
from json_to_recordset(%(rows)s::json) as new (
    idempotency_key text, state text, attempts integer, problem text, body jsonb, seconds float
)
where intents.idempotency_key = new.idempotency_key and intents.finished_at is null

-- name: insert_bookings
insert into ledger_entries (idempotency_key, case_id, order_id, amount_minor, currency, method, reference)
select idempotency_key, case_id, order_id, amount_minor, currency, method, reference
from json_populate_recordset(null::ledger_entries, %(rows)s::json)

-- name: update_balances
update order_balances
set refunded_minor = new.refunded_minor
from json_populate_recordset(null::order_balances, %(rows)s::json) as new
where order_balances.order_id = new.order_id

-- name: update_watches
update watches
set version = new.version
from json_populate_recordset(null::watches, %(rows)s::json) as new
where watches.key = new.key

-- name: insert_audit
insert into audit (case_id, number, at, actor, action, from_state, to_state, detail, previous_hash, hash)
select case_id, number, at, actor, action, from_state, to_state, detail, previous_hash, hash
from json_populate_recordset(null::audit, %(rows)s::json)

-- name: insert_outbox
insert into outbox (event_id, ordering, topic, key, headers, payload)
select event_id, ordering, topic, key, headers, payload
from json_populate_recordset(null::outbox, %(rows)s::json) with ordinality as new
order by new.ordinality
returning outbox_id

-- name: insert_notifications
insert into notifications (message_id, endpoint, kind, approval_id, case_id, state, problem, body, finished_at)
select
    message_id, endpoint, kind, approval_id, case_id,
    case when body is null then 'failed' else 'pending' end, problem, body, case when body is null then now() end
from json_populate_recordset(null::notifications, %(rows)s::json) with ordinality as new
order by new.ordinality

-- name: refuse_messages
insert into dead_letters (topic, partition, "offset", part, reason, detail, sha256, value, headers)
select
    inbox.topic, inbox.partition, inbox."offset", inbox.part, new.reason, new.detail,
    encode(sha256(convert_to(inbox.payload, 'UTF8')), 'hex'), convert_to(inbox.payload, 'UTF8'),
    (
        select jsonb_agg(jsonb_build_array(name, encode(convert_to(value, 'UTF8'), 'hex')))
        from (
            values
            ('ce_specversion', '1.0'),
            ('ce_type', inbox.type),
            ('ce_id', 'inbox-' || inbox.inbox_id),
            ('ce_source', '/signoff/inbox')
        ) as attribute (name, value)
    )
from json_to_recordset(%(rows)s::json) as new (inbox_id bigint, reason text, detail text)
join inbox using (inbox_id)
on conflict (topic, partition, "offset", part) do nothing
returning topic, partition, "offset", reason, detail, value

-- name: finish_inbox
update inbox set finished_at = now(), leased_by = null where inbox_id = any(%(keys)s::bigint[])

-- name: postpone_inbox
update inbox
set
    attempts = attempts + 1,
    leased_by = null,
    problem = new.problem,
    available_at = now() + make_interval(secs => new.seconds)
from json_to_recordset(%(rows)s::json) as new (inbox_id bigint, seconds float, problem text)
where inbox.inbox_id = new.inbox_id

-- name: wake_parked
update inbox
set available_at = now()
where correlation = any(%(keys)s::text[]) and finished_at is null and leased_by is null
