"""An executor whose effects lie open: each is a line of a file that only grows, whatever its worker says or forgets.

It fails before its effect (nothing happened, try again) and after it (nobody knows) with the probabilities that a file
of faults says: `{"before": 0.05, "after": 0.05}`. Without that file it never fails.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.wrong_clock import true_time
from worker.adapters.executors.executor import (
    Action,
    ActionUnavailable,
    ActionUncertain,
    Examination,
    Executor,
    OnUnknown,
    Options,
    Ran,
)


class EffectOptions(Options):
    """`journal` is the file of effects, `faults` the one of faults, which may not be there."""

    journal: Path
    faults: Path


class RecordedEffect(Executor):
    Options = EffectOptions
    options: EffectOptions
    args_schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["to"],
        "properties": {"to": {"type": "string"}, "kind": {"type": "string"}, "text": {"type": "string"}},
        "additionalProperties": False,
    }
    on_unknown = OnUnknown.LOOK_UP
    _attempts = 0

    async def examine(self, action: Action) -> Examination:
        shown = {"length": len(action.args["to"])}
        return Examination(args_schema=dict(self.args_schema), shown=shown, kind=action.args.get("kind", "plain"))

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        self._attempts += 1
        probabilities = _faults(self.options.faults)
        dice = Random(f"{os.getpid()}/{self._attempts}/{idempotency_key}")  # noqa: S311 - a fault, not a secret
        if dice.random() < probabilities.get("before", 0.0):
            raise ActionUnavailable("it does not take orders at the moment")
        number = await asyncio.to_thread(Effects(self.options.journal).make, action, idempotency_key)
        if dice.random() < probabilities.get("after", 0.0):
            raise ActionUncertain("no answer came")
        return Ran(reference=f"effect-{number}", result={"done": True})

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        number = await asyncio.to_thread(Effects(self.options.journal).number_of, idempotency_key)
        return None if number is None else Ran(reference=f"effect-{number}", result={"done": True})


class Effects:
    """The file. One process at a time looks and writes, so that a key has one effect however often it is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self, action: Action, idempotency_key: str) -> int:
        """The number of its line; an effect that is there already is not made again."""
        with self._held() as file:
            known = _number_in(file, idempotency_key)
            if known is not None:
                return known
            line = {
                "at": true_time(),
                "idempotency_key": idempotency_key,
                "case_id": idempotency_key.split(":")[1],
                "name": action.name,
                "args": action.args,
            }
            _cut_off_what_was_not_finished(file)
            os.write(file, json.dumps(line).encode() + b"\n")
            os.fsync(file)
            return _number_in(file, idempotency_key) or 0

    def number_of(self, idempotency_key: str) -> int | None:
        with self._held() as file:
            return _number_in(file, idempotency_key)

    @contextmanager
    def _held(self) -> Iterator[int]:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _number_in(file: int, idempotency_key: str) -> int | None:
    needle = json.dumps({"idempotency_key": idempotency_key})[1:-1].encode()
    content = _content(file)
    at = content.find(needle)
    if at < 0 or content.find(b"\n", at) < 0:
        return None
    return content.count(b"\n", 0, at) + 1


def _cut_off_what_was_not_finished(file: int) -> None:
    """A line without an end is of somebody who was killed while writing it: their effect did not happen."""
    content = _content(file)
    if content and not content.endswith(b"\n"):
        os.ftruncate(file, content.rfind(b"\n") + 1)


def _content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _faults(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}
