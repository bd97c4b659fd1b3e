"""Leaves a model that keeps failing alone for a while, so that cases do not each wait for it in vain."""

from collections.abc import Callable


class CircuitBreaker:
    """Opens after so many failures in a row. While it is open, one call in each `rest_s` seconds is let through to
    see; one that succeeds closes it."""

    def __init__(self, *, failures: int, rest_s: float, monotonic: Callable[[], float]) -> None:
        self._limit = failures
        self._rest_s = rest_s
        self._monotonic = monotonic
        self._failures = 0
        self._tried_at = 0.0

    def lets_through(self) -> bool:
        if self._failures < self._limit:
            return True
        now = self._monotonic()
        if now - self._tried_at < self._rest_s:
            return False
        self._tried_at = now
        return True

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        self._tried_at = self._monotonic()
