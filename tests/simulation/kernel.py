"""One thread, one seed, one schedule: every await of a port is a place where the scheduler decides who goes on.

The code under test is the real one. It runs until all of it waits for a turn; then the seed says whose turn it is, or
that time goes by, or that somebody dies. The same seed gives the same schedule.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

MANY = 100_000


@dataclass(slots=True)
class Turns:
    """Those who wait for their turn, by the process that they are part of."""

    random: random.Random
    waiting: list[tuple[str, asyncio.Future[None]]] = field(default_factory=list)

    async def take(self, process: str) -> None:
        """Returns when the scheduler says so; a process that dies meanwhile never comes back from here."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((process, turn))
        await turn

    def give_one(self) -> None:
        index = self.random.randrange(len(self.waiting))
        _, turn = self.waiting.pop(index)
        if not turn.done():
            turn.set_result(None)

    def forget(self, process: str) -> None:
        self.waiting = [(name, turn) for name, turn in self.waiting if name != process]


async def settled() -> None:
    """Returns when nothing can go on by itself: everybody waits for a turn, or has ended."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(MANY):
        await asyncio.sleep(0)
        if not ready:
            return
    raise AssertionError("something goes round in circles without ever waiting")


def paced(target: Any, turn: Callable[[], Awaitable[None]]) -> Any:
    """The target with a turn before and after each of its async methods: between a call that took effect and its
    answer anything may happen."""

    class Paced:
        def __getattr__(self, name: str) -> Any:
            found = getattr(target, name)
            if not iscoroutinefunction(found):
                return found

            @wraps(found)
            async def call(*args: Any, **kwargs: Any) -> Any:
                await turn()
                answer = await found(*args, **kwargs)
                await turn()
                return answer

            return call

    return Paced()
