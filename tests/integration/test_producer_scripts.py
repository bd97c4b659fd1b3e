"""The four programs as their users run them: real processes, a real broker, a running worker."""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from worker.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAM_S = 60


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Programs:
    """Runs programs from a foreign folder, told of the broker as a user would."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._environment = {
            "SIGNOFF_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "SIGNOFF_TOPIC_PREFIX": settings.topic_prefix,
            "COLUMNS": "200",
        }
        self._folder = folder

    async def start(self, program: str, words: str, *more: str) -> asyncio.subprocess.Process:
        """`words` are split at spaces; `more` are arguments that hold some."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "producer_scripts" / f"{program}.py"),
            *words.split(),
            *more,
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, program: str, words: str, *more: str, stdin: str = "") -> Ended:
        process = await self.start(program, words, *more)
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin.encode()), PROGRAM_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def watch(self, kind: str, count: int) -> list[dict[str, Any]]:
        ended = await self.run("watch", f"--json --from-beginning --only {kind} --until {count} --for 30")
        assert ended.code == 0, ended.err
        return ended.lines()

    async def refund(self, exception_id: str, *more: str) -> Ended:
        words = f"--kind refund --id {exception_id} --order ORD-{exception_id} --customer C --amount 150.00"
        return await self.run("raise_exception", f"{words} --captured 180", *more)


@pytest.fixture
def programs(running_worker: Settings, tmp_path: Path) -> Programs:
    return Programs(running_worker, tmp_path)


async def test_a_refund_is_raised_approved_and_paid(programs: Programs) -> None:
    raised = await programs.refund("EXC-1", "--reason", "arrived broken")
    assert raised.code == 0, raised.err
    [asked] = await programs.watch("approvals", 1)
    assert asked["type"] == "signoff.approval.needed.v1"
    decided = await programs.run(
        "submit_decision",
        f"--approval {asked['data']['approval_id']} --verdict modify --amount 120.00 --json"
        " --reviewer user:maria --role manager --method store_credit",
    )
    assert decided.code == 0, decided.err + decided.out
    assert [receipt["code"] for receipt in decided.lines()] == ["ACCEPTED"]
    [outcome] = await programs.watch("outcomes", 1)
    assert outcome["topic"] == "order-outcomes"
    assert outcome["id"]
    assert outcome["data"]["status"] == "executed"
    assert outcome["data"]["amount"] == {"amount_minor": 12000, "currency": "USD"}


async def test_a_refused_decision_ends_with_1_and_says_why(programs: Programs) -> None:
    await programs.refund("EXC-1")
    await programs.watch("approvals", 1)
    words = "--exception EXC-1 --verdict approve --reviewer user:eve --role clerk"
    decided = await programs.run("submit_decision", words)
    assert decided.code == 1
    assert "NOT_AUTHORISED" in decided.out


async def test_without_a_receipt_in_time_it_ends_with_1(programs: Programs) -> None:
    words = "--approval 00000000-0000-7000-8000-000000000000 --verdict approve --reviewer u --role manager --wait 0.5"
    decided = await programs.run("submit_decision", words)
    assert decided.code == 1
    assert "no receipt" in decided.err


@pytest.mark.parametrize("mode", ["--plain", "--structured"])
async def test_a_file_of_json_lines_is_raised_in_every_mode(programs: Programs, tmp_path: Path, mode: str) -> None:
    events = [
        {
            "exception_id": f"EXC-{number}",
            "kind": "refund",
            "order_id": f"ORD-{number}",
            "customer_id": "C",
            "requested_by": "agent:chat",
            "amount": {"amount_minor": 500, "currency": "USD"},
            "order": {"captured": {"amount_minor": 500, "currency": "USD"}},
        }
        for number in range(3)
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(json.dumps(event) for event in events))
    raised = await programs.run("raise_exception", f"--file events.jsonl --json {mode}")
    assert [line["id"] for line in raised.lines()] == ["EXC-0", "EXC-1", "EXC-2"]
    outcomes = await programs.watch("outcomes", 3)
    assert {outcome["data"]["status"] for outcome in outcomes} == {"executed"}


async def test_nonsense_sent_on_purpose_becomes_a_dead_letter(programs: Programs) -> None:
    sent = await programs.run("raise_exception", "--file - --no-validate", stdin='{"kind": ')
    assert sent.code == 0, sent.err
    [rejected] = await programs.watch("dead-letters", 1)
    assert rejected["data"]["reason"] == "INVALID_JSON"


async def test_a_batch_in_one_event_gets_a_receipt_for_each_decision(programs: Programs, tmp_path: Path) -> None:
    await programs.refund("EXC-1")
    await programs.refund("EXC-2")
    await programs.watch("approvals", 2)
    decisions = [
        {
            "decision_id": f"D-{number}",
            "exception_id": f"EXC-{number}",
            "verdict": "approve",
            "reviewer": {"id": "user:maria", "roles": ["manager"] if number == 1 else []},
        }
        for number in (1, 2)
    ]
    (tmp_path / "decisions.json").write_text(json.dumps(decisions))
    decided = await programs.run("submit_decision", "--file decisions.json --as-one-event --json")
    assert decided.code == 1
    codes = {receipt["decision_id"]: receipt["code"] for receipt in decided.lines()}
    assert codes == {"D-1": "ACCEPTED", "D-2": "NOT_AUTHORISED"}


async def test_a_question_is_held_and_handed_over_and_the_watch_tells_it(programs: Programs) -> None:
    await programs.refund("EXC-1")
    await programs.watch("approvals", 1)
    by = "--exception EXC-1 --reviewer user:maria --role manager --json"
    handed_over = await programs.run("submit_decision", f"--command delegate --to user:jonas {by}")
    assert handed_over.code == 0, handed_over.err + handed_over.out
    assert [receipt["code"] for receipt in handed_over.lines()] == ["RECORDED"]
    watched = await programs.run("watch", "--from-beginning --only approvals --until 2 --for 30")
    assert "reassigned by user:maria, now at user:jonas" in watched.out
    refused = await programs.run("submit_decision", f"--command claim {by}")
    assert refused.code == 1
    assert refused.lines()[0]["code"] == "NOT_AUTHORISED"


async def test_a_file_of_decisions_and_commands_is_answered_line_by_line(programs: Programs, tmp_path: Path) -> None:
    await programs.refund("EXC-1", "--alternative", "refund:store_credit")
    await programs.watch("approvals", 1)
    maria = {"id": "user:maria", "roles": ["manager"]}
    said = [
        {"command_id": "C-1", "exception_id": "EXC-1", "command": "claim", "by": maria},
        {"decision_id": "D-1", "exception_id": "EXC-1", "verdict": "choose", "choice": 0, "reviewer": maria},
    ]
    (tmp_path / "said.jsonl").write_text("\n".join(json.dumps(one) for one in said))
    sent = await programs.run("submit_decision", "--file said.jsonl --json --plain")
    assert sent.code == 0, sent.err + sent.out
    assert {receipt["decision_id"]: receipt["code"] for receipt in sent.lines()} == {
        "C-1": "RECORDED",
        "D-1": "ACCEPTED",
    }
    [outcome] = await programs.watch("outcomes", 1)
    assert outcome["data"]["method"] == "store_credit"


async def test_a_person_decides_in_a_dialogue_until_nothing_waits(programs: Programs) -> None:
    await programs.refund("EXC-1", "--reason", "arrived \x1b[31mbroken")
    await programs.watch("approvals", 1)
    decided = await programs.run(
        "submit_decision", "--interactive", stdin="user:maria\nmanager\n1\nmodify\n120.00\n\n\nkeeps the mug\n"
    )
    assert decided.code == 0, decided.err + decided.out
    assert "refund of 150.00 USD is over 100.00 USD" in decided.out
    assert "\x1b" not in decided.out
    assert "ACCEPTED" in decided.out
    assert "nothing waits" in decided.out
    [outcome] = await programs.watch("outcomes", 1)
    assert outcome["data"]["amount"]["amount_minor"] == 12000


async def test_a_flood_is_decided_and_measured(programs: Programs) -> None:
    ended = await programs.run("flood", "--count 60 --rate 200 --over-limit 0.5 --decide --json --seed 7")
    assert ended.code == 0, ended.err + ended.out
    [summary] = ended.lines()
    assert summary["sent"] == summary["outcomes"] == 60
    assert summary["approvals"] == summary["decided"] > 0
    assert summary["refused"] == summary["unanswered"] == 0
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]


async def test_watch_shows_readable_lines_with_the_reasons(programs: Programs) -> None:
    await programs.refund("EXC-1")
    watched = await programs.run("watch", "--from-beginning --only approvals --until 1 --for 30")
    assert watched.code == 0
    assert "refund 150.00 USD" in watched.out
    assert "because refund of 150.00 USD is over 100.00 USD" in watched.out


async def test_a_watch_that_waited_in_vain_ends_with_1(programs: Programs) -> None:
    watched = await programs.run("watch", "--only outcomes --until 1 --for 0.5")
    assert watched.code == 1
    assert "0 of 1 events came" in watched.err


async def test_a_missing_topic_is_named(programs: Programs) -> None:
    watched = await programs.run("watch", "--topic-prefix nobody- --only outcomes --for 1")
    assert watched.code == 1
    assert "no topic nobody-order-outcomes" in watched.err
    assert "Traceback" not in watched.err


async def test_ctrl_c_ends_a_watch_quietly_and_with_0(programs: Programs) -> None:
    process = await programs.start("watch", "--only outcomes")
    assert process.stderr is not None
    assert b"watching" in await process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), PROGRAM_S)
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_ctrl_c_at_a_question_quits_the_dialogue(programs: Programs) -> None:
    await programs.refund("EXC-1")
    await programs.watch("approvals", 1)
    process = await programs.start("submit_decision", "--interactive --reviewer user:maria --role manager")
    assert process.stdout is not None
    assert b"Which one" in await asyncio.wait_for(process.stdout.readuntil(b"Which one"), PROGRAM_S)
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), PROGRAM_S)
    assert process.returncode == 0
    assert b"Traceback" not in err


async def test_a_withdrawal_ends_the_case_that_waits(programs: Programs) -> None:
    raised = await programs.refund("EXC-1", "--json")
    await programs.watch("approvals", 1)
    withdrawn = await programs.run(
        "raise_exception", "--withdraw EXC-1 --order ORD-EXC-1 --requested-by user:sam --json"
    )
    assert withdrawn.code == 0, withdrawn.err
    assert withdrawn.lines()[0]["partition"] == raised.lines()[0]["partition"]
    [outcome] = await programs.watch("outcomes", 1)
    assert outcome["data"]["status"] == "withdrawn"
