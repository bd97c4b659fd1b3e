"""An executor whose effects are lines of a file, so that they can be kept with a release and counted after it.

It imports what docs/executors.md allows, and nothing else of the worker: it runs in workers of any release.
"""

import json
from pathlib import Path
from typing import Any

from worker.adapters.executors.executor import (
    Action,
    ActionUnavailable,
    ActionUncertain,
    Executor,
    OnUnknown,
    Ran,
)
from worker.adapters.executors.executor import Options as CommonOptions

EFFECTS = "effects.jsonl"
SILENT = "silent"
"""A file of this name beside the effects, with the names of actions, one a line: they take effect and say nothing."""


class Desk(Executor):
    """Notes each action that it runs, with its key."""

    class Options(CommonOptions):
        folder: Path

    args_schema = {"type": "object"}  # noqa: RUF012 - as every executor declares it
    on_unknown = OnUnknown.LOOK_UP

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        if idempotency_key not in {effect["key"] for effect in effects(self.options.folder)}:
            with (self.options.folder / EFFECTS).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": idempotency_key, "name": action.name, "args": action.args}) + "\n")
        if self._is_silent:
            raise ActionUncertain("no answer came")
        return Ran(reference=idempotency_key)

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        if self._is_silent:
            raise ActionUnavailable("the desk does not answer")
        known = any(effect["key"] == idempotency_key for effect in effects(self.options.folder))
        return Ran(reference=idempotency_key) if known else None

    @property
    def _is_silent(self) -> bool:
        silent = self.options.folder / SILENT
        return silent.exists() and self.name in silent.read_text(encoding="utf-8").split()


def effects(folder: Path) -> list[dict[str, Any]]:
    """What was done, in order."""
    file = folder / EFFECTS
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
