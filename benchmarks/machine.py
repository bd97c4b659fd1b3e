"""What a figure was measured on: without it, it says nothing."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import psycopg

from worker.adapters.embedded.stack import EmbeddedStack

PACKAGES = ("aiokafka", "faststream", "langgraph", "langgraph-checkpoint-postgres", "psycopg", "pydantic", "uvloop")


def describe(stack: EmbeddedStack) -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": _postgresql(stack.database),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": _commit(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def _postgresql(address: str) -> dict[str, str]:
    """Its version, and the settings that decide whether a commit is on disk."""
    names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
    with psycopg.connect(address) as connection:
        rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(names)])
        return dict(rows.fetchall())


def _commit() -> str:
    """The commit, with a plus when the files differ from it; empty outside a repository."""
    here = Path(__file__).parent
    head = _git(here, "rev-parse", "--short", "HEAD")
    return head + ("+" if head and _git(here, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return ""
    return done.stdout.strip()
