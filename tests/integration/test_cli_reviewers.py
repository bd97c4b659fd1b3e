"""`signoff reviewers`: a register is checked, compared, loaded and looked at."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.commands import Ran, signoff, signoff_beside
from tests.integration.conftest import worker_running
from tests.records import raise_exceptions, refund
from worker.adapters.postgres.migrator import migrate
from worker.settings import Settings

YESTERDAY, TOMORROW = ((datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (-1, 1))

HOLIDAYS = f"""
reviewers:
  - id: user:maria
    roles: [manager]
    ceiling: 800.00 USD
    away: {{from: {YESTERDAY}, until: {TOMORROW}, delegate: user:jonas}}
  - id: user:jonas
    roles: [director]
    away: {{from: {YESTERDAY}, until: {TOMORROW}, delegate: user:lena}}
  - id: user:lena
    valid_from: 2026-01-01
"""


@pytest.fixture
def shop(database: str) -> Settings:
    asyncio.run(migrate(database))
    return Settings(database_url=database)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "people.yaml"
    file.write_text(HOLIDAYS)
    return file


def reviewers(settings: Settings, *arguments: str | Path) -> Ran:
    return signoff("reviewers", *map(str, arguments), settings=settings)


def test_a_register_is_loaded_and_listed(shop: Settings, file: Path) -> None:
    loaded = reviewers(shop, "load", file)
    assert (loaded.code, loaded.err) == (0, "")
    assert "added   user:maria: roles manager; ceiling 800.00 USD; away from" in loaded.out
    assert loaded.out.endswith("3 reviewers: 3 were added, 0 changed, 0 removed\n")
    listed = reviewers(shop, "list", "--json")
    assert [person["id"] for person in listed.json] == ["user:jonas", "user:lena", "user:maria"]
    assert listed.json[2]["ceiling"] == {"amount_minor": 80_000, "currency": "USD"}
    table = reviewers(shop, "list").out
    assert "800.00 USD" in table
    assert "any amount" in table


def test_a_dry_run_says_what_would_change_and_changes_nothing(shop: Settings, file: Path) -> None:
    assert reviewers(shop, "load", file, "--dry-run").out.endswith("3 would be added, 0 changed, 0 removed\n")
    assert reviewers(shop, "list", "--json").json == []
    assert "the register is empty" in reviewers(shop, "list").err


def test_the_register_becomes_what_the_file_says(shop: Settings, file: Path) -> None:
    assert reviewers(shop, "load", file).code == 0
    file.write_text("reviewers:\n  - {id: User:Maria, roles: [manager], ceiling: 900.00 USD}\n  - {id: user:otto}\n")
    changed = reviewers(shop, "load", file)
    assert "added   user:otto" in changed.out
    assert "changed User:Maria: ceiling 800.00 USD → 900.00 USD; away from" in changed.out
    assert "delegate user:jonas → none" in changed.out
    assert "removed user:jonas" in changed.out
    assert changed.out.endswith("2 reviewers: 1 were added, 1 changed, 2 removed\n")
    again = reviewers(shop, "load", file, "--json")
    assert again.json == {"dry_run": False, "reviewers": 2, "added": [], "changed": [], "removed": []}
    assert [person["id"] for person in reviewers(shop, "list", "--json").json] == ["User:Maria", "user:otto"]


def test_a_file_with_mistakes_leaves_the_register_as_it_was(shop: Settings, file: Path) -> None:
    assert reviewers(shop, "load", file).code == 0
    file.write_text("reviewers:\n  - id: user:otto\n    ceiling: 10 QQQ\n    rolls: [manager]\n")
    refused = reviewers(shop, "load", file)
    assert (refused.code, refused.out) == (1, "")
    assert f"{file}:3: the ceiling of user:otto is in QQQ, for which the policy default has no rate" in refused.err
    assert f"{file}:4: reviewer user:otto has an unknown key `rolls`" in refused.err
    assert len(reviewers(shop, "list", "--json").json) == 3


def test_a_reviewer_is_shown_with_whom_they_decide_for_now(shop: Settings, file: Path) -> None:
    assert reviewers(shop, "load", file).code == 0
    lena = reviewers(shop, "show", "user:lena")
    assert "user:jonas (director, any amount)" in lena.out
    assert "user:maria (manager, 800.00 USD), through user:jonas" in lena.out
    document = reviewers(shop, "show", "user:lena", "--json").json
    assert [(other["id"], other["through"]) for other in document["decides_for"]] == [
        ("user:jonas", []),
        ("user:maria", ["user:jonas"]),
    ]
    assert (document["valid_now"], document["away_now"], document["decided_for_by"]) == (True, False, [])


def test_a_reviewer_who_is_away_is_shown_with_who_decides_for_them(shop: Settings, file: Path) -> None:
    assert reviewers(shop, "load", file).code == 0
    maria = reviewers(shop, "show", " USER:MARIA", "--json").json
    assert (maria["away_now"], maria["decided_for_by"]) == (True, ["user:jonas", "user:lena"])
    page = reviewers(shop, "show", "user:maria").out
    assert "user:jonas" in page
    assert "user:lena" in page


def test_after_a_holiday_nobody_decides_for_them_any_more(shop: Settings, file: Path) -> None:
    file.write_text(HOLIDAYS.replace(TOMORROW, datetime.now(UTC).date().isoformat()))
    assert reviewers(shop, "load", file).code == 0
    maria = reviewers(shop, "show", "user:maria", "--json").json
    assert (maria["away_now"], maria["decided_for_by"]) == (False, [])
    assert reviewers(shop, "show", "user:lena", "--json").json["decides_for"] == []


def test_a_reviewer_that_nobody_knows_is_named(shop: Settings) -> None:
    ran = reviewers(shop, "show", "user:nobody")
    assert (ran.code, ran.err) == (
        1,
        "signoff: user:nobody: no such reviewer in the register; `signoff reviewers list` shows who is\n",
    )


def test_a_file_is_checked_without_a_database(file: Path) -> None:
    away = Settings(database_url="postgresql://127.0.0.1:1/nowhere")
    good = reviewers(away, "check", file)
    assert (good.code, good.out) == (0, f"{file}: in order, 3 reviewers\n")
    file.write_text("reviewers:\n  - {id: user:maria, roles: [stargazer]}\n")
    idle = reviewers(away, "check", file)
    assert (idle.code, idle.out) == (0, f"{file}: in order, 1 reviewer\n")
    assert f"warning: {file}:2: no level of the policy default asks for the role `stargazer` of user:maria" in idle.err
    assert [warning["line"] for warning in reviewers(away, "check", file, "--json").json["warnings"]] == [2]
    file.write_text("reviewers:\n  - {id: user:maria}\n  - {id: User:Maria}\n")
    bad = reviewers(away, "check", file)
    assert (bad.code, bad.err) == (
        1,
        f"signoff: {file}:3: reviewer User:Maria is user:maria of line 2 again; "
        "keep one of them; ids are compared without upper and lower case\n",
    )
    assert [problem["line"] for problem in reviewers(away, "check", file, "--json").json["problems"]] == [3]


def test_a_file_is_checked_against_the_policy_that_is_named(file: Path, tmp_path: Path) -> None:
    nowhere = reviewers(Settings(), "check", file, "--policy", tmp_path / "policy.yaml")
    assert (nowhere.code, nowhere.out) == (1, "")
    assert f"{tmp_path}/policy.yaml: cannot be read" in nowhere.err


async def test_the_worker_believes_the_register_and_no_roles_that_are_sent(migrated: Settings, file: Path) -> None:
    """Otto says that he is a manager. Lena says nothing, and decides for Jonas, who decides for Maria."""
    settings = migrated.model_copy(update={"reviewers": "register"})
    assert (await signoff_beside(settings, "reviewers", "load", str(file))).code == 0
    async with worker_running(settings):
        await raise_exceptions(settings, refund("EXC-1"))
        decide = ("decide", "EXC-1", "approve", "--json", "--reviewer")
        otto = await signoff_beside(settings, *decide, "user:otto", "--role", "manager")
        lena = await signoff_beside(settings, *decide, "user:lena", "--role", "none")
        case = (await signoff_beside(settings, "cases", "show", "EXC-1", "--json")).json
    assert (otto.json["code"], lena.json["code"]) == ("NOT_AUTHORISED", "ACCEPTED")
    (signature,) = case["case"]["signatures"]
    assert signature["on_behalf_of"] == ["user:jonas", "user:maria"]
