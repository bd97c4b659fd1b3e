"""What each release left is gone on with by today's worker: every case in every state comes to its right end."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.house import OUTPUTS
from tests.upgrades.conftest import Upgrade
from tests.upgrades.kept import Release, releases, unpack
from tests.upgrades.premises import ROOT, Shop
from tests.upgrades.snapshot import event_ids, records
from tests.upgrades.stories import FALLEN, STORIES

pytestmark = pytest.mark.slow

every_release = pytest.mark.parametrize("release", releases(), ids=lambda release: release.manifest.version)


@every_release
async def test_every_case_that_a_release_left_comes_to_its_right_end(
    release: Release, upgraded: Upgrade, tmp_path: Path
) -> None:
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
    await assert_readers_of_that_release_are_served(shop, unpack(release.folder, tmp_path / "code"))
    assert shop.rows("select reason from dead_letters") == []
    await shop.check_audit_trail()


def inbox_size(shop: Shop) -> int:
    [row] = shop.rows("select count(*) as count from inbox")
    return int(row["count"])


def assert_one_outcome_each(shop: Shop, release: Release) -> None:
    outcomes = Counter(event["exception_id"] for event in shop.events["order-outcomes"])
    assert outcomes == Counter(story.name for story in release.stories)
    assert shop.rows("select exception_id from cases where finished_at is null") == []


async def assert_readers_of_that_release_are_served(shop: Shop, code: Path) -> None:
    """Whoever holds events to the schemas of that release accepts what today's worker publishes."""
    schemas = {
        file.name.removesuffix(".schema.json"): Draft202012Validator(json.loads(file.read_bytes()))
        for file in (code / "schemas" / "json").iterdir()
    }
    published = [record async for record in records(shop.kafka, shop.prefix) if record["topic"] in OUTPUTS]
    assert published
    for record in published:
        type_ = dict(record["headers"])["ce_type"]
        if type_ in schemas:
            schemas[type_].validate(json.loads(record["value"]))


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


@every_release
def test_no_migration_of_a_kept_release_has_changed(release: Release, tmp_path: Path) -> None:
    """Databases have them applied already: what comes later is a new file."""
    folder = Path("worker", "adapters", "postgres", "migrations")
    code = unpack(release.folder, tmp_path / "code")
    for name in release.manifest.migrations:
        assert (ROOT / folder / name).read_bytes() == (code / folder / name).read_bytes(), f"{name} is released"


@every_release
def test_no_type_of_event_of_a_kept_release_is_gone(release: Release, tmp_path: Path) -> None:
    folder = Path("schemas", "json")
    code = unpack(release.folder, tmp_path / "code")
    assert {file.name for file in (code / folder).iterdir()} <= {file.name for file in (ROOT / folder).iterdir()}
