"""A failpoint ends or stops a process at the time that was asked for, and says before what it met."""

import json
import os
import signal
import subprocess
import sys

import pytest

from worker.application import failpoints

REACHES_TWICE = """
import sys
from worker.application import failpoints
failpoints.arm(sys.argv[1])
for time in (1, 2):
    failpoints.reach("case.before-commit", ["pending", "executing", "pending"])
    print(f"alive after {time}", flush=True)
"""


def a_process(specification: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", REACHES_TWICE, specification],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_process_dies_at_the_time_that_was_asked_for_and_says_what_it_met() -> None:
    with a_process("case.before-commit=2") as process:
        out, told = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert out.splitlines() == ["alive after 1"]
    assert json.loads(told) == {
        "failpoint": "case.before-commit",
        "fault": "kill",
        "states": ["executing", "pending"],
    }


def test_a_process_that_was_stopped_goes_on_when_it_is_told_to() -> None:
    with a_process("case.before-commit=1:stop") as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        out, told = process.communicate(timeout=30)
    assert out.splitlines() == ["alive after 1", "alive after 2"]
    assert json.loads(told)["fault"] == "stop"


@pytest.mark.parametrize(
    ("specification", "problem"),
    [
        ("case.nowhere=1", "unknown failpoint 'case.nowhere'"),
        ("case.before-commit=0", "give a count of at least 1"),
        ("case.before-commit", "give a count of at least 1"),
        ("case.before-commit=1:burn", "'burn' is no fault; choose among kill, stop"),
    ],
)
def test_what_is_no_failpoint_is_refused(specification: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        failpoints.arm(specification)
