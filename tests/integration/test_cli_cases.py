"""`signoff cases`, `decide` and `audit`, beside a worker that runs."""

import shlex
from typing import Any

import psycopg
import pytest

from tests.commands import signoff_beside
from tests.integration.conftest import worker_running
from tests.records import raise_exceptions, refund, seen
from tests.stack.services import Services
from worker.settings import Settings


def decide(settings: Settings, *arguments: str) -> Any:
    who = ("--reviewer", "user:maria", "--role", "manager")
    return signoff_beside(settings, "decide", *arguments, *who)


async def shown(settings: Settings, name: str) -> Any:
    ran = await signoff_beside(settings, "cases", "show", name, "--json")
    assert ran.code == 0, ran.err
    return ran.json


async def test_the_list_says_who_must_act_and_why_oldest_first(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    await raise_exceptions(running_worker, refund("EXC-2", customer_id="CUST-8"))
    await raise_exceptions(
        running_worker, refund("EXC-3", customer_id="CUST-9", amount={"amount_minor": 100, "currency": "USD"})
    )

    ran = await signoff_beside(running_worker, "cases", "list", "--json")
    assert [line["exception_id"] for line in ran.json] == ["EXC-1", "EXC-2"]
    first = ran.json[0]
    assert first["state"] == "waiting"
    assert first["role"] == "manager"
    assert first["why"] == [{"rule": "refund-over-100", "says": "refund of 150.00 USD is over 100.00 USD"}]
    assert first["due_in_s"] > 0

    table = await signoff_beside(running_worker, "cases", "list")
    assert "150.00 USD" in table.out
    assert "manager" in table.out
    assert "refund of 150.00 USD is over 100.00 USD" in table.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--customer", "CUST-8"], ["EXC-2"]),
        (["--order", "ORD-EXC-1"], ["EXC-1"]),
        (["--state", "waiting", "--limit", "1"], ["EXC-1"]),
        (["--state", "stuck"], []),
        (["--all"], ["EXC-2", "EXC-1"]),
    ],
)
async def test_the_list_is_narrowed(running_worker: Settings, arguments: list[str], expected: list[str]) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    await raise_exceptions(running_worker, refund("EXC-2", customer_id="CUST-8"))
    ran = await signoff_beside(running_worker, "cases", "list", "--json", *arguments)
    assert [line["exception_id"] for line in ran.json] == expected


async def test_a_stuck_case_is_an_operators(waiting_without_worker: Settings) -> None:
    await _tamper(
        waiting_without_worker,
        "update cases set state = 'stuck', body = jsonb_set(body, '{reason}', '\"the thread ended\"')",
    )
    ran = await signoff_beside(waiting_without_worker, "cases", "list", "--state", "stuck", "--json")
    assert [(line["who"], line["reason"]) for line in ran.json] == [("an operator", "the thread ended")]
    assert "the thread ended" in (await signoff_beside(waiting_without_worker, "cases", "list")).out


async def test_an_overdue_case_says_for_how_long(waiting_without_worker: Settings) -> None:
    await _tamper(waiting_without_worker, "update approvals set due_at = now() - interval '90 minutes'")
    ran = await signoff_beside(waiting_without_worker, "cases", "list")
    assert "overdue 1 h 30 min" in ran.out


async def test_a_row_that_cannot_be_read_is_named_without_its_content(waiting_without_worker: Settings) -> None:
    await _tamper(waiting_without_worker, "update cases set body = body - 'risk'")
    ran = await signoff_beside(waiting_without_worker, "cases", "show", "EXC-1")
    assert ran.code == 1
    assert "holds a row that this release cannot read (Case.risk: Field required)" in ran.err


async def test_a_database_without_tables_asks_for_a_migration(stack: Services, database: str) -> None:
    settings = Settings(kafka_bootstrap_servers=stack.kafka, database_url=database)
    ran = await signoff_beside(settings, "cases", "list")
    assert ran.code == 1
    assert ran.err.endswith("lacks tables of this release; run `signoff migrate` first\n")


async def test_topics_that_are_missing_are_named_before_anything_is_sent(waiting_without_worker: Settings) -> None:
    elsewhere = waiting_without_worker.model_copy(update={"topic_prefix": "elsewhere-"})
    ran = await decide(elsewhere, "EXC-1", "approve")
    assert ran.code == 1
    assert "lacks the topics elsewhere-order-exceptions, " in ran.err


async def test_an_empty_list_says_so_beside_the_result(running_worker: Settings) -> None:
    ran = await signoff_beside(running_worker, "cases", "list")
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing is unfinished\n")


async def test_the_line_on_the_page_of_a_case_decides_it(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1", reason="arrived \x1b[31mbroken"))
    page = await signoff_beside(running_worker, "cases", "show", "EXC-1")
    assert "refund of 150.00 USD is over 100.00 USD (refund-over-100)" in page.out
    assert "\x1b[31m" not in page.out, "what a customer wrote must not steer the terminal"
    line = page.out.strip().splitlines()[-1].strip()
    program, *arguments = shlex.split(line)
    assert program == "signoff"

    ran = await signoff_beside(running_worker, *arguments)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("ACCEPTED: ")


async def test_a_decided_case_shows_who_signed_and_what_was_paid(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    accepted = await decide(
        running_worker, "EXC-1", "modify", "--amount", "120.00", "--method", "store_credit", "--comment", "keeps it"
    )
    assert accepted.code == 0, accepted.err
    assert "decided by user:maria" in accepted.err

    await seen(running_worker, ("order-outcomes",), "exception_id", {"EXC-1"})
    file = await shown(running_worker, "EXC-1")
    assert file["case"]["state"] == "executed"
    assert file["case"]["signatures"][0]["reviewer"] == "user:maria"
    assert file["case"]["reason"] == "keeps it"
    assert file["case"]["proposal"]["amount"] == {"amount_minor": 12000, "currency": "USD"}
    assert file["case"]["proposal"]["method"] == "store_credit"
    assert file["case"]["payment_reference"].startswith("ledger-")
    assert file["decide"] is None
    assert [entry["action"] for entry in file["audit"]] == ["opened", "modified"]

    by_case = await shown(running_worker, file["case"]["case_id"])
    by_approval = await shown(running_worker, file["approvals"][0]["approval_id"])
    assert by_case["case"] == by_approval["case"] == file["case"]


async def test_a_case_whose_ledger_is_elsewhere_shows_the_intent_and_its_payment(migrated: Settings) -> None:
    settings = migrated.model_copy(update={"ledger_url": migrated.database_url})
    async with worker_running(settings):
        await raise_exceptions(settings, refund("EXC-1"))
        assert (await decide(settings, "EXC-1", "approve")).code == 0
        await seen(settings, ("order-outcomes",), "exception_id", {"EXC-1"})
        file = await shown(settings, "EXC-1")
    (intent,) = file["intents"]
    assert (intent["state"], intent["problem"]) == ("succeeded", None)
    assert intent["reference"] == file["case"]["payment_reference"]
    assert [entry["action"] for entry in file["audit"]] == ["opened", "approved", "paid"]


async def test_a_second_reviewer_is_told_who_decided_first(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert (await decide(running_worker, "EXC-1", "reject")).code == 0
    late = await signoff_beside(
        running_worker, "decide", "EXC-1", "approve", "--reviewer", "user:otto", "--role", "manager", "--json"
    )
    assert late.code == 1
    assert late.json["code"] == "ALREADY_DECIDED"
    assert late.json["decided_by"] == "user:maria"


async def test_a_reviewer_without_the_role_is_refused(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    ran = await signoff_beside(
        running_worker, "decide", "EXC-1", "approve", "--reviewer", "user:otto", "--role", "intern"
    )
    assert ran.code == 1
    assert ran.out.startswith("NOT_AUTHORISED: ")


async def test_the_same_decision_id_counts_once(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert (await decide(running_worker, "EXC-1", "approve", "--decision-id", "D-1")).code == 0
    again = await decide(running_worker, "EXC-1", "approve", "--decision-id", "D-1")
    assert again.code == 1
    assert again.out.startswith("DUPLICATE: ")


async def test_an_amount_that_is_not_exact_is_not_sent(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    ran = await decide(running_worker, "EXC-1", "modify", "--amount", "120.005")
    assert ran.code == 1
    assert ran.err == "signoff: --amount: '120.005' has 3 decimals, USD has 2; write it like 120.00\n"
    assert (await shown(running_worker, "EXC-1"))["decisions"] == []


async def test_a_stale_seal_is_refused_and_the_right_one_taken(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    stale = await decide(running_worker, "EXC-1", "approve", "--review-hash", "0" * 64)
    assert stale.code == 1
    assert stale.out.startswith("STALE: ")
    seal = (await shown(running_worker, "EXC-1"))["approvals"][0]["review_hash"]
    assert (await decide(running_worker, "EXC-1", "approve", "--review-hash", seal)).code == 0


async def test_what_nobody_knows_is_not_decided(running_worker: Settings) -> None:
    ran = await decide(running_worker, "EXC-404", "approve")
    assert ran.code == 1
    assert "EXC-404: no case has this" in ran.err


async def test_a_decision_that_nobody_reads_is_sent_and_waits(waiting_without_worker: Settings) -> None:
    unanswered = await decide(waiting_without_worker, "EXC-1", "approve", "--timeout", "0.5")
    assert unanswered.code == 1
    assert "no receipt came in 0.5 s; it is not lost" in unanswered.err
    sent = await decide(waiting_without_worker, "EXC-1", "approve", "--no-wait", "--json")
    assert sent.code == 0
    assert sent.json["sent"] is True


async def test_the_audit_trail_of_a_case_holds_until_somebody_rewrites_it(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"), refund("EXC-2"))
    assert (await decide(running_worker, "EXC-1", "reject")).code == 0
    whole = await signoff_beside(running_worker, "audit", "verify")
    assert (whole.code, whole.out) == (0, "the audit trail holds: 3 entries of 2 cases\n")

    await _tamper(running_worker, "update audit set actor = 'user:nobody' where action = 'rejected'")
    broken = await signoff_beside(running_worker, "audit", "verify")
    assert broken.code == 1
    assert "entry 2: its content was altered" in broken.err
    assert "EXC-1" in broken.err
    assert (await signoff_beside(running_worker, "audit", "verify", "--case", "EXC-2")).code == 0


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("delete from audit where number = 1", "entry 2: entry 1 is missing before it"),
        ("delete from audit where number = 2", "at its end: the case is at version 2, its trail ends with entry 1"),
        ("delete from audit", "at its end: the case is at version 2, its trail ends with entry 0"),
        ("delete from cases", "it belongs to a case that does not exist"),
        ("update audit set previous_hash = 'x' where number = 2", "it does not continue the entry before it"),
    ],
)
async def test_what_was_cut_out_of_the_audit_trail_is_missed(
    running_worker: Settings, tampering: str, found: str
) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert (await decide(running_worker, "EXC-1", "reject")).code == 0
    await _tamper(running_worker, tampering)
    ran = await signoff_beside(running_worker, "audit", "verify")
    assert ran.code == 1
    assert found in ran.err


async def test_the_audit_trail_holds_in_whatever_zone_the_database_speaks(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    await _tamper(
        running_worker,
        "do $$ begin execute format('alter database %I set timezone = %L', current_database(), 'Asia/Kolkata'); end $$",
    )
    ran = await signoff_beside(running_worker, "audit", "verify")
    assert ran.code == 0, ran.err
    page = await signoff_beside(running_worker, "audit", "show", "EXC-1", "--json")
    assert page.json[0]["at"].endswith("Z")


async def _tamper(settings: Settings, sql: str) -> None:
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as connection:
        await connection.execute(sql.encode())
