"""`signoff audit report` and `export`: what people decided, told to auditors and to those who learn from it."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer
from psycopg import sql

from tests.commands import Ran, signoff
from tests.conftest import in_database
from tests.integration.conftest import worker_running
from tests.records import publish, raise_exceptions, refund, seen
from tests.stack.services import Services
from worker.cli.migrate import migrate_all
from worker.settings import Settings

ALWAYS = ("--from", "2020-01-01")
HOSTILE = "=HYPERLINK(0) <script>alert(1)</script> \u202egnp"
MARIA = {"id": "user:maria", "roles": ["manager"]}
JONAS = {"id": "user:jonas", "roles": ["director"]}
PERSONAL = ("CUST-", "ORD-", "EXC-", "user:", "agent:", "Mrs Doe", "arrived broken", "keeps the mug")


@pytest.fixture(scope="module")
def decided(stack: Services) -> Iterator[Settings]:
    """Four cases: one changed, one that its requester tried to approve, one rejected by a director, one claimed."""
    name = f"test_{uuid4().hex}"
    settings = settings_of(stack, in_database(stack.database, name), f"{name[:12]}-")
    with psycopg.connect(stack.database, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        asyncio.run(_decide(settings))
        yield settings
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def settings_of(stack: Services, database: str, topic_prefix: str) -> Settings:
    return Settings(
        kafka_bootstrap_servers=stack.kafka,
        database_url=database,
        topic_prefix=topic_prefix,
        topic_partitions=1,
        poll_s=0.1,
        early_decision_wait_s=0.5,
        shutdown_s=5.0,
    )


async def _decide(settings: Settings) -> None:
    await migrate_all(settings)
    async with worker_running(settings):
        await raise_exceptions(settings, *_cases())
        await answer(
            settings,
            decision(
                "D-1",
                "EXC-1",
                "modify",
                comment=HOSTILE,
                changes={"amount": usd(12_000), "customer_message": "Dear Mrs Doe, 120 dollars are on their way."},
            ),
            decision("D-2", "EXC-2", "approve", reviewer={"id": "agent:web-chat", "roles": ["manager"]}),
            decision("D-3", "EXC-2", "approve", reviewer={**MARIA, "id": "User:Maria"}),
            decision("D-4", "EXC-3", "approve"),
            decision("D-5", "EXC-3", "reject", reviewer=JONAS, comment="keeps the mug"),
            decision("D-6", None, "approve", approval_id="not-an-id"),
            {"command_id": "C-1", "exception_id": "EXC-4", "command": "claim", "by": MARIA},
        )


def _cases() -> list[dict[str, Any]]:
    large = {"captured": usd(150_000), "status": "delivered"}
    return [
        refund("EXC-1", customer_id="CUST-1", reason_code="damaged"),
        refund("EXC-2", customer_id="CUST-2"),
        refund("EXC-3", customer_id="CUST-3", amount=usd(150_000), order=large),
        refund("EXC-4", customer_id="CUST-4"),
    ]


def usd(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "USD"}


def decision(decision_id: str, exception_id: str | None, verdict: str, **fields: Any) -> dict[str, Any]:
    return {
        "decision_id": decision_id,
        "exception_id": exception_id,
        "verdict": verdict,
        "reviewer": MARIA,
        **fields,
    }


async def answer(settings: Settings, *events: dict[str, Any]) -> None:
    """One after the other, each sent when the one before has its receipt."""
    for event in events:
        await publish(settings, "review-decisions", json.dumps(event).encode())
        await seen(settings, ("decision-receipts",), "decision_id", {event.get("decision_id") or event["command_id"]})


def audit(settings: Settings, *arguments: str | Path) -> Ran:
    ran = signoff("audit", *map(str, arguments), settings=settings)
    assert ran.code == 0, ran.err
    return ran


def reported(settings: Settings, *arguments: str | Path) -> Any:
    return audit(settings, "report", *ALWAYS, "--format", "json", *arguments).json


def named(tallies: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {tally["name"]: tally for tally in tallies}


def test_each_decision_is_a_row_in_the_order_in_which_they_came(decided: Settings) -> None:
    ran = audit(decided, "report", *ALWAYS)
    assert ran.err == "6 decisions\n"
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [(row["decision_id"], row["code"], row["level"], row["override"]) for row in rows] == [
        ("D-1", "ACCEPTED", "manager", "true"),
        ("D-2", "SELF_APPROVAL", "manager", "false"),
        ("D-3", "ACCEPTED", "manager", "false"),
        ("D-4", "ACCEPTED", "manager", "false"),
        ("D-5", "ACCEPTED", "director", "true"),
        ("D-6", "UNKNOWN_APPROVAL", "", "false"),
    ]
    first = rows[0]
    assert (first["proposed_amount_minor"], first["signed_amount_minor"], first["signed_currency"]) == (
        "15000",
        "12000",
        "USD",
    )
    assert json.loads(first["changes"])["amount"] == usd(12_000)
    assert float(first["seconds_to_decide"]) > 0
    assert (rows[5]["approval_id"], rows[5]["case_id"], rows[5]["seconds_to_decide"]) == ("not-an-id", "", "")


def test_a_comment_does_not_become_a_formula_of_a_spreadsheet(decided: Settings) -> None:
    rows = list(csv.DictReader(io.StringIO(audit(decided, "report", *ALWAYS).out)))
    assert rows[0]["comment"] == f"'{HOSTILE}"
    assert reported(decided)["decisions"][0]["comment"] == HOSTILE


def test_figures_are_by_person_however_their_id_is_spelt(decided: Settings) -> None:
    report = reported(decided)
    people = named(report["people"])
    assert set(people) == {"agent:web-chat", "user:jonas", "user:maria"}
    maria = people["user:maria"]
    assert maria["verdicts"] == {"approve": 2, "modify": 1}
    assert (maria["took_effect"], maria["refused"], maria["overrides"]) == (3, 1, 1)
    assert maria["signed"] == [usd(12_000 + 15_000 + 150_000)]
    times = maria["seconds_to_decide"]
    assert 0 < times["median"] <= times["p90"] <= times["max"]
    assert people["user:jonas"]["signed"] == []
    assert people["agent:web-chat"]["seconds_to_decide"] == {"median": None, "p90": None, "max": None}
    assert report["total"]["took_effect"] == 4


def test_figures_are_by_level_code_command_and_policy(decided: Settings) -> None:
    report = reported(decided)
    levels = named(report["levels"])
    assert (levels["manager"]["verdicts"], levels["manager"]["refused"]) == ({"approve": 2, "modify": 1}, 1)
    assert levels["director"]["verdicts"] == {"reject": 1}
    assert report["refusals"] == {"SELF_APPROVAL": 1, "UNKNOWN_APPROVAL": 1}
    assert report["commands"] == {"claim": 1}
    assert [(one["name"], one["questions"]) for one in report["policies"]] == [("default", 4)]
    assert [(one["level"], one["closed"]) for one in report["questions"]] == [("director", 1), ("manager", 3)]
    assert report["audit_trail"] == {"holds": True, "cases": 4, "entries": 10, "broken_cases": 0, "broken": []}


def test_a_period_has_its_beginning_and_not_its_end(decided: Settings) -> None:
    rows = reported(decided)["decisions"]
    second, last = rows[1]["received_at"], rows[5]["received_at"]
    some = audit(decided, "report", "--from", second, "--to", last, "--format", "json").json
    assert [row["decision_id"] for row in some["decisions"]] == ["D-2", "D-3", "D-4", "D-5"]
    assert (some["from"], some["to"]) == (second, last)
    nothing = audit(decided, "report", "--from", "2020-01-01", "--to", "2020-02-01", "--format", "json").json
    assert (nothing["decisions"], nothing["people"], nothing["questions"]) == ([], [], [])


def test_the_page_stands_alone_and_escapes_what_strangers_wrote(decided: Settings, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    ran = audit(decided, "report", *ALWAYS, "--format", "html", "--out", out)
    assert (ran.out, ran.err) == ("", f"6 decisions, written to {out}\n")
    page = out.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\u202egnp" in page
    for foreign in ("<script", "http:", "https:", " src=", "<link", "@import", "url(", "\u202e"):
        assert foreign not in page
    for told in ("user:maria", "user:jonas", "SELF_APPROVAL", "amount: 120.00 USD", "1770.00 USD", "It holds: all 10"):
        assert told in page
    assert page.count("<table>") == page.count("</table>") == 7
    assert list(tmp_path.iterdir()) == [out]


def test_the_page_of_a_period_without_decisions_says_so(decided: Settings) -> None:
    page = audit(decided, "report", *ALWAYS, "--to", "2020-02-01", "--format", "html", "--no-verify").out
    assert page.count(">none<") == 9
    assert "It was not checked for this report." in page


def test_a_report_says_that_the_audit_trail_was_rewritten(decided: Settings) -> None:
    with psycopg.connect(decided.database_url, autocommit=True) as connection:
        (hash_,) = connection.execute("select min(hash) from audit where actor = 'user:jonas'").fetchone() or ("",)
        connection.execute("update audit set actor = 'user:nobody' where hash = %s", [hash_])
        try:
            trail = reported(decided)["audit_trail"]
            page = audit(decided, "report", *ALWAYS, "--format", "html").out
        finally:
            connection.execute("update audit set actor = 'user:jonas' where hash = %s", [hash_])
    assert (trail["holds"], trail["broken_cases"]) == (False, 1)
    assert (trail["broken"][0]["exception_id"], trail["broken"][0]["problem"]) == (
        "EXC-3",
        "its content was altered: its hash does not fit it",
    )
    assert "It is broken in 1 of 4 cases" in page
    assert reported(decided, "--no-verify")["audit_trail"] is None


def test_more_decisions_than_are_read_at_a_time_are_all_reported(decided: Settings) -> None:
    with psycopg.connect(decided.database_url, autocommit=True) as connection:
        connection.execute(
            "insert into decisions (decision_id, approval_id, case_id, reviewer, reviewer_key, verdict, code, body, "
            "receipt, received_at) select 'MANY-' || n, 'none', null, 'user:otto', 'user:otto', 'approve', "
            "'UNKNOWN_APPROVAL', '{}', '{}', '2021-01-01' from generate_series(1, 2500) as n"
        )
        try:
            ran = audit(decided, "report", "--from", "2021-01-01", "--to", "2021-01-02")
        finally:
            connection.execute("delete from decisions where decision_id like 'MANY-%'")
    assert ran.err == "2500 decisions\n"
    assert len(ran.out.splitlines()) == 2501


def test_answered_questions_are_exported_without_anybody_in_them(decided: Settings, tmp_path: Path) -> None:
    out = tmp_path / "labels.jsonl"
    assert audit(decided, "export", "--labels", "--out", out).err == f"4 examples, written to {out}\n"
    text = out.read_text(encoding="utf-8")
    assert [word for word in PERSONAL if word in text] == []
    changed, approved, first_level, rejected = map(json.loads, text.splitlines())
    assert changed["shown"]["rules"] == ["refund-over-100"]
    assert changed["shown"]["reason_code"] == "damaged"
    assert changed["shown"]["proposal"]["amount"] == usd(15_000)
    assert changed["answer"]["changes"] == {"amount": usd(12_000), "customer_message": True}
    assert changed["outcome"]["state"] == "executed"
    assert changed["outcome"]["proposal"]["amount"] == usd(12_000)
    assert approved["answer"]["changes"] is None
    assert [(one["level"], one["answer"]["verdict"], one["outcome"]["state"]) for one in (first_level, rejected)] == [
        ("manager", "approve", "rejected"),
        ("director", "reject", "rejected"),
    ]
    assert first_level["case"] == rejected["case"] != changed["case"]
    assert len({one["example"] for one in (changed, approved, first_level, rejected)}) == 4


def test_what_people_wrote_is_exported_only_when_it_is_asked_for(decided: Settings) -> None:
    lines = audit(decided, "export", "--labels", "--with-text").out.splitlines()
    assert json.loads(lines[0])["answer"]["comment"] == HOSTILE
    assert json.loads(lines[0])["shown"]["reason"] == "arrived broken"
    assert "Mrs Doe" not in "".join(lines)


def test_examples_are_of_the_period_that_is_asked_for(decided: Settings) -> None:
    assert audit(decided, "export", "--labels", *ALWAYS, "--to", "2020-02-01").err == "0 examples\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report"], "Missing option '--from'"),
        (["report", "--from", "soon"], "soon is neither a day such as 2026-12-20"),
        (["report", "--from", "2026-01-01T09:00:00"], "has no zone"),
        (["report", "--from", "2026-01-02", "--to", "2026-01-02"], "must be after --from"),
        (["report", "--from", "2026-01-01", "--format", "pdf"], "'pdf' is not one of"),
        (["export"], "say what to export: --labels"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], told: str) -> None:
    ran = signoff("audit", *arguments, COLUMNS="200", TERMINAL_WIDTH="200")
    assert ran.code == 2
    assert told in " ".join(ran.err.replace("│", " ").split())


def test_a_file_that_cannot_be_written_is_named(decided: Settings, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "report.csv"
    ran = signoff("audit", "report", *ALWAYS, "--out", str(out), settings=decided)
    assert (ran.code, ran.err) == (
        1,
        f"signoff: {out}: cannot be written: No such file or directory; give another --out\n",
    )


HURRIED = """
name: hurried
base_currency: USD
levels:
  desk: {role: desk, due_in: 1s, on_timeout: escalate, escalates_to: head, allowed_verdicts: [approve, reject]}
  head: {role: head, due_in: 1s, on_timeout: reject, allowed_verdicts: [approve, reject]}
  patient:
    role: manager
    due_in: 100s
    deadlines: [{at: 1%, do: remind}]
    on_timeout: reject
    allowed_verdicts: [approve, reject]
rules:
  - {id: hurry, when: amount < 10000, says: small, level: desk, risk: low}
  - {id: patience, when: amount >= 10000, says: large, level: patient, risk: low}
"""


async def test_questions_that_were_not_answered_in_time_are_counted(
    stack: Services, database: str, topic_prefix: str, tmp_path: Path
) -> None:
    policy = tmp_path / "hurried.yaml"
    policy.write_text(HURRIED)
    settings = settings_of(stack, database, topic_prefix).model_copy(update={"policy_file": policy})
    await migrate_all(settings)
    async with worker_running(settings):
        await raise_exceptions(settings, refund("EXC-1", amount=usd(5_000)), refund("EXC-2"))
        await _reminded(settings)
        await answer(settings, decision("D-1", "EXC-2", "approve"))
        await seen(settings, ("order-outcomes",), "exception_id", {"EXC-1", "EXC-2"})
    report = await asyncio.to_thread(reported, settings)
    late = {one.pop("level"): one for one in report["questions"]}
    nothing = {"closed": 1, "answered_after_reminder": 0, "expired": 0, "escalated_by_timeout": 0}
    assert late == {
        "desk": {**nothing, "escalated_by_timeout": 1},
        "head": {**nothing, "expired": 1},
        "patient": {**nothing, "answered_after_reminder": 1},
    }


async def _reminded(settings: Settings) -> None:
    """Returns when a reminder was announced."""
    consumer = AIOKafkaConsumer(
        f"{settings.topic_prefix}approvals",
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            while json.loads((await consumer.getone()).value).get("change") != "reminded":
                pass
    finally:
        await consumer.stop()
