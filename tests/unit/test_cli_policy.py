"""`signoff policy` needs neither a broker nor a database."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Ran, signoff
from tests.records import refund

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
