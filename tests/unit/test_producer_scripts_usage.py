"""How the programs are called: wrong usage ends with 2, a failure with 1, and both are sentences."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from producer_scripts import flood, raise_exception, submit_decision, watch

ROOT = Path(__file__).resolve().parents[2]
NOBODY = ("--kafka", "127.0.0.1:1")
REFUND = "--kind refund --order O --customer C --amount 1.00"
DECISION = "--approval A --verdict approve --reviewer u --role manager"


@pytest.mark.parametrize(
    ("app", "words", "told"),
    [
        (raise_exception.app, "--kind refund --order O --customer C", "a refund needs `amount`"),
        (raise_exception.app, f"{REFUND} --amount 1.005", "1.005 has 3 digits"),
        (raise_exception.app, f"{REFUND} --confidence 2", "confidence"),
        (raise_exception.app, f"{REFUND} --captured 0.50", "must not be more than"),
        (raise_exception.app, f"{REFUND} --withdraw E", "say either"),
        (raise_exception.app, f"{REFUND} --plain --structured", "exclude each other"),
        (raise_exception.app, f"{REFUND} --no-validate", "--no-validate needs --file"),
        (raise_exception.app, "--file x --amount 1.00", "--amount has no meaning with --file"),
        (raise_exception.app, "--withdraw E --vip", "--vip has no meaning with --withdraw"),
        (raise_exception.app, "--withdraw E --plain", "leave out --plain"),
        (raise_exception.app, "--kind gift", "gift"),
        (submit_decision.app, "--verdict approve --reviewer u", "needs `approval_id` or `exception_id`"),
        (submit_decision.app, "--approval A --verdict approve", "reviewer"),
        (submit_decision.app, "--approval A --verdict modify --reviewer u", "needs `changes`"),
        (submit_decision.app, "--approval A --verdict request_changes --reviewer u", "needs `comment`"),
        (submit_decision.app, f"{DECISION} --escalate-to director", "goes with the verdict escalate only"),
        (submit_decision.app, "--approval A --verdict choose --reviewer u", "needs `choice`"),
        (submit_decision.app, f"{DECISION} --to user:otto", "--to and --command-id go with --command"),
        (submit_decision.app, f"{DECISION} --command claim", "--verdict has no meaning with --command"),
        (submit_decision.app, "--approval A --command steal --reviewer u", "steal"),
        (submit_decision.app, "--command claim --reviewer u", "needs `approval_id` or `exception_id`"),
        (submit_decision.app, "--approval A --command claim", "by: is missing"),
        (submit_decision.app, "--approval A --command delegate --reviewer u", "the command delegate needs `to`"),
        (submit_decision.app, "--approval A --command claim --reviewer u --to v", "not with claim"),
        (submit_decision.app, f"{DECISION} --edit-action to=bob", "'to=bob' is no edit; write NUMBER="),
        (submit_decision.app, f"{DECISION} --as-one-event", "--as-one-event needs --file"),
        (submit_decision.app, "--interactive --verdict approve", "--verdict has no meaning with --interactive"),
        (submit_decision.app, "--file x --approval A", "--approval has no meaning with --file"),
        (watch.app, "--only approvals,bananas", "bananas"),
        (watch.app, "--until 0", "--until"),
        (flood.app, "--mix refund", "is no part of a mix"),
        (flood.app, "--over-limit 2", "--over-limit"),
        (flood.app, "--decide --wait 0", "--decide has to wait"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(app: typer.Typer, words: str, told: str) -> None:
    ended = CliRunner().invoke(app, [*words.split(), *NOBODY], env={"COLUMNS": "200"})
    assert ended.exit_code == 2, ended.output
    assert told in ended.output


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (raise_exception.app, REFUND),
        (raise_exception.app, "--withdraw E"),
        (submit_decision.app, DECISION),
        (submit_decision.app, "--approval A --command claim --reviewer u --role manager"),
        (submit_decision.app, "--interactive --reviewer u --role manager"),
        (watch.app, "--for 1"),
        (flood.app, "--count 1"),
    ],
)
def test_a_broker_that_is_away_is_a_sentence_and_ends_with_1(app: typer.Typer, words: str) -> None:
    ended = CliRunner().invoke(app, [*words.split(), *NOBODY])
    assert ended.exit_code == 1
    assert ended.exception is None or isinstance(ended.exception, SystemExit)
    assert "Kafka does not answer at 127.0.0.1:1; start it" in ended.output


@pytest.mark.parametrize("address", ["nowhere:port", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_a_sentence(address: str) -> None:
    ended = CliRunner().invoke(watch.app, ["--kafka", address])
    assert ended.exit_code == 1
    assert "write HOST:PORT" in ended.output


def test_a_file_with_a_mistake_ends_with_1_before_the_broker_is_asked() -> None:
    ended = CliRunner().invoke(raise_exception.app, [*NOBODY], input='{"exception_id": "E"}')
    assert ended.exit_code == 1
    assert "standard input, line 1: kind: is missing" in ended.output
    assert "nothing was sent" in ended.output


@pytest.mark.parametrize("name", ["raise_exception", "submit_decision", "watch", "flood"])
def test_each_program_runs_as_a_file_from_anywhere_and_as_a_module(name: str, tmp_path: Path) -> None:
    ways = [
        ([sys.executable, str(ROOT / "producer_scripts" / f"{name}.py")], tmp_path),
        ([sys.executable, "-m", f"producer_scripts.{name}"], ROOT),
    ]
    for command, folder in ways:
        ended = subprocess.run(
            [*command, "--help"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stderr
        assert "--kafka" in ended.stdout
