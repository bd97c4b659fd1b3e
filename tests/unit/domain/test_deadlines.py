"""What happens while nobody answers: each step at its moment, once, and the deadline last."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.values import OnTimeout
from worker.domain.business_calendar import BusinessCalendar
from worker.domain.deadlines import DeadlineAction, DeadlineStep, Timer, due_now, timers_of

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OFFICE = BusinessCalendar(timezone="UTC", days=(0, 1, 2, 3, 4), opens=time(9), closes=time(17))

REMIND = DeadlineStep(at=0.5, do=DeadlineAction.REMIND)
HAND_OVER = DeadlineStep(at=0.75, do=DeadlineAction.HAND_OVER, to="duty-managers")


def a_timer(hours: float, do: DeadlineAction = DeadlineAction.REMIND) -> Timer:
    return Timer(at=MONDAY + hours * HOUR, do=do)


def test_steps_come_at_their_fractions_and_the_deadline_last() -> None:
    assert timers_of(MONDAY, DAY, (HAND_OVER, REMIND), OnTimeout.ESCALATE, None) == (
        Timer(at=MONDAY + 12 * HOUR, do=DeadlineAction.REMIND),
        Timer(at=MONDAY + 18 * HOUR, do=DeadlineAction.HAND_OVER, to="duty-managers"),
        Timer(at=MONDAY + 24 * HOUR, do=DeadlineAction.ESCALATE),
    )


def test_a_level_without_steps_has_its_deadline_only() -> None:
    assert timers_of(MONDAY, HOUR, (), OnTimeout.REJECT, None) == (a_timer(1, DeadlineAction.REJECT),)


def test_with_a_calendar_fractions_are_of_working_time() -> None:
    remind, deadline = timers_of(MONDAY + 4 * HOUR, 16 * HOUR, (REMIND,), OnTimeout.REJECT, OFFICE)
    assert remind.at == MONDAY + DAY + 4 * HOUR
    assert deadline.at == MONDAY + 2 * DAY + 4 * HOUR


def test_a_day_is_24_hours_also_where_clocks_change() -> None:
    evening = datetime(2026, 10, 24, 20, tzinfo=ZoneInfo("Europe/Berlin"))  # an hour is repeated that night
    (deadline,) = timers_of(evening, DAY, (), OnTimeout.REJECT, None)
    assert deadline.at == datetime(2026, 10, 25, 18, tzinfo=UTC)


class TestWhatIsDue:
    def test_nothing_is_before_the_first_timer(self) -> None:
        timers = (a_timer(1), a_timer(2, DeadlineAction.REJECT))
        assert due_now(timers, MONDAY) == (None, timers)

    def test_a_timer_is_due_at_its_very_moment_and_the_others_stay(self) -> None:
        remind, deadline = a_timer(1), a_timer(2, DeadlineAction.REJECT)
        assert due_now((remind, deadline), remind.at) == (remind, (deadline,))

    def test_a_reminder_gives_way_to_what_is_due_as_well(self) -> None:
        remind, deadline = a_timer(1), a_timer(2, DeadlineAction.REJECT)
        assert due_now((remind, deadline), deadline.at) == (deadline, ())

    def test_of_several_late_reminders_one_is_sent(self) -> None:
        timers = (a_timer(1), a_timer(1), a_timer(2), a_timer(9, DeadlineAction.ESCALATE))
        assert due_now(timers, MONDAY + 3 * HOUR) == (timers[2], timers[3:])

    def test_of_two_reminders_at_one_moment_one_is_sent(self) -> None:
        twice = (a_timer(1), a_timer(1), a_timer(9, DeadlineAction.REJECT))
        assert due_now(twice, MONDAY + HOUR) == (twice[0], twice[2:])

    def test_a_late_hand_over_is_not_lost_behind_the_deadline(self) -> None:
        timers = (a_timer(1), a_timer(2, DeadlineAction.HAND_OVER), a_timer(3, DeadlineAction.REJECT))
        assert due_now(timers, MONDAY + DAY) == (timers[1], timers[2:])


steps = st.lists(
    st.builds(
        DeadlineStep,
        at=st.floats(min_value=0.01, max_value=0.99),
        do=st.sampled_from([DeadlineAction.REMIND, DeadlineAction.HAND_OVER]),
    ),
    max_size=5,
)
timeouts = st.sampled_from(OnTimeout)
lengths = st.integers(1, 200 * 3600).map(lambda seconds: timedelta(seconds=seconds))
starts = st.integers(0, 366 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


@given(starts, lengths, steps, timeouts, st.none() | st.just(OFFICE))
def test_every_step_comes_after_the_question_and_not_after_the_deadline(
    start: datetime,
    due_in: timedelta,
    steps: list[DeadlineStep],
    on_timeout: OnTimeout,
    calendar: BusinessCalendar | None,
) -> None:
    timers = timers_of(start, due_in, steps, on_timeout, calendar)
    moments = [timer.at for timer in timers]
    assert moments == sorted(moments)
    assert start < moments[0]
    assert timers[-1].do == on_timeout.value
    assert len(timers) == len(steps) + 1


@given(steps, timeouts, st.lists(st.integers(0, 30), min_size=1))
def test_whenever_somebody_looks_each_timer_is_acted_on_once_at_most_and_the_deadline_in_the_end(
    steps: list[DeadlineStep], on_timeout: OnTimeout, looks: list[int]
) -> None:
    left = timers_of(MONDAY, DAY, steps, on_timeout, None)
    scheduled, acted = list(left), []
    for hours in [*sorted(looks), 24]:
        now = MONDAY + hours * HOUR
        timer, left = due_now(left, now)
        while timer is not None:
            assert timer.at <= now, "nothing is done before its time"
            acted.append(timer)
            timer, left = due_now(left, now)
    assert acted[-1].do == on_timeout.value
    assert left == ()
    remaining = iter(scheduled)
    assert all(timer in remaining for timer in acted), "in order, and each once"
    hand_overs = [timer for timer in scheduled if timer.do is DeadlineAction.HAND_OVER]
    assert [timer for timer in acted if timer.do is DeadlineAction.HAND_OVER] == hand_overs


@given(starts, lengths, steps, timeouts)
def test_no_timer_approves(
    start: datetime, due_in: timedelta, steps: list[DeadlineStep], on_timeout: OnTimeout
) -> None:
    ends = {timer.do for timer in timers_of(start, due_in, steps, on_timeout, None)}
    assert ends & {DeadlineAction.ESCALATE, DeadlineAction.REJECT}
    assert not {action for action in DeadlineAction if "approve" in action}
