"""docs/analysts.md: its example runs, its lists are complete, and its figures are those of the labelled set."""

import contextlib
import io
import json
import re
from pathlib import Path

from tests.analysis.hostile_texts import DISGUISES, ORDERS
from tests.commands import signoff
from worker.adapters.analysis.chat_model import AT_ONCE, FAILURES, REST_S, Problem
from worker.adapters.analysis.concerns import Concern
from worker.adapters.analysis.drafts import MAX_DRAFT
from worker.adapters.analysis.reason_codes import ReasonCode
from worker.adapters.analysis.rules import MANY_CASES
from worker.domain.analysis import Opinion

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")
LABELLED = ROOT / "tests" / "analysis" / "labelled.jsonl"


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def rows(heading: str) -> dict[str, list[str]]:
    """The table whose first column has that heading: first cell, without backquotes, to the others."""
    table = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table]
    return {name.strip("`"): rest for name, *rest in cells}


def test_the_example_prints_what_the_page_says() -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python"), "docs/analysts.md", "exec"), {})  # noqa: S102 - our own page
    assert printed.getvalue() == block("text")


def test_the_page_lists_every_field_concern_code_and_problem() -> None:
    assert rows("field").keys() == Opinion.model_fields.keys() - {"by"}
    assert rows("concern").keys() == set(Concern)
    assert rows("problem").keys() == set(Problem)
    assert all(f"`{code}`" in PAGE for code in ReasonCode)


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    assert (AT_ONCE, FAILURES, REST_S, MAX_DRAFT, MANY_CASES) == (8, 5, 30.0, 1_000, 5)
    assert f"{len(ORDERS)} languages,\n{len(DISGUISES)} disguises" in PAGE


def test_the_line_of_the_page_can_be_measured(tmp_path: Path) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text(block("json"), encoding="utf-8")
    ran = signoff("analyse", "eval", str(file), "--json")
    assert (ran.code, ran.json["accuracy"]) == (0, 1.0)


def test_the_figures_of_the_rules_are_those_of_the_page() -> None:
    ran = signoff("analyse", "eval", str(LABELLED), "--json")
    assert ran.code == 0
    measured = {
        score["name"]: [f"{score[name]:.2f}" for name in ("precision", "recall", "f1")] + [str(score["support"])]
        for score in [*ran.json["codes"], ran.json["wants_human"]]
    }
    assert rows("answer") == measured
    assert ran.json["count"] >= 60


def test_the_labelled_set_has_as_many_exceptions_and_languages_as_the_page_says() -> None:
    events = [json.loads(line)["event"] for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    assert len({event["exception_id"] for event in events}) == len(events)
    assert len({event["customer"]["language"] for event in events}) == 10
    assert f"has {len(events)} exceptions in ten languages" in PAGE
