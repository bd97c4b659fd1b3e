"""`caught.json`: of each mutant by which program, at which seed, how soon and by which invariant it is caught."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.chaos.mutants.patches import HOME, NOBODY, PROGRAMS, Mutant
from tests.chaos.mutants.trials import Finding, Result

TABLE = HOME / "caught.json"


def write_findings(path: Path, mutants: Iterable[Mutant], findings: Iterable[Finding]) -> None:
    """What was tried now takes the place of what was found before. Mutants that are gone are left out."""
    known = {(found.mutant, found.by): found for found in (*read_findings(path), *findings)}
    table = [
        {
            "mutant": mutant.name,
            "plants": mutant.plants,
            "found": [_row(known[mutant.name, by]) for by in PROGRAMS if (mutant.name, by) in known],
        }
        for mutant in mutants
    ]
    path.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_findings(path: Path) -> list[Finding]:
    if not path.exists():
        return []
    table = json.loads(path.read_text(encoding="utf-8"))
    return [
        Finding(mutant=row["mutant"], **{**found, "result": Result(found["result"])})
        for row in table
        for found in row["found"]
    ]


def as_markdown(mutants: Sequence[Mutant], findings: Iterable[Finding]) -> str:
    """The table for a page of the documentation: a line for each mutant and program."""
    lines = ["| planted | found by | at seed | after | by |", "|---|---|---|---|---|"]
    plants = {mutant.name: mutant.plants for mutant in mutants}
    holes = [mutant for mutant in mutants if not mutant.seen_by]
    for found in findings:
        told = found.invariant if found.result is Result.CAUGHT else f"**{found.result}**"
        lines.append(f"| {plants[found.mutant]} | {found.by} | {found.seed or ''} | {found.seconds:g} s | {told} |")
    lines += [f"| {mutant.plants} | **{NOBODY}** | | | |" for mutant in holes]
    return "\n".join(lines)


def _row(found: Finding) -> dict[str, object]:
    row = asdict(found)
    del row["mutant"]
    return {name: value for name, value in row.items() if value is not None}
