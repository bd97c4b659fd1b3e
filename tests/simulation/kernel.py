"""One thread, one seed, one schedule: time is virtual, and every call of a port is a place where the scheduler decides
who goes on.

The code under test is the real one, with its own tasks, sleeps and time-outs. It runs until all of it waits for a turn
or for a moment; then the seed says whose turn it is, or that time goes by, or that somebody dies. The same seed gives
the same schedule.
"""

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Any


class _Selector(selectors.SelectSelector):
    """Has no files to wait for. Where another one would sleep, nobody can go on by themselves."""

    def __init__(self, nobody_goes_on: Callable[[], None]) -> None:
        super().__init__()
        self._nobody_goes_on = nobody_goes_on

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._nobody_goes_on()
        return []


RESOLUTION_S = 1e-6
"""What is due within it is due. After half a year the nanosecond of a real loop is less than a float of seconds tells
apart, and what was due would never begin."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time is `clock`, in seconds; `nobody_goes_on` is called when everybody waits, and moves something."""

    def __init__(self, clock: Callable[[], float], nobody_goes_on: Callable[[], None]) -> None:
        super().__init__(_Selector(nobody_goes_on))
        self._virtual = clock
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return self._virtual()


class Turns:
    """Those who wait for their turn, by the process that they are part of. A process that is frozen gets none."""

    def __init__(self, choice: random.Random) -> None:
        self._random = choice
        self.waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._frozen: dict[str, list[asyncio.Future[None]]] = {}

    async def take(self, process: str) -> None:
        """Returns when the scheduler says so; a process that dies meanwhile never comes back from here."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if process in self._frozen:
            self._frozen[process].append(turn)
        else:
            self.waiting.append((process, turn))
        await turn

    def give_one(self) -> None:
        waiting = self.waiting
        index = int(self._random.random() * len(waiting))
        waiting[index], waiting[-1] = waiting[-1], waiting[index]
        _, turn = waiting.pop()
        if not turn.done():
            turn.set_result(None)

    def freeze(self, process: str) -> None:
        self._frozen[process] = [turn for name, turn in self.waiting if name == process]
        self.waiting = [(name, turn) for name, turn in self.waiting if name != process]

    def thaw(self, process: str) -> None:
        self.waiting += [(process, turn) for turn in self._frozen.pop(process, [])]

    def is_frozen(self, process: str) -> bool:
        return process in self._frozen

    def forget(self, process: str) -> None:
        self._frozen.pop(process, None)
        self.waiting = [(name, turn) for name, turn in self.waiting if name != process]


class Link:
    """What lies between a process and its database: it may be down, and an answer may be lost on the way back.

    `loses_answer` is set during a call whose answer will not arrive: it has its effect all the same.
    """

    def __init__(self, is_down: Callable[[], bool], loses_next: Callable[[], bool]) -> None:
        self._is_down, self._loses_next = is_down, loses_next
        self.loses_answer = False

    def call(self) -> None:
        """Raises ConnectionError."""
        if self._is_down():
            raise ConnectionError("the database is away")
        self.loses_answer = self._loses_next()

    def answered(self) -> bool:
        """Whether the answer of the call that was just made will arrive."""
        arrives, self.loses_answer = not self.loses_answer, False
        return arrives


Turn = Callable[[], Awaitable[None]]
Call = Callable[..., Awaitable[Any]]
NO_LOOKS: Mapping[str, Turn] = MappingProxyType({})


def paced(target: Any, turn: Turn, link: Link | None = None, *, looks: Mapping[str, Turn] = NO_LOOKS) -> Any:
    """The target with a turn before and after each of its async methods: between a call that took effect and its
    answer anything may happen.

    `looks` are methods that change nothing when they find nothing, which is what they do nearly always: whoever found
    nothing had no turn. Their values hold back a process that is frozen.
    """

    class Paced:
        def __getattr__(self, name: str) -> Any:
            found = getattr(target, name)
            if not iscoroutinefunction(found):
                return found
            call = _look(found, looks[name], turn, link) if name in looks else _paced(found, turn, link)
            setattr(self, name, call)
            return call

    return Paced()


def _paced(found: Call, turn: Turn, link: Link | None) -> Call:
    async def call(*args: Any, **kwargs: Any) -> Any:
        await turn()
        if link is not None:
            link.call()
        answer = await found(*args, **kwargs)
        arrives = link is None or link.answered()
        await turn()
        if not arrives:
            raise ConnectionError("the answer of the database was lost")
        return answer

    return call


def _look(found: Call, while_frozen: Turn, turn: Turn, link: Link | None) -> Call:
    async def call(*args: Any, **kwargs: Any) -> Any:
        await while_frozen()
        if link is not None:
            link.call()
        answer = await found(*args, **kwargs)
        arrives = link is None or link.answered()
        if answer:
            await turn()
        if not arrives:
            raise ConnectionError("the answer of the database was lost")
        return answer

    return call
