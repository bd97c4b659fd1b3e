"""How much a process may ask of a model: calls in a minute, tokens in a day.

The day begins with the first call after the last one ended, by a clock that only goes forward; a restart begins anew.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol, runtime_checkable

MINUTE_S = 60.0
DAY_S = 86_400.0


class Budget:
    """Tokens are set aside by an estimate before a call and counted as the provider tells them afterwards, so that
    calls under way at the same time cannot overdraw it together."""

    def __init__(self, *, calls_per_minute: int, tokens_per_day: int, monotonic: Callable[[], float]) -> None:
        self._calls_per_minute = calls_per_minute
        self._tokens_per_day = tokens_per_day
        self._monotonic = monotonic
        self._calls: deque[float] = deque()
        self._day_began: float | None = None
        self._today = 0
        self.tokens = 0
        """All that was ever spent."""

    def take(self, estimate: int) -> bool:
        """Sets a call and its tokens aside; False when either is spent."""
        now = self._monotonic()
        while self._calls and now - self._calls[0] >= MINUTE_S:
            self._calls.popleft()
        if self._day_began is None or now - self._day_began >= DAY_S:
            self._day_began, self._today = now, 0
        if len(self._calls) >= self._calls_per_minute or self._today + estimate > self._tokens_per_day:
            return False
        self._calls.append(now)
        self._count(estimate)
        return True

    def settle(self, estimate: int, used: int) -> None:
        """Puts what was really used in the place of an estimate. A call that nobody settles has used its estimate."""
        self._count(used - estimate)

    def _count(self, tokens: int) -> None:
        self._today = max(0, self._today + tokens)
        self.tokens += tokens


@runtime_checkable
class Spending(Protocol):
    """Something that has a budget, and so a price."""

    budget: Budget
