"""The records that docs/producing.md shows are ones that we take."""

import json
import re
from pathlib import Path

from schemas.catalogue import REVIEW_DECISIONS
from schemas.events import ApprovalCommanded, ExceptionRaised, RecoveryRequested, ReviewDecided
from schemas.values import ActionStatus
from worker.domain.account_changes import difference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "producing.md"


def test_the_bare_records_of_the_page_are_valid() -> None:
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    raised, account, calls, recovery, decided, commanded = blocks
    assert ExceptionRaised.model_validate(json.loads(raised)).record_key == "ORD-1001"
    changed = ExceptionRaised.model_validate(json.loads(account))
    assert changed.customer is not None
    assert difference(changed.customer.account, changed.changes or {}) == [
        {"field": "address.city", "from": "Paris", "to": "Lyon"}
    ]
    requested = ExceptionRaised.model_validate(json.loads(calls)).requested_actions
    assert [action.id for action in requested] == ["call_7", "call_8"]
    assert RecoveryRequested.model_validate(json.loads(recovery)).requested_by == "user:ines"
    assert ReviewDecided.model_validate(json.loads(decided)).exception_id == "EXC-1001"
    command = json.loads(commanded)
    assert REVIEW_DECISIONS.model(None, command) is ApprovalCommanded
    assert ApprovalCommanded.model_validate(command).to == "user:jonas"


def test_every_word_for_what_became_of_a_call_is_explained() -> None:
    _, consume = PAGE.read_text(encoding="utf-8").split("## Consume")
    explained = re.findall(r"^\| `(\w+)` \|", consume, re.MULTILINE)
    assert explained == ["status", *ActionStatus]


def test_every_program_of_the_page_exists() -> None:
    named = set(re.findall(r"producer_scripts/\w+\.py", PAGE.read_text(encoding="utf-8")))
    assert named == {f"producer_scripts/{name}.py" for name in ("raise_exception", "submit_decision", "watch", "flood")}
    assert all((PAGE.parent.parent / name).exists() for name in named)
