"""The releases that are kept beside this file: what each left behind, and its code.

`release.json` says which version it is, when and from which commit it was kept, the version of its graph, its
migrations, the LangGraph that wrote its threads, and the stories that it holds.
"""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.upgrades.stories import STORIES, Story

RELEASES = Path(__file__).parent / "releases"

MANIFEST = "release.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    version: str
    commit: str
    kept_at: str
    graph_version: str
    migrations: list[str]
    written_with: dict[str, str]
    stories: list[str]

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Release:
    folder: Path
    manifest: Manifest

    @property
    def age(self) -> timedelta:
        return datetime.now(UTC) - datetime.fromisoformat(self.manifest.kept_at)

    @property
    def stories(self) -> list[Story]:
        return [STORIES[name] for name in self.manifest.stories]


def unpack(release: Path, folder: Path) -> Path:
    """The code of a kept release, as `PYTHONPATH` wants it."""
    (wheel,) = release.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def releases() -> list[Release]:
    """The oldest first."""
    return sorted(_releases(), key=lambda release: release.manifest.kept_at)


def _releases() -> Iterator[Release]:
    for manifest in RELEASES.glob(f"*/{MANIFEST}"):
        yield Release(manifest.parent, Manifest(**json.loads(manifest.read_text(encoding="utf-8"))))
