"""The payment provider as a process of its own: what it paid is on disk before it answers, and faults come
by chance."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stack.payment_journal import Journal
from tests.stack.payment_ledger import Entry, Fault, Ledger, Refused
from tests.stack.payment_provider import TOKEN
from tests.stack.payment_weather import USUAL, ByChance, at_a_rate, parse_faults

HEADERS = {"authorization": f"Bearer {TOKEN}"}


def entry(key: str = "k-1", amount: int = 500) -> Entry:
    return Entry("pay-1", key, "ORD-1", "case-1", amount, "USD")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_new_process_knows_what_the_killed_one_paid(tmp_path: Path) -> None:
    journal = tmp_path / "payments.jsonl"
    with provider(journal) as (address, process):
        paid = pay(address, "k-1", 700).json()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with provider(journal) as (address, _):
        assert pay(address, "k-1", 700).json() == paid
        assert httpx.get(f"{address}/payments/k-1", headers=HEADERS).json() == paid
        assert pay(address, "k-1", 701).status_code == 422
    assert Counter(line["event"] for line in lines(journal)) == {"asked": 3, "moved": 1, "looked-up": 1}
    (moved,) = [line for line in lines(journal) if line["event"] == "moved"]
    assert (moved["idempotency_key"], moved["amount"], moved["currency"]) == ("k-1", 700, "USD")


def test_the_one_that_is_healed_fails_no_more(tmp_path: Path) -> None:
    with provider(tmp_path / "payments.jsonl", "--faults", "error=1.0") as (address, _):
        assert pay(address, "k-1", 700).status_code == 500
        httpx.post(f"{address}/_admin/heal")
        assert pay(address, "k-1", 700).status_code == 201


def test_money_that_comes_back_later_is_settled_in_the_books_too(tmp_path: Path) -> None:
    first = Journal(tmp_path / "payments.jsonl")
    Ledger(witness=first).refund(entry(), Fault.PENDING_THEN_FAILED)
    first.close()
    second = Journal(tmp_path / "payments.jsonl")
    ledger = Ledger(witness=second, before=second.before)
    statuses = [(ledger.look_up("k-1") or entry()).status for _ in range(2)]
    second.close()
    assert statuses == ["pending", "pending"] or statuses == ["pending", "failed"]
    third = Journal(tmp_path / "payments.jsonl")
    third.close()
    assert [one.status for one in third.before] == ["failed"]


def test_a_look_at_what_is_pending_counts_after_a_restart_too(tmp_path: Path) -> None:
    first = Journal(tmp_path / "payments.jsonl")
    made = Ledger(witness=first).refund(entry(), Fault.PENDING_THEN_SUCCEEDED)
    first.looked_up("k-1", made, None)
    first.looked_up("k-1", made, Fault.TIMEOUT)
    first.close()
    second = Journal(tmp_path / "payments.jsonl")
    ledger = Ledger(witness=second, before=second.before)
    assert [one.looks for one in second.before] == [1]
    assert ledger.look_up("k-1") is not None
    second.close()
    assert [one.status for one in ledger.entries()] == ["succeeded"]


def test_a_refusal_is_in_the_books_with_its_fault(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "payments.jsonl")
    with pytest.raises(Refused):
        Ledger(witness=journal).refund(entry(), Fault.DECLINED)
    journal.close()
    (line,) = lines(tmp_path / "payments.jsonl")
    assert (line["event"], line["status"], line["fault"]) == ("refused", "refused", "declined")


def test_a_key_that_was_refused_is_refused_for_ever(tmp_path: Path) -> None:
    """Or a request that the network held back would move what the case has given up since."""
    first = Journal(tmp_path / "payments.jsonl")
    before = Ledger(witness=first)
    with pytest.raises(Refused):
        before.refund(entry(), Fault.DECLINED)
    with pytest.raises(Refused):
        before.refund(entry(), None)
    first.close()
    second = Journal(tmp_path / "payments.jsonl")
    with pytest.raises(Refused):
        Ledger(witness=second, before=second.before, refused=second.said_no_to).refund(entry(), None)
    second.close()


def test_a_line_that_was_cut_off_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "payments.jsonl"
    before = Journal(path)
    Ledger(witness=before).refund(entry("k-1"), None)
    before.close()
    os.truncate(path, path.stat().st_size - 10)
    after = Journal(path)
    Ledger(witness=after, before=after.before).refund(entry("k-2"), None)
    after.close()
    again = Journal(path)
    again.close()
    assert [one.idempotency_key for one in again.before] == ["k-2"]


def test_the_same_seed_brings_the_same_faults_as_often_as_was_said() -> None:
    weather = [ByChance(3, at_a_rate(0.2)) for _ in range(2)]
    drawn = [[each.of_payment() for _ in range(2_000)] for each in weather]
    assert drawn[0] == drawn[1]
    met = Counter(drawn[0])
    assert 300 < 2_000 - met[None] < 500
    assert set(USUAL) <= set(met)


@pytest.mark.parametrize(
    ("text", "says"),
    [("storm=0.1", "is no FAULT=PROBABILITY"), ("error=often", "is no FAULT"), ("error=0.7,reset=0.4", "1 at most")],
)
def test_faults_that_cannot_be_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_faults(text)


def pay(address: str, key: str, amount: int) -> httpx.Response:
    body = {
        "case_id": "case-1",
        "order_id": "ORD-1",
        "amount": {"amount_minor": amount, "currency": "USD"},
        "method": "original_method",
    }
    return httpx.post(f"{address}/payments", json=body, headers={**HEADERS, "idempotency-key": key})


@contextmanager
def provider(journal: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    command = [sys.executable, "-m", "tests.stack.payment_provider", "--journal", str(journal), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["address"], process
        finally:
            process.kill()
