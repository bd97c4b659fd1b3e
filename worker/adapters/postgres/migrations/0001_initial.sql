-- The first schema. The three tables of langgraph-checkpoint-postgres are made by its own migrations.
--
-- What must be taken up later (inbox rows, due approvals, intents, notifications) has one column for it:
-- `available_at`. Taking a row moves it into the future, which is the lease; finishing the row takes it out of the
-- partial index.
-- No foreign keys: rows that belong together are written by one transaction (docs/adr/no-foreign-keys.md).

create table cases (
    case_id       uuid primary key,
    exception_id  text not null unique,
    order_id      text,
    customer_id   text,
    kind          text not null,
    state         text not null,
    version       integer not null,
    amount_minor  bigint,
    currency      text,
    opened_at     timestamptz not null,
    finished_at   timestamptz,
    body          jsonb not null
);
create index cases_unfinished on cases (opened_at) where finished_at is null;
create index cases_by_order on cases (order_id, opened_at);
-- Adds up what else a customer asked for without a look at the cases themselves: some have thousands.
create index cases_by_customer on cases (customer_id, opened_at) include (exception_id, state, amount_minor, currency)
where customer_id is not null;

create table approvals (
    approval_id   uuid primary key,
    case_id       uuid not null,
    exception_id  text not null,
    case_version  integer not null,
    due_at        timestamptz not null,
    available_at  timestamptz not null,
    closed_at     timestamptz,
    body          jsonb not null
);
-- `available_at` is the next timer: a reminder, the end of a claim, or the deadline.
create index approvals_by_case on approvals (case_id, case_version);
create unique index approvals_one_open on approvals (case_id) where closed_at is null;
create index approvals_due on approvals (available_at) where closed_at is null;
create index approvals_closed on approvals (closed_at) where closed_at is not null;

-- What reviewers said, and how it was answered: verdicts, and commands about who holds a question.
create table decisions (
    decision_id   text primary key,
    approval_id   text,
    case_id       uuid,
    reviewer      text not null,
    reviewer_key  text not null,
    verdict       text,
    command       text,
    code          text not null,
    amount_minor  bigint,
    currency      text,
    body          jsonb not null,
    receipt       jsonb not null,
    received_at   timestamptz not null default now(),
    constraint verdict_or_command check (num_nonnulls(verdict, command) = 1)
);
create index decisions_by_case on decisions (case_id) where case_id is not null;
create index decisions_received on decisions (received_at);
-- `reviewer_key` is the id in lower case, so that a spelling is not a second person.
create unique index decisions_one_accepted on decisions (approval_id, reviewer_key)
where code in ('ACCEPTED', 'RECORDED') and verdict is not null;
create index decisions_signed on decisions (reviewer_key, received_at) include (verdict, currency, amount_minor)
where code in ('ACCEPTED', 'RECORDED') and amount_minor is not null;

create table intents (
    idempotency_key  text primary key,
    case_id          uuid not null,
    state            text not null,
    attempts         integer not null default 0,
    takes            integer not null default 0,
    reference        text,
    problem          text,
    body             jsonb not null,
    created_at       timestamptz not null default now(),
    finished_at      timestamptz,
    available_at     timestamptz not null
);
create index intents_by_case on intents (case_id);
create index intents_unfinished on intents (available_at) where finished_at is null;

create table order_balances (
    order_id        text primary key,
    currency        text not null,
    captured_minor  bigint not null,
    refunded_minor  bigint not null,
    constraint never_more_than_captured check (refunded_minor between 0 and captured_minor)
);

-- One row for each order, customer or reviewer whose figures a decision depends on: who changes those figures raises
-- the version, so that two decisions that looked at the same figures cannot both be committed.
create table watches (
    key      text primary key,
    version  bigint not null
);

create table audit (
    case_id        uuid not null,
    number         integer not null,
    at             timestamptz not null,
    actor          text not null,
    action         text not null,
    from_state     text,
    to_state       text not null,
    detail         jsonb not null,
    previous_hash  text not null,
    hash           text not null,
    primary key (case_id, number)
);

create table inbox (
    inbox_id      bigint generated always as identity primary key,
    topic         text not null,
    partition     integer not null,
    "offset"      bigint not null,
    part          integer not null default 0,
    type          text not null,
    correlation   text not null,
    payload       text not null,
    received_at   timestamptz not null default now(),
    attempts      integer not null default 0,
    problem       text,
    leased_by     text,
    available_at  timestamptz not null,
    finished_at   timestamptz,
    unique (topic, partition, "offset", part)
);
create index inbox_unfinished on inbox (available_at) where finished_at is null;
create index inbox_open_correlation on inbox (correlation) where finished_at is null;

create table outbox (
    outbox_id     bigint generated always as identity primary key,
    event_id      uuid not null,
    ordering      text not null,
    topic         text not null,
    key           text not null,
    headers       jsonb not null,
    payload       text not null,
    created_at    timestamptz not null default now(),
    published_at  timestamptz
);
create index outbox_unsent on outbox (outbox_id) where published_at is null;
create index outbox_unsent_ordering on outbox (ordering) where published_at is null;

create table dead_letters (
    dead_letter_id  bigint generated always as identity primary key,
    topic           text not null,
    partition       integer not null,
    "offset"        bigint not null,
    part            integer not null default 0,
    reason          text not null,
    detail          text not null,
    sha256          text not null,
    key             bytea,
    value           bytea,
    headers         jsonb not null default '[]',
    rejected_at     timestamptz not null default now(),
    replayed_at     timestamptz,
    unique (topic, partition, "offset", part)
);

-- What people are told about approval requests, one row for each endpoint: written by the commit that it tells of, sent
-- afterwards. Without a body there is nothing to send, and `problem` says why.
create table notifications (
    notification_id  bigint generated always as identity primary key,
    message_id       uuid not null,
    endpoint         text not null,
    kind             text not null,
    approval_id      uuid not null,
    case_id          uuid not null,
    state            text not null,
    attempts         integer not null default 0,
    problem          text,
    body             jsonb,
    created_at       timestamptz not null default now(),
    available_at     timestamptz not null default now(),
    finished_at      timestamptz
);
create index notifications_due on notifications (endpoint, available_at) where finished_at is null;
create index notifications_untried on notifications (case_id) where finished_at is null and attempts = 0;
create index notifications_failed on notifications (endpoint) where state = 'failed';

-- Endpoints that failed once: `failing_since` is the first failure that no success has followed. What is pending for
-- one that is disabled is held.
create table notification_endpoints (
    name              text primary key,
    failing_since     timestamptz,
    problem           text,
    disabled_at       timestamptz,
    disabled_because  text
);

-- The register of reviewers, where one is configured: `key` is the id in lower case, without surrounding space.
create table reviewers (
    key         text primary key,
    delegate    text,
    body        jsonb not null,
    changed_at  timestamptz not null default now()
);
create index reviewers_by_delegate on reviewers (delegate) where delegate is not null;

-- The default orders port: what the shop knows, when it keeps that beside us.
create table orders (
    order_id  text primary key,
    body      jsonb not null
);
create table customers (
    customer_id  text primary key,
    body         jsonb not null
);

-- The default payment adapter: our own ledger.
create table ledger_entries (
    idempotency_key  text primary key,
    case_id          uuid not null,
    order_id         text not null,
    amount_minor     bigint not null check (amount_minor > 0),
    currency         text not null,
    method           text not null,
    reference        text not null,
    recorded_at      timestamptz not null default now()
);
create index ledger_entries_by_order on ledger_entries (order_id);
