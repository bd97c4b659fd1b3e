"""docs/upgrades.md can be followed as it stands, and says what is there."""

import re
import shlex
from datetime import timedelta

import pytest

from tests.commands import signoff
from tests.upgrades.keep import NotKept, keep
from tests.upgrades.kept import releases
from tests.upgrades.premises import ROOT
from tests.upgrades.snapshot import load_database
from worker.settings import PREFIX, Settings

PAGE = (ROOT / "docs" / "upgrades.md").read_text(encoding="utf-8")

COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


def words_of(command: str) -> list[str]:
    return shlex.split(command, comments=True)


def test_the_way_forward_is_walked_on_what_a_release_left(settings: Settings, database: str) -> None:
    """Migrated, with nothing missing; the doctor goes on to name the case that the release left stuck."""
    load_database(releases()[0].folder, database, later_by=timedelta(0))
    program, *migrate = words_of(COMMANDS[0])
    assert (program, signoff(*migrate, settings=settings).code) == ("signoff", 0)
    examined = signoff(*words_of(COMMANDS[1])[1:], "--json", settings=settings).json
    checks = {check["check"]: check for check in examined["checks"]}
    assert all(checks[name]["ok"] for name in ("kafka", "topics", "database", "migrations", "langgraph tables"))
    assert "E-stuck" in checks["stuck cases"]["says"]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("signoff")])
def test_every_command_of_the_page_is_one(command: str) -> None:
    """With all its options: a word that is none ends with a usage error before anything is asked for."""
    options = [word for word in words_of(command) if word.startswith("--")]
    named = [word for word in words_of(command)[1:] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("--")]
    ran = signoff(*named[:2], "--help", COLUMNS="200")
    assert ran.code == 0, ran.err
    assert [option for option in options if option not in ran.out] == []


def test_every_setting_of_the_page_is_one() -> None:
    named = set(re.findall(rf"`{PREFIX}([A-Z_]+)`", PAGE))
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_test_that_the_page_calls_as_a_witness_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    files = (ROOT / "tests" / "upgrades").glob("test_*.py")
    there = {name for file in files for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))}
    assert named
    assert named - there == set()


def test_a_release_is_kept_under_its_own_version_and_once() -> None:
    command = next(command for command in COMMANDS if "tests.upgrades.keep" in command)
    assert words_of(command)[:3] == ["python", "-m", "tests.upgrades.keep"]
    with pytest.raises(NotKept, match=r"says version .*, not 99\.0\.0"):
        keep("99.0.0", ROOT)
    with pytest.raises(NotKept, match="a release is kept once"):
        keep(releases()[0].manifest.version, ROOT)
