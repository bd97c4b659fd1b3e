"""The executor of the chaos runs: one effect for each key, and failures only when they are told."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.chaos.effects import RecordedEffect
from worker.adapters.executors.executor import Action, ActionUnavailable, ActionUncertain

KEY = "signoff:0199-case:1:call-1"
NOTE = Action(name="add_note", args={"to": "file"})


def executor(tmp_path: Path, **faults: float) -> RecordedEffect:
    """`before` and `after` are probabilities."""
    (tmp_path / "faults.json").write_text(json.dumps(faults))
    return RecordedEffect(
        name="add_note", journal=str(tmp_path / "effects.jsonl"), faults=str(tmp_path / "faults.json")
    )


def effects(tmp_path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (tmp_path / "effects.jsonl").read_text().splitlines()]


async def test_a_key_has_one_effect_however_often_it_is_run_at_once(tmp_path: Path) -> None:
    ran = await asyncio.gather(*(executor(tmp_path).run(NOTE, KEY) for _ in range(8)))
    assert {each.reference for each in ran} == {"effect-1"}
    (line,) = effects(tmp_path)
    assert (line["idempotency_key"], line["case_id"]) == (KEY, "0199-case")
    assert (line["name"], line["args"]) == ("add_note", {"to": "file"})


async def test_what_fails_before_its_effect_has_none(tmp_path: Path) -> None:
    failing = executor(tmp_path, before=1.0)
    with pytest.raises(ActionUnavailable):
        await failing.run(NOTE, KEY)
    assert await failing.look_up(NOTE, KEY) is None


async def test_what_fails_after_its_effect_is_found_by_its_key(tmp_path: Path) -> None:
    failing = executor(tmp_path, after=1.0)
    with pytest.raises(ActionUncertain):
        await failing.run(NOTE, KEY)
    found = await failing.look_up(NOTE, KEY)
    assert found is not None
    assert found.reference == "effect-1"
    assert await failing.look_up(NOTE, KEY[:-1]) is None


async def test_an_effect_whose_line_was_cut_off_by_a_kill_did_not_happen(tmp_path: Path) -> None:
    (tmp_path / "effects.jsonl").write_text('{"idempotency_key": "' + KEY)
    calm = executor(tmp_path)
    assert await calm.look_up(NOTE, KEY) is None
    assert (await calm.run(NOTE, KEY)).reference == "effect-1"
    assert len(effects(tmp_path)) == 1
