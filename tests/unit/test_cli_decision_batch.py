"""A file of decisions: read whole, judged whole, and not sent when one is at fault."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import signoff
from worker.cli.decision_batch import read_batch
from worker.cli.failure import Failure

DECISION = {
    "decision_id": "D-1",
    "exception_id": "EXC-1",
    "verdict": "approve",
    "reviewer": {"id": "user:maria", "roles": ["manager"]},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monday.json"


def written(file: Path, *values: Any) -> str:
    file.write_text("\n".join(json.dumps(value) for value in values))
    return str(file)


def problems(path: str) -> list[str]:
    with pytest.raises(Failure) as refused:
        read_batch(path)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([DECISION, {**DECISION, "decision_id": "D-2"}], ["line 1", "line 2"]),
        ([[DECISION, {**DECISION, "decision_id": "D-2"}]], ["line 1, item 1", "line 1, item 2"]),
        (
            [{"decisions": [DECISION, {**DECISION, "decision_id": "D-2"}]}],
            ["line 1, decision 1", "line 1, decision 2"],
        ),
    ],
    ids=["JSON lines", "an array", "a batch event"],
)
def test_every_way_to_write_a_batch_is_read_with_the_place_of_each_decision(
    file: Path, values: list[Any], places: list[str]
) -> None:
    members = read_batch(written(file, *values))
    assert [member.decision_id for member in members] == ["D-1", "D-2"]
    assert [member.place.removeprefix(f"{file}, ") for member in members] == places


def test_a_decision_without_an_id_gets_one_of_its_own(file: Path) -> None:
    nameless = {name: value for name, value in DECISION.items() if name != "decision_id"}
    first, second = read_batch(written(file, nameless, {**nameless, "decision_id": None}))
    assert first.decision_id != second.decision_id
    assert first.data == {**nameless, "decision_id": first.decision_id}


def test_the_id_is_the_one_that_the_receipt_will_name(file: Path) -> None:
    [member] = read_batch(written(file, {**DECISION, "decision_id": " D-1 "}))
    assert member.decision_id == "D-1"


def test_every_mistake_is_told_with_its_line_and_nothing_is_sent(file: Path) -> None:
    path = written(
        file,
        DECISION,
        {**DECISION, "verdict": "modify"},
        {**DECISION, "decision_id": "D-3", "escalate_to": "vp"},
        7,
        {**DECISION, "decision_id": 7},
        {"command_id": "C-1", "command": "claim", "exception_id": "EXC-1", "by": {"id": "user:maria"}},
        DECISION,
    )
    assert problems(path) == [
        f"{file}, line 2: the verdict modify needs `changes`",
        f"{file}, line 3: `escalate_to` goes with the verdict escalate only",
        f"{file}, line 4: must be an object",
        f"{file}, line 5: decision_id: Input should be a valid string",
        f"{file}, line 6: this is a command, and a batch holds decisions; see `signoff approvals`",
        f"{file}, line 7: decision_id: the same as at {file}, line 1",
        "nothing was sent",
    ]


def test_of_very_many_mistakes_the_first_are_told_and_the_rest_is_counted(file: Path) -> None:
    told = problems(written(file, *[{} for _ in range(30)]))
    assert len(told) == 22
    assert told[-2:] == ["and 10 more", "nothing was sent"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is nothing to send in it"),
        (b"[]", "there is nothing to send in it"),
        (b'{"decisions": []}', "line 1: decisions: must be a list with something in it"),
        (b'{"decisions": 7}', "line 1: decisions: must be a list with something in it"),
        (b'{"decision_id": "D-1"', "line 1: not JSON"),
        (b'{"amount": NaN}', "NaN is not JSON"),
        (b"\xff", "byte 0 is not valid UTF-8"),
    ],
)
def test_a_file_that_is_no_batch_ends_with_1_and_one_sentence(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    ran = signoff("decide", "--batch", str(file))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"signoff: {file}")
    assert said in ran.err


def test_standard_input_is_read_like_a_file() -> None:
    ran = signoff("decide", "--batch", "-", stdin=b'{"decision_id": "D-1"}')
    assert ran.code == 1
    assert ran.err.startswith("signoff: standard input, line 1: reviewer: is missing")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ran = signoff("decide", "--batch", str(tmp_path / "absent.json"))
    assert (ran.code, ran.err) == (1, f"signoff: {tmp_path / 'absent.json'}: no such file or directory\n")
