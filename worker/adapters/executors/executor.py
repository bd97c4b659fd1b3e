"""What an executor is. Whoever writes one derives from Executor, and imports nothing of ours but this module.

The registry keeps what every executor would otherwise have to keep itself: arguments are held to `args_schema` before
any method sees them, `time_limit_s` ends every call, an exception that is not foreseen here counts as "it may have
run", and a result that is too large is cut.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SecretStr

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

__all__ = [
    "Action",
    "ActionFailed",
    "ActionRefused",
    "ActionUnavailable",
    "ActionUncertain",
    "Examination",
    "Executor",
    "OnUnknown",
    "Options",
    "Ran",
    "SecretStr",
]

TIME_LIMIT_S = 10.0
"""For a call of an executor that names no limit of its own."""


class Options(BaseModel):
    """What the configuration may say of an executor besides `use` and `time_limit_s`. A misspelt option must not pass
    for its default: unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Executor(ABC):
    """Runs the actions of one name.

    `args_schema` is the JSON Schema of their arguments (2020-12 unless it says otherwise). `on_unknown` says what is
    done when nobody knows whether an action ran. `time_limit_s` is for each call, in seconds; the configuration may
    say another. A class with options of its own has a model of them as its `Options`.
    """

    Options: ClassVar[type[Options]] = Options

    args_schema: Mapping[str, Any]
    on_unknown: OnUnknown = OnUnknown.ASK
    time_limit_s: float = TIME_LIMIT_S

    def __init__(self, *, name: str, time_limit_s: float | None = None, **options: Any) -> None:
        """`name` is that of the actions. `options` are the other fields of the configuration, with each `env:NAME`
        already replaced by what stands in the environment. Raises pydantic's ValidationError, or ValueError."""
        self.name = name
        self.time_limit_s = time_limit_s or self.time_limit_s
        self.options: Any = self.Options.model_validate(options)

    async def examine(self, action: Action) -> Examination:
        """What a reviewer should know of the action; changes nothing. Raises ActionRefused or ActionUnavailable."""
        return Examination(args_schema=dict(self.args_schema))

    @abstractmethod
    async def run(self, action: Action, idempotency_key: str) -> Ran:
        """Runs it. The key is the same for every attempt at this action, and no other's; it is up to 300 characters
        of any kind. Raises ActionRefused, ActionFailed, ActionUnavailable or ActionUncertain."""

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        """What came of it; None when it has not run, and will not. Called only where `on_unknown` is LOOK_UP. Raises
        ActionUnavailable when it cannot say, and ActionFailed when it ran and came to nothing."""
        raise NotImplementedError(f"{type(self).__name__} says that it can look up, and has no `look_up`")

    async def check(self) -> str | None:
        """What is wrong with whatever it depends on, for `signoff doctor`; None when all is well."""
        return None

    async def aclose(self) -> None:  # noqa: B027 - most executors hold nothing
        """Lets go of connections when the worker ends."""
