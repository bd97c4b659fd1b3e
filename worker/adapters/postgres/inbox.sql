-- name: receive
insert into inbox (topic, partition, "offset", part, type, correlation, payload, leased_by, available_at)
select new.topic, new.partition, new."offset", new.part, new.type, new.correlation, new.payload, %(worker)s, now() + %(lease)s
from json_populate_recordset(null::inbox, %(rows)s::json) as new
on conflict (topic, partition, "offset", part) do nothing
returning inbox_id, topic, partition, "offset", part, received_at

-- name: reject
insert into dead_letters (topic, partition, "offset", part, reason, detail, sha256, key, value, headers)
select topic, partition, "offset", part, reason, detail, sha256, decode(key, 'hex'), decode(value, 'hex'), headers
from json_to_recordset(%(rows)s::json) as new (
    topic text, partition integer, "offset" bigint, part integer, reason text, detail text,
    sha256 text, key text, value text, headers jsonb
)
on conflict (topic, partition, "offset", part) do nothing
returning topic, partition, "offset", reason, detail, value

-- name: take_up
update inbox
set leased_by = %(worker)s, available_at = now() + %(lease)s
where inbox_id in (
    select inbox_id
    from inbox
    where finished_at is null and available_at <= now()
    order by available_at, inbox_id
    limit %(limit)s
    for update skip locked
)
returning
    inbox_id, type, correlation, payload, received_at, attempts,
    extract(epoch from now() - received_at)::float as waited_s

-- name: release_inbox
update inbox set available_at = now() where leased_by = %(worker)s and finished_at is null

-- name: due_approvals
-- A deadline does not overtake a message about its question that came in time and is still being worked on.
update approvals
set available_at = now() + %(lease)s
where approval_id in (
    select approval_id
    from approvals
    where
        closed_at is null
        and available_at <= now()
        and not exists (
            select from inbox
            where
                inbox.correlation in (approvals.approval_id::text, approvals.exception_id)
                and inbox.finished_at is null
                and inbox.received_at <= approvals.available_at
        )
    order by available_at
    limit %(limit)s
    for update skip locked
)
returning approval_id

-- A deferred intent was surely not tried. Taking it up says so no longer: when its worker dies, nobody knows.
-- name: abandoned_intents
update intents
set
    available_at = now() + %(lease)s,
    takes = takes + 1,
    state = case found.state when 'deferred' then 'pending' else found.state end
from (
    select idempotency_key, state
    from intents
    where finished_at is null and available_at <= now()
    order by available_at
    limit %(limit)s
    for update skip locked
) as found
where intents.idempotency_key = found.idempotency_key
returning intents.idempotency_key, intents.body::text as body, intents.attempts, intents.takes, found.state
