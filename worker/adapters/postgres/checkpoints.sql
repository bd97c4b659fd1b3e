-- The tables are those of langgraph-checkpoint-postgres 3.2.0; its own saver reads what is written here.

-- The latest checkpoint is the one of the highest step. Its id would not do: it holds the time at which its writer
-- believed to be, and clocks are set back.
-- name: latest_of_many
select
    latest.thread_id,
    latest.checkpoint,
    latest.checkpoint_ns,
    latest.checkpoint_id,
    latest.parent_checkpoint_id,
    latest.metadata,
    (
        select array_agg(array[blob.channel::bytea, blob.type::bytea, blob.blob])
        from jsonb_each_text(latest.checkpoint -> 'channel_versions') as channel
        join checkpoint_blobs as blob
            on blob.thread_id = latest.thread_id
            and blob.checkpoint_ns = latest.checkpoint_ns
            and blob.channel = channel.key
            and blob.version = channel.value
    ) as channel_values,
    (
        select array_agg(array[
            pending.task_id::bytea, pending.channel::bytea, pending.type::bytea, pending.blob,
            convert_to(pending.task_path, 'UTF8'), pending.idx::text::bytea
        ])
        from checkpoint_writes as pending
        where pending.thread_id = latest.thread_id
            and pending.checkpoint_ns = latest.checkpoint_ns
            and pending.checkpoint_id = latest.checkpoint_id
    ) as pending_writes
from unnest(%(thread_ids)s::text[]) as wanted (thread_id)
cross join lateral (
    select *
    from checkpoints
    where checkpoints.thread_id = wanted.thread_id and checkpoints.checkpoint_ns = ''
    order by (checkpoints.metadata ->> 'step')::int desc nulls last, checkpoints.checkpoint_id desc
    limit 1
) as latest

-- name: store_blobs
insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[])
on conflict do nothing

-- name: store_checkpoints
insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::jsonb[], %b::jsonb[])
on conflict (thread_id, checkpoint_ns, checkpoint_id)
do update set checkpoint = excluded.checkpoint, metadata = excluded.metadata

-- name: store_pending
insert into checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
select * from unnest(
    %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::int[], %b::text[], %b::text[], %b::bytea[]
)
on conflict (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
do update set channel = excluded.channel, type = excluded.type, blob = excluded.blob

-- name: delete_checkpoints
delete from checkpoints where thread_id = any(%s)

-- name: delete_blobs
delete from checkpoint_blobs where thread_id = any(%s)

-- name: delete_pending
delete from checkpoint_writes where thread_id = any(%s)
