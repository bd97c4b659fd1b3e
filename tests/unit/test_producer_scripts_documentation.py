"""The records that docs/producing.md shows are ones that we take."""

import json
import re
from pathlib import Path

from schemas.catalogue import REVIEW_DECISIONS
from schemas.events import ApprovalCommanded, ExceptionRaised, ReviewDecided

PAGE = Path(__file__).resolve().parents[2] / "docs" / "producing.md"


def test_the_bare_records_of_the_page_are_valid() -> None:
    raised, decided, commanded = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert ExceptionRaised.model_validate(json.loads(raised)).record_key == "ORD-1001"
    assert ReviewDecided.model_validate(json.loads(decided)).exception_id == "EXC-1001"
    command = json.loads(commanded)
    assert REVIEW_DECISIONS.model(None, command) is ApprovalCommanded
    assert ApprovalCommanded.model_validate(command).to == "user:jonas"


def test_every_program_of_the_page_exists() -> None:
    named = set(re.findall(r"producer_scripts/\w+\.py", PAGE.read_text(encoding="utf-8")))
    assert named == {f"producer_scripts/{name}.py" for name in ("raise_exception", "submit_decision", "watch", "flood")}
    assert all((PAGE.parent.parent / name).exists() for name in named)
