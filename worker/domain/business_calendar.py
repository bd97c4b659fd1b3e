"""When an organisation works: deadlines may count working time only.

The calendar is plain data that travels with the question, so that a pending deadline keeps the hours it was set by.
Clocks are set forward and back; so hours are turned into instants of UTC first, and only those are added up.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from schemas.values import Value

ALL_DAYS = (0, 1, 2, 3, 4, 5, 6)
MIDNIGHT = time(0)
DAY = timedelta(days=1)
LONGEST_SEARCH = timedelta(days=3 * 366)
SURE_WEEKS = 155
"""Whole weeks of any search, less one for days that clock changes make shorter."""


class BusinessCalendar(Value):
    """Working hours in a time zone of the IANA database. `days` counts from Monday, 0; `closes` at 00:00 is midnight.

    What the clock shows counts for opening and closing, and each happens once a day: at the first moment that shows
    the hour or a later one. In between, time is what really goes by: a shift over a clock change is an hour longer or
    shorter than its hours look.
    """

    timezone: str
    days: tuple[int, ...] = Field(default=ALL_DAYS, min_length=1)
    opens: time = MIDNIGHT
    closes: time = MIDNIGHT
    holidays: tuple[date, ...] = ()

    def after(self, start: datetime, worked: timedelta) -> datetime:
        """The first moment at which `worked` of working time has gone by since `start`, in UTC.

        Raises ValueError when that moment does not come within three years.
        """
        if worked < timedelta(0):
            raise ValueError(f"no calendar counts back: {worked} of working time was asked for")
        reached, left = start.astimezone(UTC), worked
        last = reached + LONGEST_SEARCH
        if not left:
            return reached
        for opening, closing in self._shifts(reached, last):
            begin = max(opening, reached)
            if closing - begin >= left:
                return begin + left
            left -= max(closing - begin, timedelta(0))
        raise ValueError(f"{worked} of working time do not go by within three years of {start.isoformat()}")

    @property
    def longest(self) -> timedelta:
        """As much working time as `after` reaches from any start."""
        hours = _since_midnight(self.closes) - _since_midnight(self.opens)
        daily = hours if self.closes != MIDNIGHT else DAY + hours
        return max(timedelta(0), daily * (SURE_WEEKS * len(set(self.days)) - len(set(self.holidays))))

    def _shifts(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Opening and closing of each working day, from the day of `since` on; none ends after `until`."""
        zone = ZoneInfo(self.timezone)
        days, holidays = frozenset(self.days), frozenset(self.holidays)
        day = since.astimezone(zone).date()
        while (opening := _first_instant(day, self.opens, zone)) < until:
            if day.weekday() in days and day not in holidays:
                closing_day = day + DAY if self.closes == MIDNIGHT else day
                yield opening, min(until, _first_instant(closing_day, self.closes, zone))
            day += DAY


def _first_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which clocks of the zone show this time of this day or a later one."""
    shown = datetime.combine(day, at, zone)
    instant = shown.astimezone(UTC)
    early = shown.replace(fold=1).astimezone(UTC)
    if early >= instant:  # PEP 495: the second of two readings of a clock is later, and equal where there is one
        return instant
    # The clock skips this time, somewhere between both readings.
    wall = shown.replace(tzinfo=None)
    seconds = range(int((instant - early).total_seconds()))
    skipped = bisect_left(seconds, True, key=lambda second: _shows(early + timedelta(seconds=second), zone) >= wall)
    return early + timedelta(seconds=skipped)


def _shows(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
