"""A clock that moves when it is told to."""

from datetime import UTC, datetime, timedelta

DAWN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class SetClock:
    """Call it for the time. It stands still between two calls of `advance`."""

    def __init__(self, now: datetime = DAWN) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        """Seconds since some moment, as `time.monotonic` gives them."""
        return self._now.timestamp()
