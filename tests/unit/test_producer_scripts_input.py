"""Where values come from, and how a mistake in them is told: file, line and field."""

import json
from pathlib import Path

import pytest

from producer_scripts.deciding import read_said
from producer_scripts.failure import Failure
from producer_scripts.json_input import raw_records, read_values
from producer_scripts.validation import validated
from schemas.events import ApprovalCommanded, ExceptionRaised, ReviewDecided
from schemas.generate.examples import sent

REFUND = sent(ExceptionRaised)["refund"]
DECISION = sent(ReviewDecided)["modify"]
CLAIM = sent(ApprovalCommanded)["claim"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


def places(file: Path) -> list[str]:
    return [value.place.rpartition("line ")[2] for value in read_values(str(file))]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"a": 1}', ["1"]),
        ('{"a": 1}\n\n{"a": 2}\n', ["1", "3"]),
        ('[{"a": 1},\n {"a": 2}]', ["1, item 1", "2, item 2"]),
        ('\ufeff{\n"a": 1\n}\n{"a": 2}', ["1", "4"]),
        ("[\n[1]\n]", ["2, item 1"]),
    ],
)
def test_json_json_lines_and_arrays_are_read_with_the_line_of_each_value(
    file: Path, text: str, lines: list[str]
) -> None:
    file.write_text(text, encoding="utf-8")
    assert places(file) == lines


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b'{"a": 1}\n{"a": }\n', "line 2: not JSON"),
        (b'[{"a": 1}\n {"a": 2}]', "line 2: a comma"),
        (b"[1,]", "line 1: not JSON"),
        (b"[1", "line 1: a comma or the end of the array"),
        (b"[1] 2", "more behind the end"),
        (b'{"a": 1, "a": 2}', "line 1: an object has the same key twice"),
        (b'{}\n{"a": NaN}', "line 2: NaN is not JSON"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b"\xff", "byte 0 is not valid UTF-8"),
        (b" \n", "nothing to send"),
        (b"[]", "nothing to send"),
        (b"[" * 100_000, "nested far too deeply"),
        (b"9" * 5000, "a number is far too long"),
    ],
)
def test_what_is_not_json_is_told_with_its_line(file: Path, raw: bytes, told: str) -> None:
    file.write_bytes(raw)
    with pytest.raises(Failure, match=told):
        read_values(str(file))


def test_a_file_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(Failure, match=r"absent\.json: no such file or directory"):
        read_values("absent.json")


def test_all_mistakes_are_told_by_file_line_and_field_and_nothing_passes(file: Path) -> None:
    lines = [REFUND, REFUND | {"amount": {"amount_minor": "1", "currency": "USD"}}, {"kind": "refund"}]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    with pytest.raises(Failure) as refused:
        validated(read_values(str(file)), ExceptionRaised)
    first, second, last = str(refused.value).splitlines()
    assert first.startswith(f"{file}, line 2: amount.amount_minor: ")
    assert second.startswith(f"{file}, line 3: exception_id: is missing")
    assert last == "nothing was sent"


def test_raw_records_are_the_lines_of_a_jsonl_file_and_else_the_whole(tmp_path: Path) -> None:
    lines, whole = tmp_path / "bad.jsonl", tmp_path / "bad.json"
    for file in (lines, whole):
        file.write_bytes(b"{\n\n\xff\n")
    assert raw_records(str(lines)) == [b"{", b"\xff"]
    assert raw_records(str(whole)) == [b"{\n\n\xff\n"]


def test_a_batch_in_a_file_counts_as_its_decisions(file: Path) -> None:
    file.write_text('{"decision_id": "1"}\n{"decisions": [{"decision_id": "2"}, 3]}')
    assert [(value.place, value.data) for value in read_values(str(file), members="decisions")] == [
        (f"{file}, line 1", {"decision_id": "1"}),
        (f"{file}, line 2, decision 1", {"decision_id": "2"}),
        (f"{file}, line 2, decision 2", 3),
    ]


@pytest.mark.parametrize("batch", ['{"decisions": {}}', '{"decisions": []}'])
def test_a_batch_that_is_no_list_or_an_empty_one_is_told(file: Path, batch: str) -> None:
    file.write_text(batch)
    with pytest.raises(Failure, match="decisions: must be a list"):
        read_said(str(file))


def test_decisions_and_commands_of_a_file_are_each_held_to_their_own_rules(file: Path) -> None:
    file.write_text("\n".join(json.dumps(said) for said in (DECISION, CLAIM)))
    assert read_said(str(file)) == [DECISION, CLAIM]
    file.write_text(
        "\n".join(json.dumps(said) for said in ({"decisions": [DECISION, {}]}, {**CLAIM, "to": "user:eve"}))
    )
    with pytest.raises(Failure) as refused:
        read_said(str(file))
    of_batch, of_command, last = str(refused.value).splitlines()
    assert of_batch.startswith(f"{file}, line 1, decision 2: decision_id: is missing")
    assert of_command == f"{file}, line 2: `to` goes with reassign and delegate, not with claim"
    assert last == "nothing was sent"
