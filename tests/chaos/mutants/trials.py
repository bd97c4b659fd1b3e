"""Runs a planted defect until something catches it: in the simulation, or in chaos runs that the checker judges."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from subprocess import PIPE
from time import monotonic
from typing import Any

from tests.chaos.mutants.patches import Mutant, UnusablePatch, copied, planted

SIMULATION_LIMIT_S = 300.0
CHAOS_LIMIT_S = 900.0
"""For one run. A mutant that goes round in circles is broken: it proves nothing of an oracle."""

STOPPING_LIMIT_S = 60.0
"""For a chaos run that is given up: it has a broker, a database and workers to stop."""

MISTAKES = (
    "NameError:",
    "ImportError:",
    "ModuleNotFoundError:",
    "AttributeError:",
    "SyntaxError:",
    "IndentationError:",
)
"""What a patch that does not fit its surroundings raises. A worker that logs it did not break an invariant."""


class Result(StrEnum):
    """BROKEN is a mutant that does not run as the defect that it plants: it says nothing of the oracle."""

    CAUGHT = "caught"
    MISSED = "missed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """`seed` is the one that showed it, after `seconds` of running; `invariant` what did not hold, and of a broken
    mutant what went wrong."""

    mutant: str
    by: str
    result: Result
    seconds: float
    seed: int | None = None
    invariant: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Of one chaos run."""

    cases: int
    faults: int


def by_simulation(mutant: Mutant, seeds: Iterable[int]) -> Finding:
    """One seed after the other, in a process that imports the worker from the copy."""
    with tempfile.TemporaryDirectory(prefix="signoff-mutant-") as folder:
        tree = Path(folder)
        copied(tree)
        try:
            planted(mutant, tree)
            ran = _python(tree, "tests.chaos.mutants.simulated", *map(str, seeds), limit_s=SIMULATION_LIMIT_S)
        except UnusablePatch as error:
            return _broken(mutant, "simulation", 0.0, str(error))
        except subprocess.TimeoutExpired:
            return _broken(mutant, "simulation", SIMULATION_LIMIT_S, f"did not end within {SIMULATION_LIMIT_S:g} s")
    said = ran.stdout.strip().splitlines()
    if ran.returncode != 0 or not said:
        return _broken(mutant, "simulation", 0.0, _last_line(ran.stderr))
    told = json.loads(said[-1])
    return Finding(mutant=mutant.name, by="simulation", **{**told, "result": Result(told["result"])})


def by_chaos(mutant: Mutant, seeds: Iterable[int], size: Size) -> Finding:
    """Real processes, one run for each seed until the checker finds something."""
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="signoff-mutant-") as folder:
        tree = Path(folder, "tree")
        copied(tree)
        try:
            planted(mutant, tree)
        except UnusablePatch as error:
            return _broken(mutant, "chaos", 0.0, str(error))
        for seed in seeds:
            run = Path(folder, f"run-{seed}")
            try:
                ran = _chaos(tree, run, seed, size)
            except subprocess.TimeoutExpired:
                return _broken(mutant, "chaos", monotonic() - began, f"did not end within {CHAOS_LIMIT_S:g} s")
            seconds = round(monotonic() - began, 1)
            if mistake := next(_mistakes(mutant, run), None):
                return _broken(mutant, "chaos", seconds, mistake)
            if ran.returncode == 1 and (found := _violation(run)):
                return Finding(mutant.name, "chaos", Result.CAUGHT, seconds, seed, *found)
            if ran.returncode != 0:
                return _broken(mutant, "chaos", seconds, _last_line(ran.stderr or ran.stdout))
        return Finding(mutant.name, "chaos", Result.MISSED, round(monotonic() - began, 1))


def _chaos(tree: Path, run: Path, seed: int, size: Size) -> subprocess.CompletedProcess[str]:
    amounts = ["--seed", str(seed), "--cases", str(size.cases), "--faults", str(size.faults)]
    return _python(tree, "tests.chaos", *amounts, "--dir", str(run), limit_s=CHAOS_LIMIT_S)


def _violation(run: Path) -> tuple[str, str] | None:
    """The first invariant that the checker names, and what is wrong. A run that stands still is never judged."""
    verdict = run / "verdict.json"
    if not verdict.exists():
        return ("the work that is left shrinks", "the run stood still") if (run / "standstill").exists() else None
    violations: list[dict[str, Any]] = json.loads(verdict.read_text(encoding="utf-8"))["violations"]
    return (f"invariant {violations[0]['invariant']}", str(violations[0]["what"])) if violations else None


def _mistakes(mutant: Mutant, run: Path) -> Iterator[str]:
    """Errors that were raised in a file that the patch changes: others are of the faults, not of the patch."""
    for log in sorted(run.glob("logs/*.log")):
        raised_by = ""
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith('  File "'):
                    raised_by = line
                elif line.startswith(MISTAKES) and any(path in raised_by for path in mutant.paths):
                    yield line.strip()


def _python(tree: Path, module: str, *arguments: str, limit_s: float) -> subprocess.CompletedProcess[str]:
    """The copy stands first on the path, before the checkout that is installed for development: for the workers too
    that a chaos run starts. Raises TimeoutExpired, when the program has had time to stop what it started."""
    command = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    with subprocess.Popen(command, cwd=tree, env=environment, stdout=PIPE, stderr=PIPE, text=True) as program:
        try:
            out, err = program.communicate(timeout=limit_s)
        except BaseException:
            program.send_signal(signal.SIGINT)
            _wait(program)
            raise
    return subprocess.CompletedProcess(command, program.returncode, out, err)


def _wait(program: "subprocess.Popen[str]") -> None:
    try:
        program.communicate(timeout=STOPPING_LIMIT_S)
    except subprocess.TimeoutExpired:
        program.kill()


def _broken(mutant: Mutant, by: str, seconds: float, why: str) -> Finding:
    return Finding(mutant.name, by, Result.BROKEN, round(seconds, 1), invariant=None, detail=why)


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "nothing was said")
