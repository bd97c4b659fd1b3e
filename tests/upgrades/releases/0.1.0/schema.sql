-- Made by `python -m tests.migrations.schema_dump` from the migrations; proved equal to them by the tests.

create table approvals (
    "approval_id" uuid not null,
    "case_id" uuid not null,
    "exception_id" text not null,
    "case_version" integer not null,
    "due_at" timestamp with time zone not null,
    "available_at" timestamp with time zone not null,
    "closed_at" timestamp with time zone,
    "body" jsonb not null,
    constraint approvals_pkey PRIMARY KEY (approval_id)
);
CREATE INDEX approvals_by_case ON public.approvals USING btree (case_id, case_version);
CREATE INDEX approvals_closed ON public.approvals USING btree (closed_at) WHERE (closed_at IS NOT NULL);
CREATE INDEX approvals_due ON public.approvals USING btree (available_at) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX approvals_one_open ON public.approvals USING btree (case_id) WHERE (closed_at IS NULL);

create table audit (
    "case_id" uuid not null,
    "number" integer not null,
    "at" timestamp with time zone not null,
    "actor" text not null,
    "action" text not null,
    "from_state" text,
    "to_state" text not null,
    "detail" jsonb not null,
    "previous_hash" text not null,
    "hash" text not null,
    constraint audit_pkey PRIMARY KEY (case_id, number)
);

create table cases (
    "case_id" uuid not null,
    "exception_id" text not null,
    "order_id" text,
    "customer_id" text,
    "kind" text not null,
    "state" text not null,
    "version" integer not null,
    "amount_minor" bigint,
    "currency" text,
    "opened_at" timestamp with time zone not null,
    "finished_at" timestamp with time zone,
    "body" jsonb not null,
    constraint cases_exception_id_key UNIQUE (exception_id),
    constraint cases_pkey PRIMARY KEY (case_id)
);
CREATE INDEX cases_by_customer ON public.cases USING btree (customer_id, opened_at) INCLUDE (exception_id, state, amount_minor, currency) WHERE (customer_id IS NOT NULL);
CREATE INDEX cases_by_order ON public.cases USING btree (order_id, opened_at);
CREATE INDEX cases_unfinished ON public.cases USING btree (opened_at) WHERE (finished_at IS NULL);

create table checkpoint_blobs (
    "thread_id" text not null,
    "checkpoint_ns" text not null default ''::text,
    "channel" text not null,
    "version" text not null,
    "type" text not null,
    "blob" bytea,
    constraint checkpoint_blobs_pkey PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
);
CREATE INDEX checkpoint_blobs_thread_id_idx ON public.checkpoint_blobs USING btree (thread_id);

create table checkpoint_migrations (
    "v" integer not null,
    constraint checkpoint_migrations_pkey PRIMARY KEY (v)
);

create table checkpoint_writes (
    "thread_id" text not null,
    "checkpoint_ns" text not null default ''::text,
    "checkpoint_id" text not null,
    "task_id" text not null,
    "idx" integer not null,
    "channel" text not null,
    "type" text,
    "blob" bytea not null,
    "task_path" text not null default ''::text,
    constraint checkpoint_writes_pkey PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);
CREATE INDEX checkpoint_writes_thread_id_idx ON public.checkpoint_writes USING btree (thread_id);

create table checkpoints (
    "thread_id" text not null,
    "checkpoint_ns" text not null default ''::text,
    "checkpoint_id" text not null,
    "parent_checkpoint_id" text,
    "type" text,
    "checkpoint" jsonb not null,
    "metadata" jsonb not null default '{}'::jsonb,
    constraint checkpoints_pkey PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);
CREATE INDEX checkpoints_thread_id_idx ON public.checkpoints USING btree (thread_id);

create table customers (
    "customer_id" text not null,
    "body" jsonb not null,
    constraint customers_pkey PRIMARY KEY (customer_id)
);

create table dead_letters (
    "dead_letter_id" bigint not null generated always as identity,
    "topic" text not null,
    "partition" integer not null,
    "offset" bigint not null,
    "part" integer not null default 0,
    "reason" text not null,
    "detail" text not null,
    "sha256" text not null,
    "key" bytea,
    "value" bytea,
    "headers" jsonb not null default '[]'::jsonb,
    "rejected_at" timestamp with time zone not null default now(),
    "replayed_at" timestamp with time zone,
    constraint dead_letters_pkey PRIMARY KEY (dead_letter_id),
    constraint dead_letters_topic_partition_offset_part_key UNIQUE (topic, partition, "offset", part)
);

create table decisions (
    "decision_id" text not null,
    "approval_id" text,
    "case_id" uuid,
    "reviewer" text not null,
    "reviewer_key" text not null,
    "verdict" text,
    "command" text,
    "code" text not null,
    "amount_minor" bigint,
    "currency" text,
    "body" jsonb not null,
    "receipt" jsonb not null,
    "received_at" timestamp with time zone not null default now(),
    constraint decisions_pkey PRIMARY KEY (decision_id),
    constraint verdict_or_command CHECK ((num_nonnulls(verdict, command) = 1))
);
CREATE INDEX decisions_by_case ON public.decisions USING btree (case_id) WHERE (case_id IS NOT NULL);
CREATE INDEX decisions_received ON public.decisions USING btree (received_at);
CREATE INDEX decisions_signed ON public.decisions USING btree (reviewer_key, received_at) INCLUDE (verdict, currency, amount_minor) WHERE ((code = ANY (ARRAY['ACCEPTED'::text, 'RECORDED'::text])) AND (amount_minor IS NOT NULL));
CREATE UNIQUE INDEX decisions_one_accepted ON public.decisions USING btree (approval_id, reviewer_key) WHERE ((code = ANY (ARRAY['ACCEPTED'::text, 'RECORDED'::text])) AND (verdict IS NOT NULL));

create table inbox (
    "inbox_id" bigint not null generated always as identity,
    "topic" text not null,
    "partition" integer not null,
    "offset" bigint not null,
    "part" integer not null default 0,
    "type" text not null,
    "correlation" text not null,
    "payload" text not null,
    "received_at" timestamp with time zone not null default now(),
    "attempts" integer not null default 0,
    "problem" text,
    "leased_by" text,
    "available_at" timestamp with time zone not null,
    "finished_at" timestamp with time zone,
    constraint inbox_pkey PRIMARY KEY (inbox_id),
    constraint inbox_topic_partition_offset_part_key UNIQUE (topic, partition, "offset", part)
);
CREATE INDEX inbox_open_correlation ON public.inbox USING btree (correlation) WHERE (finished_at IS NULL);
CREATE INDEX inbox_unfinished ON public.inbox USING btree (available_at) WHERE (finished_at IS NULL);

create table intents (
    "idempotency_key" text not null,
    "case_id" uuid not null,
    "state" text not null,
    "attempts" integer not null default 0,
    "takes" integer not null default 0,
    "reference" text,
    "problem" text,
    "body" jsonb not null,
    "created_at" timestamp with time zone not null default now(),
    "finished_at" timestamp with time zone,
    "available_at" timestamp with time zone not null,
    constraint intents_pkey PRIMARY KEY (idempotency_key)
);
CREATE INDEX intents_by_case ON public.intents USING btree (case_id);
CREATE INDEX intents_unfinished ON public.intents USING btree (available_at) WHERE (finished_at IS NULL);

create table ledger_entries (
    "idempotency_key" text not null,
    "case_id" uuid not null,
    "order_id" text not null,
    "amount_minor" bigint not null,
    "currency" text not null,
    "method" text not null,
    "reference" text not null,
    "recorded_at" timestamp with time zone not null default now(),
    constraint ledger_entries_amount_minor_check CHECK ((amount_minor > 0)),
    constraint ledger_entries_pkey PRIMARY KEY (idempotency_key)
);
CREATE INDEX ledger_entries_by_order ON public.ledger_entries USING btree (order_id);

create table notification_endpoints (
    "name" text not null,
    "failing_since" timestamp with time zone,
    "problem" text,
    "disabled_at" timestamp with time zone,
    "disabled_because" text,
    constraint notification_endpoints_pkey PRIMARY KEY (name)
);

create table notifications (
    "notification_id" bigint not null generated always as identity,
    "message_id" uuid not null,
    "endpoint" text not null,
    "kind" text not null,
    "approval_id" uuid not null,
    "case_id" uuid not null,
    "state" text not null,
    "attempts" integer not null default 0,
    "problem" text,
    "body" jsonb,
    "created_at" timestamp with time zone not null default now(),
    "available_at" timestamp with time zone not null default now(),
    "finished_at" timestamp with time zone,
    constraint notifications_pkey PRIMARY KEY (notification_id)
);
CREATE INDEX notifications_due ON public.notifications USING btree (endpoint, available_at) WHERE (finished_at IS NULL);
CREATE INDEX notifications_failed ON public.notifications USING btree (endpoint) WHERE (state = 'failed'::text);
CREATE INDEX notifications_untried ON public.notifications USING btree (case_id) WHERE ((finished_at IS NULL) AND (attempts = 0));

create table order_balances (
    "order_id" text not null,
    "currency" text not null,
    "captured_minor" bigint not null,
    "refunded_minor" bigint not null,
    constraint never_more_than_captured CHECK (((refunded_minor >= 0) AND (refunded_minor <= captured_minor))),
    constraint order_balances_pkey PRIMARY KEY (order_id)
);

create table orders (
    "order_id" text not null,
    "body" jsonb not null,
    constraint orders_pkey PRIMARY KEY (order_id)
);

create table outbox (
    "outbox_id" bigint not null generated always as identity,
    "event_id" uuid not null,
    "ordering" text not null,
    "topic" text not null,
    "key" text not null,
    "headers" jsonb not null,
    "payload" text not null,
    "created_at" timestamp with time zone not null default now(),
    "published_at" timestamp with time zone,
    constraint outbox_pkey PRIMARY KEY (outbox_id)
);
CREATE INDEX outbox_unsent ON public.outbox USING btree (outbox_id) WHERE (published_at IS NULL);
CREATE INDEX outbox_unsent_ordering ON public.outbox USING btree (ordering) WHERE (published_at IS NULL);

create table reviewers (
    "key" text not null,
    "delegate" text,
    "body" jsonb not null,
    "changed_at" timestamp with time zone not null default now(),
    constraint reviewers_pkey PRIMARY KEY (key)
);
CREATE INDEX reviewers_by_delegate ON public.reviewers USING btree (delegate) WHERE (delegate IS NOT NULL);

create table signoff_migrations (
    "number" integer not null,
    "name" text not null,
    "applied_at" timestamp with time zone not null default now(),
    constraint signoff_migrations_pkey PRIMARY KEY (number)
);

create table watches (
    "key" text not null,
    "version" bigint not null,
    constraint watches_pkey PRIMARY KEY (key)
);
