"""The oracles are worth what they catch: defects that are planted one at a time into a copy of the code."""

import ast
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos.mutants.caught import TABLE, as_markdown, read_findings, write_findings
from tests.chaos.mutants.patches import ROOT, Mutant, UnusablePatch, all_mutants, planted, read_mutant
from tests.chaos.mutants.trials import Finding, Result, by_simulation

MUTANTS = all_mutants()
SEEDS = range(1, 11)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_patch_fits_the_code_as_it_is(mutant: Mutant, tmp_path: Path) -> None:
    files = _files_of(mutant, tmp_path)
    before = [file.read_text(encoding="utf-8") for file in files]
    planted(mutant, tmp_path)
    after = [file.read_text(encoding="utf-8") for file in files]
    assert all(one != other for one, other in zip(before, after, strict=True))
    for file, text in zip(files, after, strict=True):
        if file.suffix == ".py":
            ast.parse(text)


def test_a_patch_that_the_code_has_outgrown_is_named(tmp_path: Path) -> None:
    mutant = MUTANTS[0]
    _files_of(mutant, tmp_path)
    planted(mutant, tmp_path)
    with pytest.raises(UnusablePatch, match=f"{mutant.name}.patch does not fit the code any more"):
        planted(mutant, tmp_path)


def test_a_patch_without_a_head_is_told_what_to_say(tmp_path: Path) -> None:
    patch = tmp_path / "bare.patch"
    shutil.copy(MUTANTS[0].patch, patch)
    patch.write_text(patch.read_text(encoding="utf-8").split("\n\n", 1)[1], encoding="utf-8")
    with pytest.raises(UnusablePatch, match=r"bare\.patch: begin with the lines `Plants:"):
        read_mutant(patch)


@pytest.mark.slow
def test_a_planted_defect_is_found_within_ten_seeds() -> None:
    """All that the simulation can see, side by side; the seed that showed it last comes first."""
    shown = {found.mutant: found.seed for found in read_findings(TABLE) if found.by == "simulation"}

    def tried(mutant: Mutant) -> Finding:
        return by_simulation(mutant, sorted(SEEDS, key=lambda seed: seed != shown.get(mutant.name)))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = list(pool.map(tried, (mutant for mutant in MUTANTS if "simulation" in mutant.seen_by)))
    assert [found for found in findings if found.result is not Result.CAUGHT] == []


@pytest.mark.slow
def test_code_without_a_planted_defect_is_not_accused(tmp_path: Path) -> None:
    """And a patch that does not run is no catch."""
    harmless = _patch(tmp_path / "harmless.patch", "MAX_DELAY_S = 300.0", "MAX_DELAY_S = 301.0")
    broken = _patch(tmp_path / "broken.patch", "MAX_DELAY_S = 300.0", "MAX_DELAY_S = nobody_knows")
    assert by_simulation(harmless, seeds=[1]).result is Result.MISSED
    found = by_simulation(broken, seeds=[1])
    assert found.result is Result.BROKEN
    assert "nobody_knows" in (found.detail or "")


def test_the_table_keeps_what_was_found_before(tmp_path: Path) -> None:
    one, other = MUTANTS[:2]
    table = tmp_path / "caught.json"
    before = Finding(one.name, "chaos", Result.MISSED, 90.0)
    write_findings(table, (one, other), [before, Finding(other.name, "simulation", Result.MISSED, 6.0)])
    caught = Finding(other.name, "simulation", Result.CAUGHT, 0.7, seed=2, invariant="the audit trail holds")
    write_findings(table, (one, other), [caught])
    assert read_findings(table) == [before, caught]


def test_the_table_can_be_shown_to_readers() -> None:
    mutant = MUTANTS[0]
    caught = Finding(mutant.name, "chaos", Result.CAUGHT, 41.2, seed=3, invariant="invariant 2")
    missed = Finding(mutant.name, "simulation", Result.MISSED, 6.0)
    assert as_markdown([mutant], [caught, missed]).splitlines()[2:] == [
        f"| {mutant.plants} | chaos | 3 | 41.2 s | invariant 2 |",
        f"| {mutant.plants} | simulation |  | 6 s | **missed** |",
    ]


def test_the_committed_table_says_of_every_mutant_what_catches_it() -> None:
    caught = {(found.mutant, found.by) for found in read_findings(TABLE) if found.result is Result.CAUGHT}
    assert {(mutant.name, by) for mutant in MUTANTS for by in mutant.seen_by} == caught


def _files_of(mutant: Mutant, tree: Path) -> list[Path]:
    """Copies of the files that the patch changes."""
    for name in mutant.paths:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    return [tree / name for name in mutant.paths]


def _patch(path: Path, before: str, after: str) -> Mutant:
    """A change of one line of worker/application/settle_payment.py."""
    lines = (ROOT / "worker/application/settle_payment.py").read_text(encoding="utf-8").splitlines()
    at = lines.index(before)
    context, below = f" {lines[at - 1]}\n", f" {lines[at + 1]}\n"
    path.write_text(
        "Plants: a line that is changed for a test\nSeen by: simulation\n\n"
        "--- a/worker/application/settle_payment.py\n+++ b/worker/application/settle_payment.py\n"
        f"@@ -{at},3 +{at},3 @@\n{context}-{before}\n+{after}\n{below}",
        encoding="utf-8",
    )
    return read_mutant(path)
