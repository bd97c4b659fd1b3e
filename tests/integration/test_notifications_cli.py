"""`signoff notifications`, and what the doctor says of endpoints and of their file."""

from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.commands import signoff, signoff_beside
from tests.notices import a_notice
from worker.settings import Settings

CASE = UUID(int=0xC1)


async def insert(settings: Settings, endpoint: str, state: str, problem: str | None = None) -> None:
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as connection:
        await connection.execute(
            "insert into notifications (message_id, endpoint, kind, approval_id, case_id, state, attempts, problem, "
            "body, finished_at) values (%s, %s, 'needed', %s, %s, %s, 1, %s, %s, %s)",
            (
                uuid4(),
                endpoint,
                uuid4(),
                CASE,
                state,
                problem,
                a_notice().model_dump_json(),
                None if state == "pending" else "now",
            ),
        )


async def disable(settings: Settings, endpoint: str) -> None:
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as connection:
        await connection.execute(
            "insert into notification_endpoints (name, failing_since, problem, disabled_at, disabled_because) "
            "values (%s, '2026-01-05 08:00Z', 'answered 410', '2026-01-05 09:00Z', 'answered 410')",
            [endpoint],
        )


async def test_the_doctor_names_a_disabled_endpoint_since_when_and_why(migrated: Settings) -> None:
    await disable(migrated, "managers")
    ran = await signoff_beside(migrated, "doctor")
    assert ran.code == 1
    assert "problem notification endpoints: 1 are disabled" in ran.out
    assert "managers since 2026-01-05 09:00Z (answered 410)" in ran.out
    assert "→ mend each, then `signoff notifications enable NAME`" in ran.out


async def test_the_doctor_counts_what_was_given_up(migrated: Settings) -> None:
    await insert(migrated, "finance", "failed", "answered 500")
    ran = await signoff_beside(migrated, "doctor")
    assert "problem notifications: 1 were given up, one for finance among them" in ran.out


async def test_the_doctor_sees_what_nobody_sends(migrated: Settings) -> None:
    """No worker runs, or none whose file names that endpoint."""
    await insert(migrated, "former", "pending")
    assert "ok      waiting notifications" in (await signoff_beside(migrated, "doctor")).out
    async with await psycopg.AsyncConnection.connect(migrated.database_url, autocommit=True) as connection:
        await connection.execute("update notifications set available_at = now() - interval '5 min'")
    ran = await signoff_beside(migrated, "doctor")
    assert "problem waiting notifications: 1 wait longer than a minute to be sent, one for former among them" in ran.out
    await disable(migrated, "former")
    assert "ok      waiting notifications" in (await signoff_beside(migrated, "doctor")).out


async def test_what_is_held_goes_out_once_its_endpoint_is_enabled(migrated: Settings) -> None:
    await disable(migrated, "managers")
    await insert(migrated, "managers", "pending", "answered 410")
    await insert(migrated, "finance", "pending")
    listed = (await signoff_beside(migrated, "notifications", "list", "--json")).json
    assert [(one["endpoint"], one["state"]) for one in listed["notifications"]] == [
        ("finance", "pending"),
        ("managers", "held"),
    ]
    [troubled] = listed["endpoints"]
    assert (troubled["name"], troubled["disabled_at"]) == ("managers", "2026-01-05T09:00:00Z")

    ran = await signoff_beside(migrated, "notifications", "enable", "managers")
    assert ran.out == "managers is enabled; 1 notification held for it goes out now\n"
    listed = (await signoff_beside(migrated, "notifications", "list", "--json", "--state", "pending")).json
    assert {(one["endpoint"], one["attempts"]) for one in listed["notifications"]} == {("finance", 1), ("managers", 0)}
    assert listed["endpoints"] == []


async def test_only_a_disabled_endpoint_can_be_enabled(migrated: Settings) -> None:
    ran = await signoff_beside(migrated, "notifications", "enable", "nobody")
    assert ran.code == 1
    assert "nobody: no such endpoint is disabled; `signoff notifications list` names those that are" in ran.err


async def test_what_was_given_up_is_tried_anew(migrated: Settings) -> None:
    for endpoint in ("managers", "managers", "finance"):
        await insert(migrated, endpoint, "failed", "answered 500")
    ran = await signoff_beside(migrated, "notifications", "retry", "--endpoint", "managers")
    assert ran.out == "2 notifications tried anew\n"
    assert (await signoff_beside(migrated, "notifications", "retry", "--json")).json == {"retried": 1}
    listed = (await signoff_beside(migrated, "notifications", "list", "--json")).json["notifications"]
    assert {one["state"] for one in listed} == {"pending"}


@pytest.mark.parametrize(("state", "command"), [("pending", ("enable", "managers")), ("failed", ("retry",))])
async def test_what_goes_out_together_has_an_instant_each_in_its_order(
    migrated: Settings, state: str, command: tuple[str, ...]
) -> None:
    """Or each look for the first few would sort all that wait."""
    await disable(migrated, "managers")
    for _ in range(3):
        await insert(migrated, "managers", state)
    await signoff_beside(migrated, "notifications", *command)
    async with await psycopg.AsyncConnection.connect(migrated.database_url) as connection:
        cursor = await connection.execute("select available_at from notifications order by notification_id")
        instants = [instant for (instant,) in await cursor.fetchall()]
    assert instants == sorted(set(instants))


async def test_the_list_is_a_table_for_people(migrated: Settings) -> None:
    await disable(migrated, "managers")
    await insert(migrated, "managers", "failed", "hooks.slack.example answered 404 no_service")
    ran = await signoff_beside(migrated, "notifications", "list", "--endpoint", "managers")
    assert "hooks.slack.example answered 404 no_service" in ran.out
    assert str(CASE) in ran.out
    assert "managers is disabled since 2026-01-05 09:00:00Z: answered 410" in ran.err
    assert "no notifications" in (await signoff_beside(migrated, "notifications", "list", "--endpoint", "x")).err


def test_a_state_that_does_not_exist_is_wrong_usage() -> None:
    ran = signoff("notifications", "list", "--state", "lost")
    assert ran.code == 2
    assert "overtaken" in ran.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("endpoints: {desk: {use: fax}}\nroutes: [{to: [desk]}]", "problem notifications file: "),
        (
            "endpoints: {desk: {use: slack, url: https://hooks.example/x}}\nroutes: [{to: [desk]}]",
            "ok      notifications file: ",
        ),
    ],
)
def test_the_doctor_reads_the_file(migrated: Settings, tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "notifications.yaml"
    file.write_text(text)
    ran = signoff("doctor", settings=migrated, SIGNOFF_NOTIFICATIONS_FILE=str(file))
    assert says in ran.out
