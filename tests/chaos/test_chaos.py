"""The short form of the chaos runs: one seed, real processes, and the verdict of the checker."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.coverage import Hit, hits_of, missing, table
from tests.chaos.history import read
from tests.chaos.plan import WEIGHTS, Plan

SEED, CASES, FAULTS = 7, 120, 14
PATIENCE_S = 600


@pytest.mark.services
@pytest.mark.slow
def test_no_fault_of_a_short_run_breaks_an_invariant(tmp_path: Path) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "tests.chaos", "--seed", str(SEED), "--cases", str(CASES)),
            *("--faults", str(FAULTS), "--workers", "2", "--dir", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert run.returncode == 0, run.stdout[-4_000:] + run.stderr[-4_000:]
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert verdict["violations"] == []
    assert verdict["counts"]["cases"] >= CASES * 0.9
    assert verdict["counts"]["faults"] == FAULTS
    assert verdict["counts"]["kills"] > 0
    assert strikes(tmp_path) > 0


def strikes(folder: Path) -> int:
    return sum(hits_of(read(folder / "history" / "harness.jsonl")).values())


def test_the_same_seed_is_the_same_schedule() -> None:
    one, again, other = (list(Plan(seed, faults=80).schedule()) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_a_long_plan_meets_every_fault_and_every_failpoint() -> None:
    faults = list(Plan(1, faults=2_000).schedule())
    assert {fault.kind for fault in faults} == set(WEIGHTS)
    armed = Counter(fault.detail["failpoint"] for fault in faults if "failpoint" in fault.detail)
    assert missing(armed) == {}


def test_a_fault_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown faults earthquake; choose among kill, "):
        Plan(1, kinds=("kill", "earthquake"))


def test_coverage_tells_what_a_failpoint_met_and_which_fault_lasted_beside_it() -> None:
    history = [
        {"at": 1.0, "event": "fault-began", "fault": "broker-kill", "id": 0},
        {"at": 2.0, "event": "failpoint", "failpoint": "case.after-commit", "fault": "kill", "states": ["waiting"]},
        {"at": 3.0, "event": "fault-ended", "fault": "broker-kill", "id": 0},
        {"at": 9.0, "event": "failpoint", "failpoint": "publish.before-mark", "fault": "stop", "states": []},
    ]
    hits = hits_of(history)
    assert hits == {
        Hit("case.after-commit", "kill", "waiting", "broker-kill"): 1,
        Hit("publish.before-mark", "stop", "any", "alone"): 1,
    }
    assert table(hits).splitlines()[2:] == [
        "| `case.after-commit` | kill | waiting |  |  | 1 |  |  |  |  |",
        "| `publish.before-mark` | stop | any | 1 |  |  |  |  |  |  |",
    ]
