"""Working time is counted as people live it: by their clock, on their days, across clock changes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.domain.business_calendar import BusinessCalendar

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WEEKDAYS = (0, 1, 2, 3, 4)

OFFICE = BusinessCalendar(
    timezone="Europe/Berlin",
    days=WEEKDAYS,
    opens=time(9),
    closes=time(17),
    holidays=(date(2026, 12, 25), date(2026, 12, 26)),
)


def berlin(month: int, day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    """A moment of 2026 as clocks in Berlin show it; clocks change on 29 March and 25 October."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold).astimezone(UTC)


def around_the_clock(timezone: str) -> BusinessCalendar:
    return BusinessCalendar(timezone=timezone)


class TestAnOffice:
    def test_time_within_a_day_goes_by_as_it_does(self) -> None:
        assert OFFICE.after(berlin(11, 23, 10), 3 * HOUR) == berlin(11, 23, 13)

    def test_what_is_left_at_closing_goes_on_when_it_opens_again(self) -> None:
        assert OFFICE.after(berlin(11, 23, 16), 3 * HOUR) == berlin(11, 24, 11)

    def test_a_weekend_does_not_count(self) -> None:
        assert OFFICE.after(berlin(11, 27, 16), 2 * HOUR) == berlin(11, 30, 10)

    def test_a_start_at_night_begins_at_the_next_opening(self) -> None:
        assert OFFICE.after(berlin(11, 23, 22), HOUR) == berlin(11, 24, 10)
        assert OFFICE.after(berlin(11, 24, 3), HOUR) == berlin(11, 24, 10)

    def test_a_holiday_does_not_count(self) -> None:
        assert OFFICE.after(berlin(12, 24, 16), 2 * HOUR) == berlin(12, 28, 10)

    def test_the_last_hour_of_a_day_ends_at_closing_and_not_at_the_next_opening(self) -> None:
        assert OFFICE.after(berlin(11, 23, 16), HOUR) == berlin(11, 23, 17)

    def test_no_time_has_gone_by_at_once(self) -> None:
        at_night = berlin(11, 23, 22)
        assert OFFICE.after(at_night, timedelta(0)) == at_night

    def test_the_answer_is_in_utc_whatever_zone_the_start_is_in(self) -> None:
        start = datetime(2026, 11, 23, 4, tzinfo=ZoneInfo("America/New_York"))  # 10:00 in Berlin
        reached = OFFICE.after(start, HOUR)
        assert (reached, reached.tzinfo) == (berlin(11, 23, 11), UTC)

    def test_the_same_clock_is_another_instant_in_summer(self) -> None:
        assert OFFICE.after(berlin(3, 27, 16), 2 * HOUR) == datetime(2026, 3, 30, 8, tzinfo=UTC)
        assert OFFICE.after(berlin(10, 23, 16), 2 * HOUR) == datetime(2026, 10, 26, 9, tzinfo=UTC)


class TestClockChanges:
    """The night shift of Berlin on the days on which clocks are set forward and back."""

    NIGHT = BusinessCalendar(timezone="Europe/Berlin", closes=time(6))

    def test_a_shift_over_the_skipped_hour_is_an_hour_shorter(self) -> None:
        assert self.NIGHT.after(berlin(3, 29, 0), 5 * HOUR) == berlin(3, 29, 6)

    def test_a_shift_over_the_repeated_hour_is_an_hour_longer(self) -> None:
        assert self.NIGHT.after(berlin(10, 25, 0), 7 * HOUR) == berlin(10, 25, 6)

    def test_an_opening_that_the_clock_skips_is_when_it_skips(self) -> None:
        early = BusinessCalendar(timezone="Europe/Berlin", opens=time(2, 30), closes=time(6))
        assert early.after(berlin(3, 29, 0), HOUR) == berlin(3, 29, 4)

    def test_a_closing_that_the_clock_skips_is_when_it_skips(self) -> None:
        late = BusinessCalendar(timezone="Europe/Berlin", closes=time(2, 30))
        assert late.after(berlin(3, 29, 0), 3 * HOUR) == berlin(3, 30, 1)

    def test_hours_that_the_clock_skips_as_a_whole_do_not_count(self) -> None:
        brief = BusinessCalendar(timezone="Europe/Berlin", opens=time(2, 15), closes=time(2, 45))
        assert brief.after(berlin(3, 29, 0), 30 * MINUTE) == berlin(3, 30, 2, 45)

    def test_opening_and_closing_happen_at_the_first_of_two_like_hours(self) -> None:
        early = BusinessCalendar(timezone="Europe/Berlin", opens=time(2, 30), closes=time(6))
        assert early.after(berlin(10, 25, 0), HOUR) == berlin(10, 25, 2, 30, fold=1)
        late = BusinessCalendar(timezone="Europe/Berlin", closes=time(2, 30))
        assert late.after(berlin(10, 25, 0), 3 * HOUR) == berlin(10, 26, 0, 30)

    def test_a_day_that_an_island_skipped_is_no_working_day(self) -> None:
        friday_only = BusinessCalendar(timezone="Pacific/Apia", days=(4,), opens=time(9), closes=time(17))
        thursday = datetime(2011, 12, 29, 12, tzinfo=ZoneInfo("Pacific/Apia"))  # 30 December 2011 never came
        assert friday_only.after(thursday, HOUR) == datetime(2012, 1, 6, 10, tzinfo=ZoneInfo("Pacific/Apia"))

    @pytest.mark.parametrize("timezone", ["Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia"])
    def test_who_works_around_the_clock_works_all_of_the_time(self, timezone: str) -> None:
        start, year = datetime(2011, 6, 1, tzinfo=UTC), timedelta(days=366)
        assert around_the_clock(timezone).after(start, year) == start + year


class TestMidnight:
    def test_closing_at_midnight_is_at_the_end_of_the_day(self) -> None:
        evening = BusinessCalendar(timezone="Europe/Berlin", days=(0,), opens=time(20))
        assert evening.after(berlin(11, 23, 19), 4 * HOUR) == berlin(11, 24, 0)
        assert evening.after(berlin(11, 23, 19), 5 * HOUR) == berlin(11, 30, 21)

    def test_two_days_around_midnight_are_one_stretch(self) -> None:
        assert around_the_clock("Europe/Berlin").after(berlin(11, 23, 23), 2 * HOUR) == berlin(11, 24, 1)


class TestWhatIsNeverReached:
    def test_more_than_three_years_are_refused_by_name(self) -> None:
        once_a_week = BusinessCalendar(timezone="UTC", days=(6,), opens=time(9), closes=time(10))
        with pytest.raises(ValueError, match="within three years of 2026-11-23"):
            once_a_week.after(berlin(11, 23, 12), 200 * HOUR)

    def test_hours_that_end_before_they_begin_are_never_worked(self) -> None:
        with pytest.raises(ValueError, match="within three years"):
            BusinessCalendar(timezone="UTC", opens=time(17), closes=time(9)).after(berlin(11, 23, 0), HOUR)

    def test_working_time_is_not_counted_back(self) -> None:
        with pytest.raises(ValueError, match="counts back"):
            OFFICE.after(berlin(11, 23, 12), -HOUR)

    def test_the_longest_time_of_an_office_is_155_weeks_of_it_less_its_holidays(self) -> None:
        assert OFFICE.longest == (155 * 5 - 2) * 8 * HOUR
        assert around_the_clock("UTC").longest == 155 * 7 * 24 * HOUR


ZONES = ("Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
NEAR_CHANGES = (
    datetime(2026, 3, 6, tzinfo=UTC),  # New York and Havana go forward on the 8th, Havana at midnight
    datetime(2026, 3, 27, tzinfo=UTC),  # Berlin on the 29th
    datetime(2026, 4, 3, tzinfo=UTC),  # Lord Howe back on the 5th, by half an hour
    datetime(2026, 10, 2, tzinfo=UTC),  # and forward on the 4th
    datetime(2026, 10, 23, tzinfo=UTC),  # Berlin back on the 25th
    datetime(2026, 10, 30, tzinfo=UTC),  # New York and Havana on 1 November
)

quarters = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
starts = st.builds(
    lambda near, minutes: near + minutes * MINUTE, st.sampled_from(NEAR_CHANGES), st.integers(0, 5 * 24 * 60)
)
calendars = st.builds(
    BusinessCalendar,
    timezone=st.sampled_from(ZONES),
    days=st.sets(st.integers(0, 6), min_size=3).map(tuple),
    opens=quarters,
    closes=quarters,
    holidays=st.sets(st.sampled_from([date(2026, 3, 9), date(2026, 10, 26)])).map(tuple),
).filter(lambda calendar: calendar.opens < calendar.closes or calendar.closes == time(0))
working_times = st.integers(0, 40 * 60).map(lambda minutes: minutes * MINUTE)


def by_minutes(calendar: BusinessCalendar, start: datetime, worked: timedelta) -> datetime:
    """The slow way: look at the clock every minute. One that goes back shows nothing new until it has caught up."""
    reached, latest = start, _latest_shown(calendar.timezone, start)
    while worked:
        shown = reached.astimezone(ZoneInfo(calendar.timezone)).replace(tzinfo=None)
        latest = max(latest, shown)
        worked -= MINUTE if _is_open(calendar, latest) else timedelta(0)
        reached += MINUTE
    return reached


def _is_open(calendar: BusinessCalendar, shown: datetime) -> bool:
    is_before_closing = calendar.closes == time(0) or shown.time() < calendar.closes
    is_in_hours = calendar.opens <= shown.time() and is_before_closing
    return is_in_hours and shown.weekday() in calendar.days and shown.date() not in calendar.holidays


@cache
def _latest_shown(timezone: str, start: datetime) -> datetime:
    return max(moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) for moment in _two_hours_before(start))


def _two_hours_before(start: datetime) -> Iterator[datetime]:
    return (start - minutes * MINUTE for minutes in range(121))


@settings(max_examples=150, deadline=None)
@given(calendars, starts, working_times)
@example(OFFICE, berlin(3, 27, 16, 59), 2 * MINUTE)
def test_it_counts_what_somebody_counts_who_looks_at_the_clock_every_minute(
    calendar: BusinessCalendar, start: datetime, worked: timedelta
) -> None:
    assert calendar.after(start, worked) == by_minutes(calendar, start, worked)


@given(calendars, starts, working_times, working_times)
def test_a_time_in_two_parts_ends_when_the_whole_does(
    calendar: BusinessCalendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    assert calendar.after(calendar.after(start, first), second) == calendar.after(start, first + second)


@given(calendars, starts, working_times, working_times)
def test_more_work_ends_later(calendar: BusinessCalendar, start: datetime, some: timedelta, more: timedelta) -> None:
    assert (calendar.after(start, some) < calendar.after(start, some + more)) == bool(more)


@given(calendars, starts, starts, working_times)
def test_who_starts_later_ends_no_earlier(
    calendar: BusinessCalendar, one: datetime, other: datetime, worked: timedelta
) -> None:
    first, second = sorted((one, other))
    assert calendar.after(first, worked) <= calendar.after(second, worked)


@settings(max_examples=20, deadline=None)
@given(calendars, starts)
def test_the_longest_time_is_reached_from_any_start(calendar: BusinessCalendar, start: datetime) -> None:
    assert calendar.after(start, calendar.longest) > start


@given(calendars, starts, working_times)
def test_a_calendar_that_was_stored_with_a_question_counts_as_before(
    calendar: BusinessCalendar, start: datetime, worked: timedelta
) -> None:
    stored = BusinessCalendar.model_validate_json(calendar.model_dump_json())
    assert stored == calendar
    assert stored.after(start, worked) == calendar.after(start, worked)
