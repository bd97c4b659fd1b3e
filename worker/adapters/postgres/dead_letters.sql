-- name: list_dead_letters
select dead_letter_id, topic, partition, "offset", part, reason, detail, rejected_at, replayed_at
from dead_letters
where
    (%(reason)s::text is null or reason = %(reason)s)
    and (%(topic)s::text is null or topic = %(topic)s)
    and (%(replayed)s or replayed_at is null)
order by dead_letter_id desc
limit %(limit)s

-- name: dead_letters_by_id
select
    dead_letter_id, topic, partition, "offset", part, reason, detail, rejected_at, replayed_at,
    sha256, key, value, headers
from dead_letters
where dead_letter_id = any(%(keys)s::bigint[])
order by dead_letter_id

-- name: newest_dead_letter
select max(dead_letter_id) as dead_letter_id from dead_letters

-- name: not_yet_replayed
select
    dead_letter_id, topic, partition, "offset", part, reason, detail, rejected_at, replayed_at,
    sha256, key, value, headers
from dead_letters
where
    dead_letter_id > %(after)s
    and dead_letter_id <= %(up_to)s
    and replayed_at is null
    and (%(reason)s::text is null or reason = %(reason)s)
order by dead_letter_id
limit %(limit)s

-- name: mark_replayed
update dead_letters set replayed_at = now() where dead_letter_id = any(%(keys)s::bigint[])
