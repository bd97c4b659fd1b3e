-- name: lock_register
-- Two that replace the register wait for each other; who decides meanwhile reads on.
lock table reviewers in share row exclusive mode

-- name: register
select body::text as body from reviewers order by key

-- name: database_now
select now() as now

-- name: put_reviewers
insert into reviewers (key, delegate, body)
select key, delegate, body
from json_populate_recordset(null::reviewers, %(rows)s::json)
on conflict (key) do update set delegate = excluded.delegate, body = excluded.body, changed_at = now()

-- name: remove_reviewers
delete from reviewers where key = any(%(keys)s::text[])
