"""The campaign that the documents tell of: its sums are those of its runs, and nothing is left to be wanted."""

import json
from pathlib import Path

from tests.chaos.campaign import recoveries, runs_in, shown, total

RELIABILITY = Path(__file__).parents[2] / "docs" / "reliability"
CAMPAIGN = json.loads((RELIABILITY / "chaos-campaign.json").read_text())


def test_the_sums_are_those_of_the_runs() -> None:
    assert total(runs_in(RELIABILITY)) == CAMPAIGN


def test_the_campaign_is_whole_and_found_nothing() -> None:
    assert CAMPAIGN["violations"] == 0
    assert CAMPAIGN["still wanted"] == {}
    assert CAMPAIGN["not met often enough"] == {}


def test_the_document_tells_what_it_came_to() -> None:
    document = RELIABILITY.with_suffix(".md").read_text()
    recovered = recoveries(json.loads((RELIABILITY / "recovery.json").read_text()))
    missing = [line for line in [*shown(CAMPAIGN).splitlines(), *recovered.splitlines()] if line not in document]
    assert missing == []
