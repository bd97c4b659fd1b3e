"""A calendar that nobody could work by is refused, with the line and the reason."""

import re
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from schemas.values import ApprovalChange
from worker.adapters.policy.calendars import MOST_HOLIDAYS, read_calendars
from worker.adapters.policy.loading import parse_policy
from worker.adapters.policy.problems import PolicyError, Problems
from worker.domain.approval import Closing
from worker.domain.business_calendar import SURE_WEEKS, BusinessCalendar
from worker.domain.deadlines import timers_of

GOOD = """\
calendars:
  office:
    timezone: Europe/Berlin
    days: [mon, tue, wed, thu, fri]
    hours: 09:00-17:00
    holidays: [2026-12-25, 2026-12-26]
"""


def calendars_of(content: str) -> tuple[dict[str, BusinessCalendar], list[tuple[int, str]]]:
    """What was read, and the line and message of each problem."""
    root = yaml.compose(content, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    problems = Problems()
    calendars = read_calendars(root.value[0][1], problems)
    return dict(calendars), [(problem.line, f"{problem.reason}; {problem.advice}") for problem in problems.found]


def test_an_office_is_read_as_it_is_written() -> None:
    calendars, problems = calendars_of(GOOD)
    assert problems == []
    assert calendars == {
        "office": BusinessCalendar(
            timezone="Europe/Berlin",
            days=(0, 1, 2, 3, 4),
            opens=time(9),
            closes=time(17),
            holidays=(date(2026, 12, 25), date(2026, 12, 26)),
        )
    }


def test_a_policy_without_calendars_has_none() -> None:
    problems = Problems()
    assert read_calendars(None, problems) == {}
    assert problems.found == []


def test_the_order_of_days_and_holidays_says_nothing() -> None:
    other, _ = calendars_of(
        GOOD.replace("[mon, tue, wed, thu, fri]", "[fri, thu, wed, tue, mon]").replace(
            "[2026-12-25, 2026-12-26]", "[2026-12-26, 2026-12-25]"
        )
    )
    assert other == calendars_of(GOOD)[0]


@pytest.mark.parametrize("hours", ["00:00-24:00", "00:00-00:00", "00:00 - 24:00"])
def test_midnight_at_the_end_is_written_either_way(hours: str) -> None:
    calendars, problems = calendars_of(GOOD.replace("09:00-17:00", hours))
    assert problems == []
    assert (calendars["office"].opens, calendars["office"].closes) == (time(0), time(0))


def test_a_calendar_without_holidays_has_none() -> None:
    calendars, problems = calendars_of(GOOD.replace("    holidays: [2026-12-25, 2026-12-26]\n", ""))
    assert problems == []
    assert calendars["office"].holidays == ()


SPOILT = {
    "no mapping": (GOOD[len("calendars:") :], " none\n", 1, "`calendars` is not a mapping"),
    "no calendar": (GOOD[len("calendars:") :], " {}\n", 1, "`calendars` names no calendar"),
    "name": ("office:", "Our Office:", 2, "the key `Our Office`; write words such as office-hours"),
    "unknown key": ("    holidays", "    holiday", 6, "unknown key `holiday`; did you mean holidays?"),
    "missing hours": ("    hours: 09:00-17:00\n", "", 3, "calendar office has no `hours`"),
    "no days at all": ("    days: [mon, tue, wed, thu, fri]\n", "", 3, "calendar office has no `days`"),
    "misspelt zone": (
        "Europe/Berlin",
        "Europe/Berlim",
        3,
        "`Europe/Berlim`, which is unknown; did you mean Europe/B",
    ),
    "zone in lower case": ("Europe/Berlin", "europe/berlin", 3, "did you mean Europe/Berlin?"),
    "a city": ("Europe/Berlin", "New York", 3, "did you mean America/New_York?"),
    "no zone": ("Europe/Berlin", "headquarters", 3, "write a name of the IANA database, such as Europe/Berlin"),
    "a path": ("Europe/Berlin", "../../etc/passwd", 3, "which is unknown"),
    "the machine's own zone": ("Europe/Berlin", "localtime", 3, "which is unknown"),
    "zone that is a list": ("Europe/Berlin", "[Europe/Berlin]", 3, "`timezone` of calendar office is not text"),
    "no day": ("[mon, tue, wed, thu, fri]", "[]", 4, "`days` of calendar office is not a list with entries"),
    "a range of days": ("[mon, tue, wed, thu, fri]", "mon-fri", 4, "is not a list with entries"),
    "misspelt day": ("[mon,", "[mno,", 4, "has `mno`, which is no day; did you mean mon?"),
    "day by number": ("[mon,", "[1,", 4, "has `1`, which is no day; known are: mon, tue, wed, thu, fri, sat, sun"),
    "day twice": ("tue, wed", "mon, wed", 4, "has mon twice, first on line 4; keep one of them"),
    "a day that is a list": ("[mon,", "[[mon],", 4, "which is no day"),
    "hours that end before": ("09:00-17:00", "17:00-09:00", 5, "17:00-09:00, end before they begin"),
    "hours that end at once": ("09:00-17:00", "09:00-09:00", 5, "end before they begin"),
    "hours without minutes": ("09:00-17:00", "9-17", 5, "`9-17`; write hours of the day such as 09:00-17:00"),
    "hour 25": ("09:00-17:00", "09:00-25:00", 5, "write hours of the day"),
    "half past midnight": ("09:00-17:00", "09:00-24:30", 5, "write hours of the day"),
    "a day that never comes": ("2026-12-26", "2026-02-30", 6, "has `2026-02-30`, a day that no calendar has; mend"),
    "a day in words": ("2026-12-26", "boxing day", 6, "`boxing day`, which is not a date; write year, month and day"),
    "a day in another order": ("2026-12-26", "26-12-2026", 6, "which is not a date"),
    "a day with an hour": ("2026-12-26", "2026-12-26T00:00:00Z", 6, "which is not a date"),
    "holiday twice": ("12-26", "12-25", 6, "has 2026-12-25 twice, first on line 6; keep one of them"),
    "no holiday": ("[2026-12-25, 2026-12-26]", "", 6, "`holidays` of calendar office is not a list with entries"),
    "endless holidays": (
        "[2026-12-25, 2026-12-26]",
        str([f"{year}-12-25" for year in range(2000, 2001 + MOST_HOLIDAYS)]),
        6,
        "are more than 200; keep those of the next years",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "message"), SPOILT.values(), ids=SPOILT)
def test_one_mistake_is_one_problem_at_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    _, ((place, told),) = calendars_of(GOOD.replace(old, new, 1))
    assert place == line
    assert message in told


def test_a_holiday_has_the_line_on_which_it_stands() -> None:
    listed = GOOD.replace("[2026-12-25, 2026-12-26]", "\n      - 2026-12-25\n      - 2026-12-32\n      - 2026-12-25")
    _, problems = calendars_of(listed)
    assert problems == [
        (8, "`holidays` of calendar office has `2026-12-32`, a day that no calendar has; mend the date"),
        (9, "`holidays` of calendar office has 2026-12-25 twice, first on line 7; keep one of them"),
    ]


def test_all_mistakes_of_a_calendar_are_told_at_once_and_its_name_stays_known() -> None:
    calendars, problems = calendars_of(
        GOOD.replace("mon,", "mno,").replace("17:00", "27:00").replace("Berlin", "Berlim").replace("12-26", "13-26")
    )
    assert [line for line, _ in problems] == [3, 4, 5, 6]
    assert list(calendars) == ["office"]


class TestThePage:
    """docs/deadlines.md says what the code does."""

    PAGE = (Path(__file__).parents[2] / "docs" / "deadlines.md").read_text(encoding="utf-8")
    (POLICY,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    def test_the_policy_on_the_page_has_the_deadlines_that_the_page_says(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        manager = parse_policy(self.POLICY.encode(), "office.yaml").levels["manager"]
        asked = datetime(2026, 12, 24, 15, tzinfo=berlin)
        assert f"{asked:%A %d %B %Y at %H:%M} in Berlin" in self.PAGE
        timers = timers_of(asked, manager.due_in, manager.deadlines, manager.on_timeout, manager.calendar)
        rows = re.findall(r"^\| (2026-[-0-9: ]+) \|", self.PAGE, re.MULTILINE)
        assert [f"{timer.at.astimezone(berlin):%Y-%m-%d %H:%M}" for timer in timers] == rows

    def test_the_refusal_on_the_page_is_what_its_author_would_see(self) -> None:
        spoilt = self.POLICY.replace("Europe/Berlin", "Berlin")
        with pytest.raises(PolicyError) as refused:
            parse_policy(spoilt.encode(), "shop.yaml")
        assert str(refused.value) in self.PAGE.splitlines()

    def test_every_change_and_every_closing_that_screens_are_told_is_explained(self) -> None:
        told = self.PAGE.split("## What open screens are told\n", 1)[1].split("\n## ", 1)[0]
        assert {*re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)} == {"change", *ApprovalChange}
        assert all(f"`{closing}`" in told for closing in Closing)

    def test_the_figures_on_the_page_are_those_of_the_code(self) -> None:
        assert f"{MOST_HOLIDAYS} at most" in self.PAGE
        assert f"{SURE_WEEKS} weeks" in self.PAGE
