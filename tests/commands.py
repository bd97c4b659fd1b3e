"""Runs a `signoff` command in this process, as its user would see it."""

import asyncio
import json
import os
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from worker.cli.main import app
from worker.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Ran:
    """`code` is the exit code, `out` and `err` are the two outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def signoff(*arguments: str, settings: Settings | None = None, stdin: bytes | None = None, **env: str) -> Ran:
    """A defect, which a user would see as a traceback, is raised."""
    environment: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith(PREFIX))
    environment |= {**_environment(settings), **env}
    ran = CliRunner().invoke(app, arguments, input=stdin, env=environment)
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


async def signoff_beside(settings: Settings, *arguments: str) -> Ran:
    """In a thread of its own, beside a worker that runs in this event loop."""
    return await asyncio.to_thread(signoff, *arguments, settings=settings)


def _environment(settings: Settings | None) -> dict[str, str]:
    if settings is None:
        return {}
    return {
        f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        f"{PREFIX}DATABASE_URL": settings.database_url,
        f"{PREFIX}TOPIC_PREFIX": settings.topic_prefix,
    }
