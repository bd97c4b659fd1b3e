"""What happens to a question while nobody answers it: steps at fractions of its time, each once.

The policy says the steps; with the question they become timers, which are moments. A claim that runs out is one more
timer. None of them ever approves anything.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
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
    """The timers of a question that is asked at `start`, the earliest first; the last is its deadline."""

    def moment(fraction: float) -> datetime:
        worked = due_in * fraction
        return calendar.after(start, worked) if calendar else start + worked

    return (
        *(Timer(at=moment(step.at), do=step.do, to=step.to) for step in sorted(steps, key=lambda step: step.at)),
        Timer(at=moment(1), do=DeadlineAction(on_timeout.value)),
    )


def due_now(timers: tuple[Timer, ...], now: datetime) -> tuple[Timer | None, tuple[Timer, ...]]:
    """The timer to act on at `now`, and those that stay. A reminder that comes too late is left out: whoever was away
    past the deadline need not be reminded of it."""
    due = [timer for timer in timers if timer.at <= now]
    while len(due) > 1 and due[0].do is DeadlineAction.REMIND:
        due.pop(0)
    if not due:
        return None, timers
    return due[0], timers[timers.index(due[0]) + 1 :]
