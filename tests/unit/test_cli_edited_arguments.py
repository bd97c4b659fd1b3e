"""`--edit-action`: what is typed is read exactly, or refused with its place."""

from pathlib import Path

import pytest

from worker.cli.edited_arguments import EditProblem, parse_edits


def test_each_edit_names_its_action_and_gives_all_of_its_arguments() -> None:
    assert parse_edits(['0={"to": "bob", "cc": null}', " 12 = {}"]) == [
        {"index": 0, "args": {"to": "bob", "cc": None}},
        {"index": 12, "args": {}},
    ]


def test_arguments_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "statement.json"
    file.write_text('{"statement": "select 1"}')
    assert parse_edits([f"0=@{file}"]) == [{"index": 0, "args": {"statement": "select 1"}}]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["to=bob"], "'to=bob' is no edit; write NUMBER="),
        (["0"], "'0' is no edit"),
        (["-1={}"], "'-1={}' is no edit"),
        (["１={}"], "is no edit"),  # noqa: RUF001
        (["0="], "action 0: holds nothing; the arguments are a JSON object"),
        (['0={"to": '], "action 0: "),
        (['0={"to": NaN}'], "action 0: NaN is not JSON"),
        (['0={"to": 1, "to": 2}'], "action 0: an object has the same key twice"),
        (["0=7"], "action 0: the arguments must be a JSON object"),
        (["1={}", "01={}"], "action 1 is edited twice"),
    ],
)
def test_what_cannot_be_read_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(EditProblem) as refused:
        parse_edits(texts)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EditProblem) as refused:
        parse_edits([f"3=@{tmp_path / 'absent.json'}"])
    assert str(refused.value) == f"action 3: {tmp_path / 'absent.json'}: no such file or directory"
