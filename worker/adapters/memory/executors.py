"""Executors in memory: they honour their idempotency keys for ever, and fail when they are told to."""

from collections import deque
from enum import StrEnum
from typing import Any

from schemas.values import Action
from worker.application.ports.executors import (
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    Examination,
    OnUnknown,
    Ran,
)


class Mishap(StrEnum):
    """What becomes of one call of `run`."""

    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    LOST_REQUEST = "lost request"
    """No answer came, and nothing ran."""
    LOST_ANSWER = "lost answer"
    """No answer came, but it ran."""


class MemoryExecutors:
    """`names` says what is done about each action that may have run. `effects` are the actions that took effect, by
    key. The next calls of `run` meet `mishaps`, one each. Every action needs a text `to`, and is of the kind that its
    argument `kind` says."""

    def __init__(self, names: dict[str, OnUnknown] | None = None) -> None:
        self.names = names or {}
        self.effects: dict[str, Action] = {}
        self.mishaps: deque[Mishap] = deque()
        self.away = False
        """While it is set, nothing can be examined or looked up."""
        self.answer: Any = None
        """What every action answers, in place of its own argument `to`."""
        self.calls: list[tuple[str, str]] = []

    def runs(self, name: str) -> bool:
        return name in self.names

    def on_unknown(self, name: str) -> OnUnknown:
        return self.names[name]

    async def examine(self, action: Action) -> Examination:
        self._check_reachable()
        if not isinstance(action.args.get("to"), str):
            raise ActionRefused("args.to: must be a text")
        schema: dict[str, Any] = {"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}}
        return Examination(
            args_schema=schema, shown={"length": len(action.args["to"])}, kind=action.args.get("kind", "plain")
        )

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        self.calls.append(("run", idempotency_key))
        match self.mishaps.popleft() if self.mishaps else None:
            case Mishap.FAILED:
                raise ActionFailed("the mailbox is full")
            case Mishap.UNAVAILABLE:
                raise ActionUnavailable("the server is under maintenance")
            case Mishap.LOST_REQUEST:
                raise ActionUncertain("no answer in time")
            case Mishap.LOST_ANSWER:
                self.effects[idempotency_key] = action
                raise ActionUncertain("no answer in time")
        self.effects[idempotency_key] = action
        return self._ran(action, idempotency_key)

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        self.calls.append(("look_up", idempotency_key))
        self._check_reachable()
        return self._ran(action, idempotency_key) if idempotency_key in self.effects else None

    def _check_reachable(self) -> None:
        if self.away:
            raise ActionUnavailable("the server is under maintenance")

    def _ran(self, action: Action, idempotency_key: str) -> Ran:
        return Ran(reference=f"memory-{idempotency_key}", result=self.answer or {"to": action.args.get("to")})
