"""`signoff analyse eval` over small files of labelled exceptions."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.scripted_model import ScriptedModel, says, scripted
from tests.commands import Ran, signoff
from tests.records import refund
from worker.adapters.analysis import composition

DAMAGED = {"reason_code": "damaged"}


def line(reason: str = "arrived broken", label: Any = DAMAGED, **fields: Any) -> str:
    return json.dumps({"event": refund("EXC-1", reason=reason, **fields), "label": label}, ensure_ascii=False)


def evaluated(tmp_path: Path, *lines: str, options: tuple[str, ...] = ()) -> Ran:
    file = tmp_path / "labelled.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return signoff("analyse", "eval", str(file), *options)


def with_model(monkeypatch: pytest.MonkeyPatch, model: ScriptedModel) -> tuple[str, ...]:
    """The options for that model, in the place of the one that LangChain would make of the name."""
    monkeypatch.setattr(composition, "_chat_model", lambda name: model)
    return ("--analyst", "model:test:scripted", "--price-per-million", "2", "--json")


def test_the_rules_are_measured(tmp_path: Path) -> None:
    wants = {"reason_code": "not_received", "wants_human": True}
    lines = [line(), "", line("never arrived, let me speak to a person", wants), line("es ist entzwei")]
    ran = evaluated(tmp_path, *lines, options=("--json",))
    assert ran.code == 0
    assert (ran.json["count"], ran.json["tokens"], ran.json["cost"]) == (3, 0, None)
    assert ran.json["accuracy"] == pytest.approx(2 / 3)
    assert ran.json["wants_human"] == {"name": "wants_human", "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    shown = evaluated(tmp_path, *lines)
    assert "it never says how sure it is" in shown.out
    assert "not_received" in shown.out


def test_a_model_is_measured_with_its_calibration_and_its_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = with_model(monkeypatch, scripted(says(confidence=0.95, tokens=1_000)))
    ran = evaluated(tmp_path, line("one"), line("two", {"reason_code": "late"}), options=options)
    assert ran.code == 0
    assert (ran.json["tokens"], ran.json["cost"]) == (2_000, 0.004)
    assert ran.json["calibration_error"] == pytest.approx(0.45)
    assert ran.json["reliability"][9] == {
        "least": 0.9,
        "below": 1.0,
        "count": 2,
        "mean_confidence": 0.95,
        "accuracy": 0.5,
    }
    shown = evaluated(tmp_path, line("one"), options=options[:-1])
    assert "0.9 to 1.0" in shown.out


def test_a_model_that_is_down_is_told_from_one_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = with_model(monkeypatch, scripted(failure=ConnectionError()))
    ran = evaluated(tmp_path, line("one"), line("two"), options=options)
    assert ran.json["fell_back"] == {"call failed": 2}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{", "INVALID_JSON"),
        ("[]", "needs an object with `event` and `label`"),
        ('{"event": {}}', "needs an object with `event` and `label`"),
        (line(label={"reason_code": "smashed"}), "`label.reason_code`"),
        (line(label={"reason_code": "late", "wants_humans": True}), "`label.wants_humans`"),
        (line(label="late"), "`label`"),
        (line(kind="refnud"), "the worker would refuse this: SCHEMA_INVALID"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, bad: str, told: str) -> None:
    ran = evaluated(tmp_path, line(), bad, line())
    assert (ran.code, ran.out) == (1, "")
    assert "labelled.jsonl:2: " in ran.err
    assert told in ran.err


def test_all_bad_lines_are_named_at_once_up_to_a_number(tmp_path: Path) -> None:
    ran = evaluated(tmp_path, *["{"] * 25)
    assert "labelled.jsonl:20: " in ran.err
    assert "labelled.jsonl:21: " not in ran.err
    assert "and 5 more" in ran.err


def test_a_file_that_is_empty_or_not_there_is_named(tmp_path: Path) -> None:
    assert "holds no exceptions" in evaluated(tmp_path).err
    assert "nowhere.jsonl: cannot be read" in signoff("analyse", "eval", "nowhere.jsonl").err


@pytest.mark.parametrize("analyst", ["ruless", "rules:x", "model", "model:", ""])
def test_an_analyst_that_is_none_is_wrong_usage(tmp_path: Path, analyst: str) -> None:
    assert evaluated(tmp_path, line(), options=("--analyst", analyst)).code == 2


def test_a_model_that_cannot_be_made_is_a_failure_with_a_name(tmp_path: Path) -> None:
    ran = evaluated(tmp_path, line(), options=("--analyst", "model:groq:any"))
    assert ran.code == 1
    assert "the package of the provider" in ran.err
