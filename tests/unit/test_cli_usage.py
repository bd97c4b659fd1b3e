"""Wrong usage is told with exit code 2, a service that is away with 1, and nothing with a traceback."""

import json

import pytest

from tests.commands import signoff
from worker.settings import Settings

NOBODY = Settings(kafka_bootstrap_servers="127.0.0.1:1", database_url="postgresql://maria:geheim@127.0.0.1:1/shop")
DECISION = {"exception_id": "EXC-1", "verdict": "approve", "reviewer": {"id": "user:maria", "roles": ["manager"]}}
WHO = ["--reviewer", "user:maria", "--role", "manager"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["decide"], "give ID and VERDICT, or --batch FILE"),
        (["decide", "EXC-1"], "give ID and VERDICT, or --batch FILE"),
        (["decide", "EXC-1", "approve"], "say who decides, such as user:maria"),
        (["decide", "EXC-1", "maybe", *WHO], "'maybe' is not one of"),
        (["decide", "EXC-1", "approve", "--reviewer", " ", "--role", "manager"], "must not be empty"),
        (["decide", "EXC-1", "modify", *WHO], "--message, --approved-action or --edit-action"),
        (["decide", "EXC-1", "approve", "--amount", "1.00", *WHO], "--amount go with modify, not with approve"),
        (["decide", "EXC-1", "approve", "--message", "yes", *WHO], "--message go with modify, not with approve"),
        (["decide", "EXC-1", "reject", "--message", "no", "--amount", "1", *WHO], "with reject goes --message only"),
        (["decide", "EXC-1", "approve", "--escalate-to", "vp", *WHO], "--escalate-to goes with escalate"),
        (["decide", "EXC-1", "escalate", "--escalate-to", " ", *WHO], "must not be empty"),
        (["decide", "EXC-1", "modify", "--approved-action", "-1", *WHO], "--approved-action"),
        (["decide", "EXC-1", "approve", "--edit-action", "0={}", *WHO], "--edit-action go with modify"),
        (["decide", "EXC-1", "modify", "--edit-action", "first={}", *WHO], "'first={}' is no edit; write NUMBER="),
        (["decide", "EXC-1", "modify", "--edit-action", "0=[]", *WHO], "action 0: the arguments must be a JSON object"),
        (["decide", "EXC-1", "--batch", "-"], "an ID or VERDICT does not go with --batch"),
        (["decide", "--batch", "-", "--reviewer", "user:maria"], "--reviewer does not go with --batch"),
        (["decide", "--batch", "-", "--decision-id", "D-1"], "--decision-id does not go with --batch"),
        (["decide", "EXC-1", "choose", *WHO], "choose and --choice go together"),
        (["decide", "EXC-1", "reject", "--choice", "1", *WHO], "choose and --choice go together"),
        (["decide", "EXC-1", "request_changes", *WHO], "request_changes needs --comment"),
        (["decide", "EXC-1", "approve", "--timeout", "0", *WHO], "--timeout"),
        (["approvals", "claim", "EXC-1", "--role", "manager"], "Missing option '--reviewer'"),
        (["approvals", "release", *WHO], "Missing argument"),
        (["approvals", "claim", "EXC-1", "--to", "user:otto", *WHO], "No such option: --to"),
        (["approvals", "delegate", "EXC-1", *WHO], "Missing option '--to'"),
        (["approvals", "reassign", "EXC-1", "--to", " ", *WHO], "must not be empty"),
        (["approvals", "list", "--limit", "0"], "--limit"),
        (["cases", "list", "--state", "asleep"], "'asleep' is not one of"),
        (["cases", "list", "--limit", "0"], "--limit"),
        (["cases", "show"], "Missing argument"),
        (["dead-letters", "replay"], "give the ids of dead letters, or --all"),
        (["dead-letters", "replay", "1", "--all"], "give the ids of dead letters, or --all"),
        (["dead-letters", "replay", "1", "--reason", "EMPTY"], "goes with --all"),
        (["dead-letters", "show", "one"], "should be a valid integer"),
        (["dead-letters", "show", "9223372036854775808"], "less than or equal to 9223372036854775807"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], said: str) -> None:
    ran = signoff(*arguments, COLUMNS="200", TERMINAL_WIDTH="200")
    assert ran.code == 2
    assert said in " ".join(ran.err.replace("│", " ").split())
    assert ran.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["cases", "list"],
        ["cases", "show", "EXC-1"],
        ["decide", "EXC-1", "approve", *WHO],
        ["approvals", "list"],
        ["approvals", "claim", "EXC-1", *WHO],
        ["dead-letters", "list"],
        ["dead-letters", "show", "1"],
        ["audit", "verify"],
        ["audit", "show", "EXC-1"],
        ["migrate"],
    ],
)
def test_a_database_that_is_away_is_named_without_its_password(arguments: list[str]) -> None:
    ran = signoff(*arguments, settings=NOBODY)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("signoff: PostgreSQL at 127.0.0.1:1/shop cannot be used (")
    assert "check SIGNOFF_DATABASE_URL" in ran.err
    assert "geheim" not in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [(["dead-letters", "replay", "1"], None), (["decide", "--batch", "-"], json.dumps(DECISION).encode())],
    ids=["replay", "batch"],
)
def test_a_broker_that_is_away_is_named(arguments: list[str], stdin: bytes | None) -> None:
    ran = signoff(*arguments, settings=NOBODY, stdin=stdin)
    assert ran.code == 1
    assert ran.err == (
        "signoff: Kafka at 127.0.0.1:1 cannot be reached; check SIGNOFF_KAFKA_BOOTSTRAP_SERVERS and that the broker "
        "runs\n"
    )


@pytest.mark.parametrize("url", ["postgresql://maria:geheim@[::1/shop", "geheim", "postgresql://maria:ge@heim@h/shop"])
def test_a_password_is_not_repeated_even_from_an_address_that_cannot_be_read(url: str) -> None:
    ran = signoff("cases", "list", SIGNOFF_DATABASE_URL=url)
    assert ran.code == 1
    assert ran.err.startswith("signoff: ")
    for secret in ("geheim", "heim@", "maria:"):
        assert secret not in ran.err


def test_the_doctor_tells_everything_that_is_away_and_how_to_mend_it() -> None:
    ran = signoff("doctor", settings=NOBODY)
    assert ran.code == 1
    assert "ok      policy: " in ran.out
    assert "problem kafka: Kafka at 127.0.0.1:1 cannot be reached" in ran.out
    assert "problem database: PostgreSQL at 127.0.0.1:1/shop cannot be used" in ran.out
    assert "geheim" not in ran.out


def test_the_doctor_names_each_bad_setting() -> None:
    ran = signoff("doctor", "--json", SIGNOFF_BATCH="many", SIGNOFF_LOG_LEVEL="loud")
    assert ran.code == 1
    assert ran.json["ok"] is False
    said = [check["says"] for check in ran.json["checks"]]
    assert [line.partition(":")[0] for line in said] == ["SIGNOFF_BATCH", "SIGNOFF_LOG_LEVEL"]


def test_an_unknown_setting_stops_a_command() -> None:
    ran = signoff("cases", "list", SIGNOFF_BATHC="1")
    assert ran.code == 1
    assert ran.err == "signoff: SIGNOFF_BATHC: no such setting; see docs/settings.md\n"
