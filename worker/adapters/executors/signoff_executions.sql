create table signoff_executions (
    idempotency_key text primary key,
    fingerprint text not null,
    result jsonb not null,
    ran_at timestamptz not null default clock_timestamp()
);
