"""The `calendars` of a policy: working hours by name, for levels whose time does not run at night."""

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import date, time
from difflib import get_close_matches
from typing import TypeVar
from zoneinfo import available_timezones

import yaml

from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, sequence_of, text_of
from worker.adapters.policy.problems import Problems, did_you_mean
from worker.domain.business_calendar import MIDNIGHT, BusinessCalendar

CALENDAR_FIELDS = ("timezone", "days", "hours")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_HOLIDAYS = 200
"""A calendar travels with every question that is asked by it."""

_KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_HOURS = re.compile(rf"{_CLOCK}\s*-\s*(?:{_CLOCK}|24:00)", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NOT_PLACES = frozenset({"localtime", "Factory"})
"""Entries of a time zone database that mean something else on each machine."""

_STAND_IN = BusinessCalendar(timezone="UTC")

Entry = TypeVar("Entry", bound=Hashable)


def read_calendars(node: yaml.Node | None, problems: Problems) -> Mapping[str, BusinessCalendar]:
    """By name. A calendar with problems becomes one that is always open, so that levels may still name it."""
    if node is None:
        return {}
    entries = Fields(node, "`calendars`", problems, optional=None)
    if isinstance(node, yaml.MappingNode) and not node.value:
        problems.add(line_of(node), "`calendars` names no calendar", "add one, or remove `calendars`")
    for name, line in entries.lines.items():
        if not _KEBAB.fullmatch(name):
            problems.add(line, f"`calendars` has the key `{name}`", "write words such as office-hours")
    return {name: _calendar(name, entry, problems) or _STAND_IN for name, entry in entries.fields.items()}


def _calendar(name: str, node: yaml.Node, problems: Problems) -> BusinessCalendar | None:
    before = len(problems.found)
    fields = Fields(node, f"calendar {name}", problems, required=CALENDAR_FIELDS, optional=("holidays",))
    timezone = _timezone(fields, problems)
    days = _entries(fields, "days", WEEKDAYS.index, _what_no_day_is, problems)
    hours = _hours(fields, problems)
    holidays = _holidays(fields, problems)
    if timezone is None or hours is None or len(problems.found) > before:
        return None
    return BusinessCalendar(
        timezone=timezone,
        days=tuple(sorted(days)),
        opens=hours[0],
        closes=hours[1],
        holidays=tuple(sorted(holidays)),
    )


def _timezone(fields: Fields, problems: Problems) -> str | None:
    name = fields.text("timezone")
    if name is None:
        return None
    known = available_timezones() - _NOT_PLACES
    if name in known:
        return name
    near = _near_timezone(name, sorted(known))
    advice = f"did you mean {near}?" if near else "write a name of the IANA database, such as Europe/Berlin"
    problems.add(fields.lines["timezone"], f"`timezone` of {fields.name} is `{name}`, which is unknown", advice)
    return None


def _near_timezone(name: str, known: list[str]) -> str | None:
    """The nearest name as a whole, or else the one that ends in such a city."""
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in known}
    whole = {zone.casefold(): zone for zone in known}
    for names in (whole, cities):
        if near := get_close_matches(name.casefold().replace(" ", "_"), names, n=1, cutoff=0.8):
            return names[near[0]]
    return None


def _hours(fields: Fields, problems: Problems) -> tuple[time, time] | None:
    """Opening and closing."""
    text = fields.text("hours")
    if text is None:
        return None
    line = fields.lines["hours"]
    match = _HOURS.fullmatch(text)
    if match is None:
        problems.add(line, f"`hours` of {fields.name} is `{text}`", "write hours of the day such as 09:00-17:00")
        return None
    opens, closes = time(int(match[1]), int(match[2])), time(int(match[3] or 0), int(match[4] or 0))
    if closes != MIDNIGHT and closes <= opens:
        advice = "end them on the same day; 24:00 is midnight, and a night shift is two calendars"
        problems.add(line, f"`hours` of {fields.name}, {text}, end before they begin", advice)
        return None
    return opens, closes


def _holidays(fields: Fields, problems: Problems) -> list[date]:
    holidays = _entries(fields, "holidays", _date, _what_no_date_is, problems)
    if len(holidays) > MOST_HOLIDAYS:
        what = f"`holidays` of {fields.name} are more than {MOST_HOLIDAYS}"
        problems.add(fields.lines["holidays"], what, "keep those of the next years")
    return holidays


def _entries(
    fields: Fields,
    key: str,
    read: Callable[[str], Entry],
    complain: Callable[[str], tuple[str, str]],
    problems: Problems,
) -> list[Entry]:
    """What the list says, each once. `read` raises ValueError; `complain` then says what a text is not, and advises."""
    node = fields.fields.get(key)
    if node is None:
        return []
    first_lines: dict[Entry, int] = {}
    for entry in sequence_of(node, f"`{key}` of {fields.name}", problems):
        text, line = text_of(entry) or "", line_of(entry)
        try:
            value = read(text)
        except ValueError:
            is_not, advice = complain(text)
            problems.add(line, f"`{key}` of {fields.name} has `{text}`, {is_not}", advice)
            continue
        if value in first_lines:
            told = f"`{key}` of {fields.name} has {text} twice, first on line {first_lines[value]}"
            problems.add(line, told, "keep one of them")
        first_lines.setdefault(value, line)
    return list(first_lines)


def _what_no_day_is(text: str) -> tuple[str, str]:
    return "which is no day", did_you_mean(text, WEEKDAYS)


def _what_no_date_is(text: str) -> tuple[str, str]:
    if _DATE.fullmatch(text):
        return "a day that no calendar has", "mend the date"
    return "which is not a date", "write year, month and day, such as 2026-12-25"


def _date(text: str) -> date:
    """Only the written form of RFC 3339: Python itself reads `20261225` and `2026-W52-5` as well."""
    if _DATE.fullmatch(text) is None:
        raise ValueError
    return date.fromisoformat(text)
