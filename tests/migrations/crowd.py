"""A database that has been at work for a while: some ten thousand rows in each table that grows, few of them open.

The narrower its rows, the more of them a table gets: reading 150 pages from end to end is not a fault, but a plan.
"""

import psycopg

ROWS = 20_000
OPEN = 200
"""Cases that wait, messages that are not done, events that are not sent."""

_CROWD = """
insert into cases (
    case_id, exception_id, order_id, customer_id, kind, state, version, amount_minor, currency, opened_at,
    finished_at, body
)
select
    md5('case' || n)::uuid, 'EXC-' || n, 'ORD-' || n / 2, 'CUST-' || n / 5, 'refund',
    case when n <= {open} then 'waiting' else 'executed' end, 3, 15000, 'USD', now() - n * interval '1 minute',
    case when n <= {open} then null else now() end, jsonb_build_object('audit_head', 'x', 'pad', repeat('x', 1500))
from generate_series(1, {rows}) as n;

insert into approvals (approval_id, case_id, exception_id, case_version, due_at, available_at, closed_at, body)
select
    md5('approval' || n)::uuid, md5('case' || n)::uuid, 'EXC-' || n, 1, now() + n * interval '1 minute',
    now() + n * interval '1 minute', case when n <= {open} then null else now() end,
    jsonb_build_object('pad', repeat('x', 1500))
from generate_series(1, {rows}) as n;

insert into decisions (
    decision_id, approval_id, case_id, reviewer, reviewer_key, verdict, code, amount_minor, currency, received_at,
    body, receipt
)
select
    'DEC-' || n, md5('approval' || n)::uuid::text, md5('case' || n)::uuid, 'user:' || n % 50, 'user:' || n % 50,
    'approve', 'ACCEPTED', 15000, 'USD', now() - n * interval '1 minute',
    jsonb_build_object('pad', repeat('x', 400)), jsonb_build_object('pad', repeat('x', 400))
from generate_series(1, {rows}) as n;

insert into intents (idempotency_key, case_id, state, body, available_at, finished_at)
select
    'signoff:' || md5('case' || n)::uuid || ':1', md5('case' || n)::uuid, 'succeeded',
    jsonb_build_object('pad', repeat('x', 400)), now(), case when n <= {open} then null else now() end
from generate_series(1, {rows}) as n;

insert into order_balances (order_id, currency, captured_minor, refunded_minor)
select 'ORD-' || n, 'USD', 20000, 0 from generate_series(1, 5 * {rows}) as n;

insert into watches (key, version) select 'order:ORD-' || n, 1 from generate_series(1, 5 * {rows}) as n;

insert into reviewers (key, delegate, body)
select 'user:' || n, case when n % 10 = 0 then 'user:' || n / 10 end, jsonb_build_object('pad', repeat('x', 300))
from generate_series(1, {rows}) as n;

insert into audit (case_id, number, at, actor, action, from_state, to_state, detail, previous_hash, hash)
select
    md5('case' || n / 3)::uuid, 1 + n % 3, now(), 'system', 'paid', 'executing', 'executed',
    jsonb_build_object('pad', repeat('x', 200)), repeat('0', 64), repeat('1', 64)
from generate_series(1, 3 * {rows}) as n;

insert into inbox (topic, partition, "offset", type, correlation, payload, leased_by, available_at, finished_at)
select
    'order-exceptions', n % 6, n, 't', 'EXC-' || n, repeat('x', 800), case when n % 2 = 0 then 'w1' end, now(),
    case when n <= {open} then null else now() end
from generate_series(1, {rows}) as n;

insert into outbox (event_id, ordering, topic, key, headers, payload, published_at)
select
    md5('event' || n)::uuid, md5('case' || n / 3)::uuid::text, 'approvals', 'ORD-' || n, '{{}}', repeat('x', 1200),
    case when n <= {open} then null else now() end
from generate_series(1, 3 * {rows}) as n;

insert into dead_letters (topic, partition, "offset", reason, detail, sha256, value, replayed_at)
select
    'order-exceptions', n % 6, n, 'SCHEMA_INVALID', 'detail', repeat('0', 64), convert_to(repeat('x', 800), 'UTF8'),
    case when n % 2 = 0 then now() end
from generate_series(1, {rows}) as n;

insert into notifications (
    message_id, endpoint, kind, approval_id, case_id, state, attempts, body, available_at, finished_at
)
select
    md5('notification' || n)::uuid, case when n % 2 = 0 then 'managers' else 'finance' end, 'needed',
    md5('approval' || n)::uuid, md5('case' || n)::uuid,
    case when n <= {open} then 'pending' when n % 100 = 0 then 'failed' else 'delivered' end,
    case when n <= {open} then 0 else 1 end, jsonb_build_object('pad', repeat('x', 600)), now(),
    case when n <= {open} then null else now() end
from generate_series(1, {rows}) as n;

insert into orders (order_id, body)
select 'ORD-' || n, jsonb_build_object('pad', repeat('x', 500)) from generate_series(1, {rows}) as n;
insert into customers (customer_id, body)
select 'CUST-' || n, jsonb_build_object('pad', repeat('x', 200)) from generate_series(1, {rows}) as n;

insert into ledger_entries (idempotency_key, case_id, order_id, amount_minor, currency, method, reference)
select 'signoff:' || md5('case' || n)::uuid || ':1', md5('case' || n)::uuid, 'ORD-' || n / 2, 100, 'USD', 'm', 'r' || n
from generate_series(1, {rows}) as n;

insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, checkpoint, metadata)
select
    md5('case' || n)::uuid::text, '', md5('checkpoint' || n),
    jsonb_build_object('channel_versions', jsonb_build_object('case', '1'), 'pad', repeat('x', 600)), '{{}}'
from generate_series(1, {rows}) as n;
insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
select md5('case' || n)::uuid::text, '', 'case', '1', 'msgpack', convert_to(repeat('x', 2000), 'UTF8')
from generate_series(1, {rows}) as n;
insert into checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob)
select md5('case' || n)::uuid::text, '', md5('checkpoint' || n), 'task', 0, 'case', 'msgpack', '\\x00'
from generate_series(1, {rows}) as n;
"""


def crowd(address: str) -> None:
    """Fills a migrated database, and lets PostgreSQL count what is there."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_CROWD.format(rows=ROWS, open=OPEN).encode())
        connection.execute("vacuum analyze")
