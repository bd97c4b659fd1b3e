-- name: pay
insert into ledger_entries (idempotency_key, case_id, order_id, amount_minor, currency, method, reference)
select idempotency_key, case_id, order_id, amount_minor, currency, method, reference
from json_populate_recordset(null::ledger_entries, %(rows)s::json)
on conflict (idempotency_key) do nothing

-- name: entries
select idempotency_key, order_id, amount_minor, currency, method, reference
from ledger_entries
where idempotency_key = any(%(keys)s::text[])
