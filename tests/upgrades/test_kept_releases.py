"""What each release left is gone on with by today's worker: every case in every state comes to its right end."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.upgrades.conftest import Upgrade
from tests.upgrades.premises import Shop
from tests.upgrades.releases import Release, releases, unpack
from tests.upgrades.snapshot import event_ids
from tests.upgrades.stories import FALLEN, STORIES

pytestmark = pytest.mark.slow

every_release = pytest.mark.parametrize("release", releases(), ids=lambda release: release.manifest.version)


@every_release
async def test_every_case_that_a_release_left_comes_to_its_right_end(release: Release, upgraded: Upgrade) -> None:
    shop = await upgraded(release)
    known = inbox_size(shop)
    published = event_ids(release.folder)

    await shop.start_worker(FALLEN)
    await asyncio.gather(*(story.finish(shop) for story in release.stories))

    assert inbox_size(shop) == known + shop.sent, "records that were read before the upgrade were taken for new ones"
    seen = Counter(event["_id"] for events in shop.events.values() for event in events)
    assert published < set(seen)
    assert [event_id for event_id in published if seen[event_id] > 1] == []
    assert_one_outcome_each(shop, release)
    assert shop.rows("select reason from dead_letters") == []
    await shop.check_audit_trail()


def inbox_size(shop: Shop) -> int:
    [row] = shop.rows("select count(*) as count from inbox")
    return int(row["count"])


def assert_one_outcome_each(shop: Shop, release: Release) -> None:
    outcomes = Counter(event["exception_id"] for event in shop.events["order-outcomes"])
    assert outcomes == Counter(story.name for story in release.stories)
    assert shop.rows("select exception_id from cases where finished_at is null") == []


def test_a_release_is_kept() -> None:
    assert "0.1.0" in [release.manifest.version for release in releases()]


@every_release
def test_a_kept_release_holds_every_story_that_it_names(release: Release) -> None:
    """A story that is gone would leave its case untried without a word."""
    assert set(release.manifest.stories) <= set(STORIES)
    assert len(release.manifest.stories) >= 16


@every_release
def test_a_kept_release_runs_its_own_code(release: Release, tmp_path: Path) -> None:
    code = unpack(release.folder, tmp_path / "code")
    program = "import worker, schemas; print(worker.__file__, schemas.__file__)"
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [Path(file).is_relative_to(code) for file in told.stdout.split()] == [True, True]
