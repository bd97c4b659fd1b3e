"""A release whose graph has no step of the name in which threads wait: what operators see, and the way out."""

import shutil
from pathlib import Path

import pytest

from tests.acceptance.house import PATIENCE_S, signatures
from tests.acceptance.people import JONAS, MARIA
from tests.commands import signoff_beside
from tests.upgrades.premises import ROOT, Shop
from worker.settings import Settings

pytestmark = pytest.mark.slow

CASE = "E-1"


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """Today's code with another name for the step that asks people."""
    code = tmp_path / "renamed"
    for package in ("worker", "schemas"):
        shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("build.py", "routing.py"):
        source = code / "worker" / "graph" / module
        text = source.read_text(encoding="utf-8")
        assert '"human_review"' in text
        source.write_text(text.replace('"human_review"', '"ask_a_person"'), encoding="utf-8")
    return code


async def test_a_case_whose_step_is_gone_is_parked_and_executed_after_an_operator_recovered_it(
    shop: Shop, settings: Settings, renamed: Path
) -> None:
    before = await shop.start_worker()
    await shop.raise_exception(CASE, 15_000)
    await shop.question(CASE, "manager")
    before.terminate()
    await before.wait()

    shop.runs(renamed)
    await shop.start_worker()
    lost = await shop.says(MARIA, "approve", CASE)
    assert (lost["code"], "operator" in lost["message"]) == ("STALE", True)
    assert (shop.state_of(CASE), shop.paid(CASE)) == ("stuck", [])
    assert "is stuck and waits for an operator" in shop.log_of()
    examined = await signoff_beside(settings, "doctor", "--json")
    [found] = [check for check in examined.json["checks"] if check["check"] == "stuck cases"]
    assert (found["ok"], CASE in found["says"], "signoff cases recover" in found["mend"]) == (False, True, True)

    by_ines = ("--by", "user:ines", "--timeout", str(PATIENCE_S))
    assert (await shop.run("cases", "recover", CASE, *by_ines)).startswith("RECORDED")
    asked = await shop.question(CASE, "manager", round=2)
    assert shop.paid(CASE) == []
    assert (await shop.says(JONAS, "approve", CASE, review_hash=asked["review_hash"]))["code"] == "ACCEPTED"

    outcome = await shop.outcome_of(CASE)
    assert (outcome["status"], signatures(outcome)) == ("executed", [("manager", "user:jonas", "approve")])
    assert shop.paid(CASE) == [15_000]
    await shop.check_audit_trail()
