-- name: mark_published
update outbox set published_at = now() where outbox_id = any(%(keys)s::bigint[])

-- name: unsent_rows
select outbox_id, event_id, ordering, topic, key, headers, payload
from outbox
where published_at is null and created_at < now() - %(grace)s
order by outbox_id
limit %(limit)s

-- name: take_relay
select pg_try_advisory_lock(hashtext('signoff.outbox-relay')) as taken
