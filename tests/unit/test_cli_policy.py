"""`signoff policy` needs neither a broker nor a database."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Ran, signoff
from tests.records import refund
from tests.unit.policy_files import a_file, a_level, a_rule

EVENT = refund("EXC-1")


def default_policy() -> str:
    return (resources.files("worker.adapters.policy") / "default_policy.yaml").read_text()


def explained(tmp_path: Path, event: Any, *arguments: str) -> Ran:
    file = tmp_path / "event.json"
    file.write_bytes(event if isinstance(event, bytes) else json.dumps(event).encode())
    return signoff("policy", "explain", str(file), *arguments)


def test_a_good_policy_is_named_with_its_version(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(default_policy())
    ran = signoff("policy", "check", str(file), "--json")
    assert ran.code == 0
    assert ran.json["ok"] is True
    assert "refund-over-100" in ran.json["rules"]
    assert f"{file}: in order" in signoff("policy", "check", str(file)).out


def test_a_bad_policy_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(default_policy().replace("level: ", "levle: ", 1))
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "levle" in text)
    ran = signoff("policy", "check", str(file))
    assert (ran.code, ran.out) == (1, "")
    assert f"{file}:{line}: " in ran.err
    document = signoff("policy", "check", str(file), "--json")
    assert document.code == 1
    assert line in [problem["line"] for problem in document.json["problems"]]


def test_a_policy_that_is_not_there_is_named() -> None:
    ran = signoff("policy", "check", "nowhere.yaml")
    assert ran.code == 1
    assert "nowhere.yaml: cannot be read: No such file or directory" in ran.err


def test_the_rules_that_fire_are_explained_in_words(tmp_path: Path) -> None:
    ran = explained(tmp_path, EVENT, "--json")
    assert ran.code == 0
    assert (ran.json["automatic"], ran.json["level"]) == (False, "manager")
    fired = {rule["id"]: rule["says"] for rule in ran.json["rules"] if rule["fired"]}
    assert fired == {"refund-over-100": "refund of 150.00 USD is over 100.00 USD"}
    table = explained(tmp_path, EVENT)
    assert "It waits for 1 decision by the role manager" in table.out
    assert "refund of 150.00 USD is over 100.00 USD" in table.out
    assert "the worker would add them up" in table.err


def test_the_whole_chain_is_explained_with_what_happens_to_each_question(tmp_path: Path) -> None:
    event = refund(
        "EXC-1",
        amount={"amount_minor": 150_000, "currency": "USD"},
        order={"captured": {"amount_minor": 150_000, "currency": "USD"}, "status": "delivered"},
    )
    document = explained(tmp_path, event, "--json").json
    assert [(level["name"], level["role"], level["quorum"]) for level in document["levels"]] == [
        ("manager", "manager", 1),
        ("director", "director", 1),
    ]
    assert document["levels"][0]["waits"] == "after 12h a reminder, after 1d without one director is asked instead"
    table = explained(tmp_path, event)
    assert "manager → director" in table.out
    assert "Then it waits for 1 decision by the role director" in table.out
    assert "manager if nobody else" in table.out


def test_halves_and_quorums_are_named_in_the_chain(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    rule = "level: manager", "confirm: details-then-method"
    file.write_text(a_file(a_level("manager", "quorum: 2"), rules=(a_rule(*rule),)))
    ran = explained(tmp_path, EVENT, "--policy", str(file))
    assert "manager, details (2 people) → manager, method (2 people)" in ran.out
    assert "2 decisions of different people by the role manager on the method of payment" in ran.out
    assert ran.err == ""


def test_working_time_and_hand_overs_are_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    steps = "calendar: office", "deadlines: [{at: 75%, do: hand_over, to: duty}]"
    office = "calendars: {office: {timezone: UTC, days: [mon], hours: 09:00-17:00}}"
    file.write_text(a_file(a_level("manager", *steps), top=(office,)))
    ran = explained(tmp_path, EVENT, "--policy", str(file))
    assert "after 18h of working time the role duty is asked instead, " in ran.out
    assert "after 24h of working time without one it is rejected." in ran.out


def test_a_small_refund_goes_on_by_itself(tmp_path: Path) -> None:
    event = refund("EXC-1", amount={"amount_minor": 100, "currency": "USD"})
    assert explained(tmp_path, event, "--json").json["automatic"] is True


def test_an_event_may_come_from_standard_input_as_a_structured_cloudevent() -> None:
    envelope = {
        "specversion": "1.0",
        "id": "1",
        "source": "/shop",
        "type": "signoff.exception.raised.v1",
        "data": EVENT,
    }
    ran = signoff("policy", "explain", "-", "--json", stdin=json.dumps(envelope).encode())
    assert ran.code == 0, ran.err
    assert ran.json["level"] == "manager"


def test_an_order_that_the_event_does_not_describe_counts_as_unknown(tmp_path: Path) -> None:
    event = refund("EXC-1", amount={"amount_minor": 100, "currency": "USD"})
    del event["order"]
    ran = explained(tmp_path, event, "--json")
    assert "order-unknown" in [rule["id"] for rule in ran.json["rules"] if rule["fired"]]
    assert "the worker would ask the shop" in ran.err


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b"", "EMPTY"),
        (b"{", "INVALID_JSON"),
        (b"\xff", "INVALID_UTF8"),
        (b"[" * 1000, "TOO_DEEP"),
        (b"[]", "SCHEMA_INVALID"),
        ({"specversion": "1.0", "data": {}}, "INVALID_CLOUDEVENT"),
        ({**EVENT, "amount": {"amount_minor": -1, "currency": "USD"}}, "AMOUNT_INVALID"),
        ({**EVENT, "amount": {"amount_minor": 20001, "currency": "USD"}}, "OVER_CAPTURED"),
        ({**EVENT, "amount": {"amount_minor": 1, "currency": "EUR"}}, "CURRENCY_MISMATCH"),
    ],
)
def test_what_the_worker_would_refuse_is_refused_with_its_reason(tmp_path: Path, event: Any, reason: str) -> None:
    ran = explained(tmp_path, event)
    assert (ran.code, ran.out) == (1, "")
    assert f"event.json: the worker would refuse this: {reason}: " in ran.err


def test_a_withdrawal_has_nothing_to_judge(tmp_path: Path) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "1",
        "source": "/shop",
        "type": "signoff.exception.withdrawn.v1",
        "data": {"exception_id": "EXC-1", "requested_by": "agent:web-chat", "reason": "found it"},
    }
    ran = explained(tmp_path, envelope)
    assert ran.code == 1
    assert "this withdraws an exception" in ran.err


def test_an_event_that_is_not_there_is_named() -> None:
    ran = signoff("policy", "explain", "nowhere.json")
    assert ran.code == 1
    assert ran.err.startswith("signoff: nowhere.json: cannot be read: No such file or directory")
