"""The short form of `python -m tests.fuzz`, and the proof that it would notice."""

import json
from types import ModuleType

import pytest
from jsonschema import Draft202012Validator

from schemas.values import RejectionReason
from tests.fuzz import decisions, records
from tests.fuzz.decisions import fuzz_decisions
from tests.fuzz.draw_instances import INPUTS, in_draft_7, published
from tests.fuzz.hostile import CLASSES
from tests.fuzz.material import samples
from tests.fuzz.records import INSTANCES, Violation, fuzz_records
from tests.fuzz.schema_instances import instances
from worker.application import authority, examine_decision
from worker.domain import edited_calls, resolution, tool_calls
from worker.translation.inbound import Record, Rejected

SEED = 20_260


@pytest.mark.slow
async def test_malformed_records_are_refused_with_a_reason_and_stop_no_good_one() -> None:
    tally = await fuzz_records(1_600, SEED)
    assert tally.refused + tally.accepted == tally.records == 1_600
    assert tally.refused > 1_200
    assert tally.good == 1_600 // records.PROBE_EVERY + 1_600 // records.CHUNK
    assert {"INVALID_JSON", "INVALID_UTF8", "SCHEMA_INVALID", "AMOUNT_INVALID", "TOO_DEEP"} <= tally.by_reason.keys()


@pytest.mark.slow
async def test_no_hostile_decision_takes_effect_and_no_valid_one_is_refused() -> None:
    tally = await fuzz_decisions(800, SEED)
    assert (tally.hostile, tally.hostile_accepted) == (800, 0)
    assert (tally.valid, tally.valid_refused) == (200, 0)
    assert len(tally.by_class) > len(CLASSES) * 0.9


async def test_the_same_seed_sends_the_same() -> None:
    assert await fuzz_records(60, SEED) == await fuzz_records(60, SEED)
    assert await fuzz_decisions(40, SEED) == await fuzz_decisions(40, SEED)


@pytest.mark.slow
def test_every_input_has_instances_of_its_schema_and_the_same_seed_draws_the_same() -> None:
    drawn = instances(2, SEED)
    assert drawn.keys() == {sample.type for sample in samples()}
    assert drawn == instances.__wrapped__(2, SEED)


@pytest.mark.slow
@pytest.mark.parametrize("event_type", INPUTS)
def test_each_part_of_an_instance_is_right_by_itself(event_type: str) -> None:
    part_by_part = Draft202012Validator(in_draft_7(published(event_type)))
    for instance in instances(INSTANCES, SEED)[event_type]:
        part_by_part.validate(instance)


async def test_a_reader_that_repeats_what_was_sent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(record: Record) -> list[Rejected]:
        return [Rejected(0, RejectionReason.INVALID_JSON, repr(record.value))]

    monkeypatch.setattr(records, "read", read)
    with pytest.raises(Violation, match="the detail repeats what was sent"):
        await fuzz_records(200, SEED)


async def test_a_reader_that_raises_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "read", lambda record: json.loads(record.value))
    with pytest.raises(Violation, match="the reader raised"):
        await fuzz_records(200, SEED)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "check"),
    [
        (examine_decision, "check_open"),
        (examine_decision, "_check_hash"),
        (examine_decision, "_check_all_answered"),
        (examine_decision, "_check_what_is_left"),
        (authority, "same_person"),
        (authority, "_check_assignee"),
        (authority, "_not_this_person"),
        (authority, "_over_ceiling"),
        (resolution, "_check_amount"),
        (tool_calls, "_check_indexes"),
        (edited_calls, "_check_name"),
    ],
)
async def test_a_check_that_is_left_out_is_noticed(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, check: str
) -> None:
    monkeypatch.setattr(module, check, lambda *given: None)
    with pytest.raises(Violation):
        await fuzz_decisions(400, SEED)


def test_there_are_many_classes_each_with_a_name_of_its_own() -> None:
    names = [one.name for one in CLASSES]
    assert len(names) == len(set(names)) >= 25
    assert decisions.TOOK_EFFECT.isdisjoint(code for one in CLASSES for code in one.codes)
