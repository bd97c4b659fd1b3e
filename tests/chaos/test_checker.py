"""The checker as a program: what it says of a run in which all is well, of half a folder, and to whom it listens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.checker.__main__ import main
from tests.chaos.checker.judgement import CHECKS, judge
from tests.chaos.correct_run import correct_run

ALONE = """
import importlib.abc, sys

class Forbidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        inside = name in ("tests", "tests.chaos") or name.startswith("tests.chaos.checker")
        if not inside and name.partition(".")[0] not in sys.stdlib_module_names:
            raise ImportError(f"the checker imports {name}")

sys.meta_path.insert(0, Forbidden())
from tests.chaos.checker.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_in_which_all_is_well_is_accepted(tmp_path: Path) -> None:
    folder = correct_run().write(tmp_path)

    assert main([str(folder), "--json", str(tmp_path / "again.json")]) == 0

    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["violations"] == []
    assert verdict["counts"]["cases_by_state"] == {
        "executed": 8,
        "expired": 1,
        "rejected": 1,
        "waiting": 1,
        "withdrawn": 1,
    }
    assert verdict["counts"]["kills"] == 1
    assert verdict["counts"]["payments_ambiguous"] == 6
    assert verdict["counts"]["decisions_hostile"] == 1
    assert verdict["counts"]["recovery_s"] == {"kill": {"count": 2, "p50": 1.5, "p99": 2.5, "max": 2.5}}
    assert verdict["counts"]["failpoints"] == [
        {"failpoint": "payment.after-call", "fault": "kill", "state": "executing", "hits": 1}
    ]
    assert json.loads((tmp_path / "again.json").read_text()) == verdict


def test_violations_are_named_with_their_places_and_the_program_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = correct_run()
    told.movement(2)["amount"] += 1

    assert main([str(told.write(tmp_path))]) == 1

    case_id, key = told.case(2)["case_id"], told.movement(2)["idempotency_key"]
    said = capsys.readouterr().out
    assert f"invariant 3: 12001 USD moved, more than the 12000 USD that was approved [case={case_id}" in said
    violations = json.loads((tmp_path / "verdict.json").read_text())["violations"]
    assert {"invariant": 3, "case": case_id, "order": "ORD-2", "idempotency_key": key}.items() <= {
        name: held
        for violation in violations
        if "was approved" in violation["what"]
        for name, held in violation.items()
    }.items()


@pytest.mark.parametrize(
    "missing", ["payments.jsonl", "plan.json", "dump/tables/inbox.jsonl", "replayed/topics/approvals.jsonl"]
)
def test_half_a_folder_is_not_judged(missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = correct_run().write(tmp_path)
    (folder / missing).unlink()

    assert main([str(folder)]) == 2

    assert missing in capsys.readouterr().err
    assert not (folder / "verdict.json").exists()


def test_a_row_that_cannot_be_read_is_named_and_not_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = correct_run().write(tmp_path)
    cases = folder / "dump" / "tables" / "cases.jsonl"
    cases.write_text(cases.read_text() + "{half\n")

    assert main([str(folder)]) == 2

    assert f"{cases}:13" in capsys.readouterr().err


def test_a_line_that_was_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    folder = correct_run().write(tmp_path)
    ledger = folder / "payments.jsonl"
    first, *others = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join([first, '{"event": "mov\n', *others]))
    with (folder / "history" / "people.jsonl").open("a") as history:
        history.write('{"event": "se')

    assert judge(folder).violations == []


def test_the_checker_runs_where_nothing_else_can_be_imported(tmp_path: Path) -> None:
    folder = correct_run().write(tmp_path)
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-S", "-c", ALONE, str(folder)], cwd=root, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "12 cases" in ran.stdout


def test_each_module_of_the_checker_is_asked() -> None:
    folder = Path(__file__).parent / "checker"
    judges = {file.stem for file in folder.glob("*.py") if "\ndef check(run: Run)" in file.read_text()}
    assert judges == {check.__module__.rpartition(".")[2] for check in CHECKS}
