"""The published JSON Schemas: they are current, they are valid, and they refuse what the models refuse."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from schemas.catalogue import EVENTS, TOPICS, Direction
from schemas.events import ApprovalCommanded, ApprovalNeeded, Event, ExceptionRaised, ReviewBatch, ReviewDecided
from schemas.generate.__main__ import ROOT, main
from schemas.generate.examples import published, sent
from schemas.generate.files import drift, write
from schemas.generate.json_schema import messages_of
from worker.domain.approval import SHOWN

INCOMING = {type_ for topic in TOPICS if topic.direction is Direction.IN for type_ in topic.events}
REFUND = sent(ExceptionRaised)["refund"]
DECISION = sent(ReviewDecided)["modify"]
DELEGATION = sent(ApprovalCommanded)["hand-over by business key"]


def validator(type_: str) -> Draft202012Validator:
    text = (ROOT / "schemas" / "json" / f"{type_}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text), format_checker=Draft202012Validator.FORMAT_CHECKER)


def examples(type_: str, model: type[Event]) -> list[dict[str, Any]]:
    form_of = sent if type_ in INCOMING else published
    return [example for form in messages_of(model) for example in form_of(form).values()]


def test_what_is_published_agrees_with_the_models() -> None:
    assert drift(ROOT) == []


def test_the_check_names_a_file_that_differs_is_missing_or_is_left_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert main(["--check"], root=tmp_path) == 0
    folder = tmp_path / "schemas" / "json"
    (folder / "signoff.review.receipt.v1.schema.json").write_text("{}")
    (folder / "signoff.gone.v1.schema.json").write_text("{}")
    (tmp_path / "docs" / "asyncapi.yaml").unlink()
    assert main(["--check"], root=tmp_path) == 1
    complaints = capsys.readouterr().err
    assert "receipt.v1.schema.json does not agree with the models" in complaints
    assert "gone.v1.schema.json describes no event of ours" in complaints
    assert "asyncapi.yaml is missing" in complaints


@pytest.mark.parametrize(("type_", "model"), EVENTS.items())
def test_a_schema_is_valid_and_accepts_its_examples(type_: str, model: type[Event]) -> None:
    Draft202012Validator.check_schema(validator(type_).schema)
    assert examples(type_, model)
    for example in examples(type_, model):
        validator(type_).validate(example)


@pytest.mark.parametrize("form", [form for model in EVENTS.values() for form in messages_of(model)])
def test_the_models_accept_the_examples(form: type[Event]) -> None:
    for example in sent(form).values():
        assert form.model_validate(example).to_json()


@pytest.mark.parametrize(("type_", "model"), EVENTS.items())
def test_a_schema_misses_each_field_that_it_requires(type_: str, model: type[Event]) -> None:
    schema = validator(type_).schema
    assert isinstance(schema, dict)
    required = schema.get("required") or []
    for example in examples(type_, model):
        for field in required:
            without = {name: value for name, value in example.items() if name != field}
            assert not validator(type_).is_valid(without), field


BAD_EXCEPTIONS: list[dict[str, Any]] = [
    {"kind": "gift"},
    {"amount": None},
    {"amount": {"amount_minor": 0, "currency": "USD"}},
    {"amount": {"amount_minor": -1, "currency": "USD"}},
    {"amount": {"amount_minor": 1.5, "currency": "USD"}},
    {"amount": {"amount_minor": "1", "currency": "USD"}},
    {"amount": {"amount_minor": 1, "currency": "usd"}},
    {"order_id": None},
    {"customer_id": None},
    {"confidence": 1.5},
    {"failed_attempts": -1},
    {"reason": "x" * 4001},
    {"kind": "account_change"},
    {"kind": "account_change", "changes": {}},
    {"kind": "action_request"},
    {"kind": "action_request", "actions": []},
    {"kind": "action_request", "action": {"name": "a"}, "actions": [{"name": "b"}]},
    {"items": [{"sku": "MUG-1", "quantity": 0}]},
]
BAD_DECISIONS: list[dict[str, Any]] = [
    {"approval_id": None},
    {"verdict": None},
    {"verdict": "maybe"},
    {"changes": None},
    {"verdict": "choose"},
    {"verdict": "request_changes", "comment": None},
    {"reviewer": None},
    {"reviewer": {}},
    {"decision_id": ""},
    {"escalate_to": "director"},
    {"verdict": None, "response": {}, "escalate_to": "director"},
]
BAD_COMMANDS: list[dict[str, Any]] = [
    {"exception_id": None},
    {"command": "steal"},
    {"command": "claim"},
    {"command": "release"},
    {"to": None},
    {"by": {}},
    {"command_id": ""},
]
PLANTED = [
    *((ExceptionRaised, REFUND | bad) for bad in BAD_EXCEPTIONS),
    *((ReviewDecided, DECISION | bad) for bad in BAD_DECISIONS),
    *((ApprovalCommanded, DELEGATION | bad) for bad in BAD_COMMANDS),
]


@pytest.mark.parametrize(("model", "event"), PLANTED)
def test_what_the_model_refuses_the_schema_refuses(model: type[Event], event: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(event)
    assert not validator(model.TYPE).is_valid(event)


@pytest.mark.parametrize("name", published(ApprovalNeeded))
def test_the_seal_of_an_example_is_recomputed_from_what_it_shows(name: str) -> None:
    example = published(ApprovalNeeded)[name]
    shown = rfc8785.dumps({field: example[field] for field in SHOWN})
    assert hashlib.sha256(shown).hexdigest() == example["review_hash"]


def test_the_schema_looks_into_a_batch() -> None:
    decided = validator(ReviewDecided.TYPE)
    assert decided.is_valid(sent(ReviewBatch)["two decisions"])
    assert not decided.is_valid({"decisions": [DECISION, {"decision_id": "d-2"}]})
    assert not decided.is_valid({"decisions": []})
