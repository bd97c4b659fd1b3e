"""An office whose agent asks for actions: what each needs, who signs, and a counterpart that keeps its own ledger."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.values import Action, OnTimeout
from tests.builders import Event
from tests.policies import level, policy, rule
from worker.adapters.memory.executors import MemoryExecutors, Mishap
from worker.application.ports.executors import (
    ActionFailed,
    OnUnknown,
    Ran,
)
from worker.domain.approval_policy import ActionTerms, ApprovalPolicy
from worker.domain.order_exception import Facts

AGENT = "agent:desk"
ROLES = {
    "user:dana": ("desk",),
    "user:max": ("desk", "lead"),
    "user:lea": ("lead",),
    "user:otto": (),
    AGENT: ("desk", "lead"),
}

RUN_HERE = {
    "send_email": OnUnknown.ASK,
    "wipe_disk": OnUnknown.ASK,
    "add_note": OnUnknown.ASK,
    "book_room": OnUnknown.LOOK_UP,
    "set_flag": OnUnknown.REPEAT,
}
FREE = frozenset({"add_note", "read_feed"})
"""They want no signature. The agent reads the feed itself."""

WANTS_THE_LEAD = "wipe_disk"

LEFT_TO_THE_AGENT = ("buy_stock", "read_feed")
NAMES = (*RUN_HERE, *LEFT_TO_THE_AGENT)


def runs_at_once(request: Event) -> bool:
    """Nobody has to sign for it, and all of it can be done."""
    actions = [(action["name"], action["args"]) for action in request["actions"]]
    return not request["failed_attempts"] and all(name in FREE and can_run(name, args) for name, args in actions)


def can_run(name: str, args: Mapping[str, Any]) -> bool:
    """Whether an action with these arguments is anything that could be done."""
    if name == "buy_stock":
        return isinstance(args.get("symbol"), str)
    return name not in RUN_HERE or isinstance(args.get("to"), str)


def office_policy() -> ApprovalPolicy:
    """The desk signs for what is not free, the lead for wiped disks besides. A request that failed before is doubted
    as a whole, and so is what came to nothing when nothing else asks for a person."""
    return policy(
        level("desk", on_timeout=OnTimeout.ESCALATE, escalates_to="lead"),
        level("lead"),
        rules=(
            rule("desk", id="sensitive", when=lambda facts: bool(_left(facts) - FREE), per_action=True),
            rule("desk", "lead", id="destructive", when=lambda facts: WANTS_THE_LEAD in _left(facts), per_action=True),
            rule("desk", id="failed-before", when=lambda facts: facts.exception.failed_attempts > 0),
            rule("desk", id="execution-failed", when=lambda facts: facts.failure is not None, fallback=True),
        ),
        actions={
            **{name: ActionTerms(passes=True) for name in FREE},
            "buy_stock": ActionTerms(args_schema={"type": "object"}, problem_with=_problem_of_an_order),
        },
    )


def _left(facts: Facts) -> frozenset[str]:
    actions = facts.exception.actions if facts.remaining is None else facts.remaining
    return frozenset(action.name for action in actions)


def _problem_of_an_order(args: Mapping[str, Any]) -> str | None:
    return None if can_run("buy_stock", args) else "args.symbol: must be a text"


class WorkerDied(BaseException):
    """Nothing in the worker may catch it, as nothing catches SIGKILL."""


class Death(StrEnum):
    BEFORE_THE_CALL = "before the call"
    AFTER_THE_CALL = "after the call"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `run` as the counterpart saw it. `said` is how many events had been published by then; `answered` is
    what the worker learnt and lived to write down: that it ran, or that it never will. `is_stale`: by a worker
    whose lease may have run out."""

    action: Action
    key: str
    said: int
    took_effect: bool
    answered: bool
    was_reached: bool
    is_stale: bool


class Counterpart(MemoryExecutors):
    """`published` are the events so far. The next calls meet `mishaps`, and the next workers `deaths`."""

    def __init__(self, published: Sequence[object]) -> None:
        super().__init__(dict(RUN_HERE))
        self._published = published
        self.ledger: list[Call] = []
        self.deaths: deque[Death | None] = deque()
        self.is_stale = False
        """While it is set, the calls are those of a worker whose lease may have run out."""

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        death = self.deaths.popleft() if self.deaths else None
        if death is Death.BEFORE_THE_CALL:
            raise WorkerDied
        stale = self.is_stale
        await asyncio.sleep(0)
        if self.away:
            self.mishaps.appendleft(Mishap.UNAVAILABLE)
        mishap = self.mishaps[0] if self.mishaps else None
        said, learnt = len(self._published), False
        try:
            ran = await super().run(action, idempotency_key)
            learnt = True
        except ActionFailed:
            learnt = True
            raise
        finally:
            dies = death is Death.AFTER_THE_CALL
            self.ledger.append(
                Call(
                    action,
                    idempotency_key,
                    said,
                    took_effect=mishap in (None, Mishap.LOST_ANSWER),
                    answered=learnt and not dies,
                    was_reached=mishap is not Mishap.UNAVAILABLE,
                    is_stale=stale,
                )
            )
            if dies:
                raise WorkerDied
        return ran
