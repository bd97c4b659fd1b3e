"""Keeps a release: its wheel, and an installation that it left with a case in every state.

    python -m tests.upgrades.keep 0.2.0

writes tests/upgrades/releases/0.2.0. It is done once, with the code that is released; `--from` names another
checkout that has it. The stories are told by real workers of the wheel that is kept, on a broker and a database of
their own.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

from tests.stack.payment_provider import payment_provider
from tests.stack.services import Services, chosen_stack, open_services
from tests.upgrades.kept import RELEASES, Manifest, unpack
from tests.upgrades.premises import ROOT, SHOP, Shop
from tests.upgrades.snapshot import save
from tests.upgrades.stories import CALM, DOOMED, STORIES

PREFIX = "kept-"

WRITES = ("langgraph", "langgraph-checkpoint", "langgraph-checkpoint-postgres", "psycopg", "pydantic")
"""Packages that have a say in what the database holds."""


class NotKept(Exception):
    """The message says what is in the way."""


def keep(version: str, source: Path) -> Path:
    """Returns the new folder. Raises NotKept."""
    target = RELEASES / version
    if target.exists():
        raise NotKept(f"{target} is there: a release is kept once; delete the folder if it was never committed")
    stated = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if stated != version:
        raise NotKept(f"{source / 'pyproject.toml'} says version {stated}, not {version}")
    commit = _commit_of(source)
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _build_wheel(source, folder)
        for name in ("policy.yaml", "executors.yaml"):
            shutil.copy(SHOP / name, folder)
        with open_services(chosen_stack(), Path(scratch) / "stack") as services:
            manifest = asyncio.run(_tell_stories(version, commit, folder, Path(scratch), services))
        manifest.write(folder)
        shutil.copytree(folder, target)
    return target


def _commit_of(source: Path) -> str:
    """What is kept must be what is released: committed, and nothing else."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(source), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    if changed := git("status", "--porcelain", "--", "worker", "schemas", "pyproject.toml"):
        raise NotKept(f"{source} has changes that are not committed:\n{changed}")
    return git("rev-parse", "HEAD")


def _build_wheel(source: Path, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1577836800"},
        capture_output=True,
        check=True,
    )


async def _tell_stories(version: str, commit: str, folder: Path, scratch: Path, services: Services) -> Manifest:
    code = unpack(folder, scratch / "code")
    async with payment_provider() as provider:
        shop = Shop(services.kafka, services.database, PREFIX, scratch, provider)
        shop.runs(code)
        _migrate(shop, code)
        await shop.open()
        try:
            for story in DOOMED:
                await story.begin(shop)
            worker = await shop.start_worker(relay_grace_s="3600")
            for story in CALM:
                await story.begin(shop)
            worker.send_signal(signal.SIGTERM)
            await worker.wait()
            await save(shop, folder)
        finally:
            await shop.close()
        migrations = shop.rows("select name from signoff_migrations order by number")
    return Manifest(
        version=version,
        commit=commit,
        kept_at=datetime.now(UTC).isoformat(),
        graph_version=_graph_version(code),
        migrations=[row["name"] for row in migrations],
        written_with={package: installed_version(package) for package in WRITES},
        stories=list(STORIES),
    )


def _migrate(shop: Shop, code: Path) -> None:
    environment = {
        "SIGNOFF_KAFKA_BOOTSTRAP_SERVERS": shop.kafka,
        "SIGNOFF_DATABASE_URL": shop.database,
        "SIGNOFF_TOPIC_PREFIX": shop.prefix,
        "SIGNOFF_TOPIC_PARTITIONS": "3",
    }
    _run_of(code, "-m", "worker", "migrate", **environment)


def _graph_version(code: Path) -> str:
    return _run_of(code, "-c", "from worker.graph.build import GRAPH_VERSION; print(GRAPH_VERSION)").strip()


def _run_of(code: Path, *arguments: str, **environment: str) -> str:
    """A program of the release, far from this checkout."""
    command = [sys.executable, *arguments]
    environment = {**os.environ, **environment, "PYTHONPATH": str(code)}
    return subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True, check=True).stdout


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrades.keep", description=__doc__)
    parser.add_argument("version", help="as in pyproject.toml")
    parser.add_argument("--from", dest="source", type=Path, default=ROOT, help="the checkout that is released")
    chosen = parser.parse_args(arguments)
    try:
        folder = keep(chosen.version, chosen.source)
    except NotKept as problem:
        parser.exit(1, f"{problem}\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    sys.stderr.write(f"kept {folder.name} in {folder} ({size // 1024} KiB); commit it\n")


if __name__ == "__main__":
    main()
