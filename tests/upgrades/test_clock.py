"""What waits is moved in time; nothing else of it changes."""

from datetime import timedelta
from typing import Any

from tests.upgrades.clock import moved


def test_every_moment_is_moved_and_nothing_else() -> None:
    row: dict[str, Any] = {
        "due_at": "2026-11-21T13:29:55.295037+00:00",
        "body": {"timers": [{"at": "2026-12-31T23:00:00Z", "do": "remind"}], "due_in": "P30D", "attempts": 3},
        "date": "2026-11-21",
        "comment": "since 2026-11-21T13:29:55Z",
        "local": "2026-11-21T13:29:55",
    }
    assert moved(row, timedelta(hours=2)) == {
        **row,
        "due_at": "2026-11-21T15:29:55.295037+00:00",
        "body": {**row["body"], "timers": [{"at": "2027-01-01T01:00:00+00:00", "do": "remind"}]},
    }
