"""`signoff doctor`: what is in order is said to be, what is not comes with how to mend it."""

from typing import Any

import psycopg
import pytest

from tests.commands import signoff, signoff_beside
from tests.stack.services import Services
from worker.settings import Settings


async def checks(settings: Settings) -> dict[str, Any]:
    ran = await signoff_beside(settings, "doctor", "--json")
    document = ran.json
    assert ran.code == (0 if document["ok"] else 1)
    return {check["check"]: check for check in document["checks"]}


async def test_with_a_worker_everything_is_in_order(running_worker: Settings) -> None:
    ran = await signoff_beside(running_worker, "doctor")
    assert ran.code == 0, ran.out
    assert "problem" not in ran.out
    for check in ("settings", "policy", "kafka", "topics", "database", "migrations", "langgraph tables", "stuck cases"):
        assert f"ok      {check}: " in ran.out


def test_an_empty_database_and_broker_need_a_migration(stack: Services, database: str, topic_prefix: str) -> None:
    settings = Settings(kafka_bootstrap_servers=stack.kafka, database_url=database, topic_prefix=topic_prefix)
    ran = signoff("doctor", settings=settings)
    assert ran.code == 1
    assert f"problem topics: missing: {topic_prefix}order-exceptions, " in ran.out
    assert "problem migrations: missing: 0001_initial.sql" in ran.out
    assert "problem langgraph tables: missing: checkpoint_migrations, checkpoints, " in ran.out
    assert ran.out.count("→ run `signoff migrate`") == 3


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        (
            "stuck cases",
            "insert into cases (case_id, exception_id, kind, state, version, opened_at, body) "
            "values (gen_random_uuid(), 'EXC-1', 'refund', 'stuck', 1, now(), '{}')",
        ),
        (
            "deadlines",
            "insert into approvals (approval_id, case_id, exception_id, case_version, due_at, available_at, body) "
            "values (gen_random_uuid(), gen_random_uuid(), 'EXC-1', 1, now() - interval '5 min', "
            "now() + interval '30 s', '{}')",
        ),
        (
            "payments",
            "insert into intents (idempotency_key, case_id, state, body, available_at) "
            "values ('k', gen_random_uuid(), 'unknown', '{}', now() + interval '1 min')",
        ),
        (
            "unpaid approvals",
            "insert into intents (idempotency_key, case_id, state, body, available_at) "
            "values ('k', gen_random_uuid(), 'pending', '{}', now() - interval '5 min')",
        ),
        (
            "inbox",
            'insert into inbox (topic, partition, "offset", type, correlation, payload, available_at) '
            "values ('order-exceptions', 0, 0, 't', 'EXC-1', '{}', now() - interval '5 min')",
        ),
        (
            "retries",
            'insert into inbox (topic, partition, "offset", type, correlation, payload, problem, available_at) '
            "values ('order-exceptions', 0, 0, 't', 'EXC-1', '{}', 'shop is away', now() + interval '5 min')",
        ),
        (
            "outbox",
            "insert into outbox (event_id, ordering, topic, key, headers, payload, created_at) "
            "values (gen_random_uuid(), 'o', 'approvals', 'k', '{}', '{}', now() - interval '5 min')",
        ),
        ("langgraph tables", "drop table checkpoint_writes"),
        ("migrations", "delete from signoff_migrations"),
    ],
)
async def test_each_damage_is_found_alone_and_says_how_to_mend_it(migrated: Settings, check: str, damage: str) -> None:
    assert all(one["ok"] for one in (await checks(migrated)).values())
    async with await psycopg.AsyncConnection.connect(migrated.database_url, autocommit=True) as connection:
        await connection.execute(damage.encode())
    found = await checks(migrated)
    assert [name for name, one in found.items() if not one["ok"]] == [check]
    assert found[check]["mend"]


async def test_what_is_merely_under_way_is_no_problem(migrated: Settings) -> None:
    async with await psycopg.AsyncConnection.connect(migrated.database_url, autocommit=True) as connection:
        await connection.execute(
            "insert into outbox (event_id, ordering, topic, key, headers, payload) "
            "values (gen_random_uuid(), 'o', 'approvals', 'k', '{}', '{}')"
        )
    assert all(one["ok"] for one in (await checks(migrated)).values())
