"""The executor port: what runs an approved action, where this worker does it and not the agent that asked."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import Field

from schemas.values import Action, Value


class OnUnknown(StrEnum):
    """What is done about an action that may have run: nobody knows, for no answer came or its worker died.

    LOOK_UP: the executor can find out. REPEAT: it is run again. Both must honour their key: running an action twice
    under the same one has one effect, for a worker that stalled may call late. ASK: a person must say; it is never run
    a second time without one.
    """

    LOOK_UP = "look_up"
    REPEAT = "repeat"
    ASK = "ask"


class Examination(Value):
    """What a reviewer should know of an action before they sign it.

    `args_schema` is the JSON Schema of its arguments. `shown` is what the executor found out, such as the tables of a
    statement and an estimate of its rows. `kind` is what sort of thing it does: an edit must not change it.
    """

    args_schema: dict[str, Any]
    shown: dict[str, Any] = Field(default_factory=dict)
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """An action that took effect. `reference` is the id that whoever ran it gave it, `result` plain JSON data."""

    reference: str | None = None
    result: Any = None


class Executors(Protocol):
    """All executors of this worker, by the name of the action. A call never takes longer than the executor's own time
    limit."""

    def runs(self, name: str) -> bool:
        """Whether an executor is registered for actions of that name."""
        ...

    def on_unknown(self, name: str) -> OnUnknown: ...

    async def examine(self, action: Action) -> Examination:
        """Looks at the action, and changes nothing. Raises ActionRefused, and ActionUnavailable when what must be asked
        about it does not answer."""
        ...

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        """Raises ActionRefused, ActionFailed, ActionUnavailable or ActionUncertain."""
        ...

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        """What came of it; None when it has not run, and will not. Raises ActionUnavailable when it cannot say, and
        ActionFailed when it ran and came to nothing."""
        ...


class ActionRefused(Exception):
    """It is not run, for what it is: its arguments break the schema, or it is nothing that this executor may do."""


class ActionFailed(Exception):
    """It was tried, and had no effect; it would fail again."""


class ActionUnavailable(Exception):
    """Whoever runs it was not reached, or refused to work: nothing happened; try again later."""


class ActionUncertain(Exception):
    """No answer came: it may have run."""
