"""What happens to a question while nobody answers it: steps at fractions of its time, each once.

The policy says the steps; with the question they become timers, which are moments. A claim that runs out is one more
timer. None of them ever approves anything.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from schemas.values import OnTimeout, Value
from worker.domain.business_calendar import BusinessCalendar


class DeadlineAction(StrEnum):
    """HAND_OVER asks another role instead; RELEASE ends a claim; the last of a level is ESCALATE or REJECT."""

    REMIND = "remind"
    HAND_OVER = "hand_over"
    ESCALATE = "escalate"
    REJECT = "reject"
    RELEASE = "release"


class DeadlineStep(Value):
    """`at` is a fraction of the level's time, above 0 and below 1; `to` is the role that HAND_OVER asks."""

    at: float
    do: DeadlineAction
    to: str | None = None


class Timer(Value):
    """What is done at a moment, unless the question is answered before."""

    at: datetime
    do: DeadlineAction
    to: str | None = None


def timers_of(
    start: datetime,
    due_in: timedelta,
    steps: Iterable[DeadlineStep],
    on_timeout: OnTimeout,
    calendar: BusinessCalendar | None,
) -> tuple[Timer, ...]:
    """The timers of a question that is asked at `start`, the earliest first; the last is its deadline. All are in UTC:
    a day is 24 hours, also where clocks change. Raises ValueError for a calendar that never gets there."""
    begin = start.astimezone(UTC)

    def moment(fraction: float) -> datetime:
        worked = due_in * fraction
        return calendar.after(begin, worked) if calendar else begin + worked

    return (
        *(Timer(at=moment(step.at), do=step.do, to=step.to) for step in sorted(steps, key=lambda step: step.at)),
        Timer(at=moment(1), do=DeadlineAction(on_timeout.value)),
    )


def due_now(timers: tuple[Timer, ...], now: datetime) -> tuple[Timer | None, tuple[Timer, ...]]:
    """The timer to act on at `now`, and those that stay. `timers` stand with the earliest first. A reminder that comes
    too late is left out: whoever was away past the deadline need not be reminded of it."""
    due = sum(timer.at <= now for timer in timers)
    if due == 0:
        return None, timers
    acted_on = next((place for place in range(due) if timers[place].do is not DeadlineAction.REMIND), due - 1)
    return timers[acted_on], timers[acted_on + 1 :]
