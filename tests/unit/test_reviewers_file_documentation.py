"""The page "Reviewers" says what the code does: its registers load, its seal is ours, its codes are the contract's."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.values import ReceiptCode
from worker.adapters.policy.loading import load_policy
from worker.adapters.reviewers.entries import AWAY_FIELDS, OPTIONAL_FIELDS
from worker.adapters.reviewers.register_file import RegisterError, parse_register
from worker.domain.approval import SHOWN, Question
from worker.domain.reviewers import standings

PAGE = (Path(__file__).parents[2] / "docs" / "reviewers.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    return PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


REGISTERS = blocks("yaml")
EVENT: dict[str, Any] = json.loads(blocks("json")[0])


@pytest.mark.parametrize("text", REGISTERS, ids=["file", "chain", "turns"])
def test_every_register_on_the_page_fits_the_default_policy(text: str) -> None:
    register = parse_register(text.encode(), "people.yaml", load_policy())
    assert register.people
    assert register.warnings == ()


def test_the_refusal_on_the_page_is_what_the_file_on_the_page_gets() -> None:
    (shown,) = re.findall(r"^signoff: (people\.yaml:\d+: .*)$", PAGE, re.MULTILINE)
    misspelt = REGISTERS[0].replace("delegate: user:jonas", "delegate: user:joans")
    with pytest.raises(RegisterError) as refused:
        parse_register(misspelt.encode(), "people.yaml", load_policy())
    assert str(refused.value) == shown


def test_the_page_lists_every_field_of_the_file() -> None:
    rows = [row.split("|")[1] for row in section("The file").splitlines() if row.startswith("| `")]
    assert [field for row in rows for field in re.findall(r"`(\w+)`", row)] == ["id", *OPTIONAL_FIELDS]
    (away,) = (row for row in section("The file").splitlines() if row.startswith("| `away`"))
    assert set(re.findall(r"`(\w+)`", away)) == {"away", *AWAY_FIELDS}


def test_the_stand_in_on_the_page_signs_for_whom_it_says() -> None:
    people = parse_register(REGISTERS[1].encode(), "people.yaml", load_policy()).people
    christmas_eve = people[1].away_from
    assert christmas_eve is not None
    found = list(standings("user:lena", people, christmas_eve + timedelta(days=1)))
    assert [(person.id, standing.on_behalf_of) for standing, person in found] == [
        ("user:lena", ()),
        ("user:jonas", ("user:jonas",)),
        ("user:maria", ("user:jonas", "user:maria")),
    ]


def test_the_page_names_the_fields_that_are_sealed() -> None:
    listed = section("Sealed decisions").split("nulls included:", 1)[1].split("```", 1)[0]
    assert set(re.findall(r"`(\w+)`", listed)) == SHOWN
    assert EVENT.keys() == SHOWN


def test_the_program_on_the_page_computes_the_seal_that_the_worker_gives() -> None:
    (told,) = re.findall(r"whose hash is `([0-9a-f]{64})`", PAGE)
    names: dict[str, Any] = {}
    exec(blocks("python")[0], names)  # noqa: S102 - the page is ours, and this is what its readers do
    assert names["review_hash"](EVENT) == told
    assert question_of(EVENT).review_hash == told


def question_of(event: dict[str, Any]) -> Question:
    """As the worker asked it, when this event announces it."""
    asked = {
        "name": event["level"]["name"],
        "role": "director",
        "due_in": timedelta(hours=24),
        "allowed_verdicts": event["allowed_verdicts"],
        "quorum": event["quorum"],
        "on_timeout": event["on_timeout"],
        "part": event["part"],
    }
    return Question.model_validate({**event, "asked": asked})


def test_the_page_explains_every_receipt_code_once() -> None:
    codes = re.findall(r"^\| `(\w+)` \|", section("Receipts"), re.MULTILINE)
    assert codes == list(ReceiptCode)
