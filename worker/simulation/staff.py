"""The people of a simulation: how many hold each role, when they work, how long they take, how often they say yes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml

from worker.adapters.policy.calendars import read_calendars
from worker.adapters.policy.field_values import one_of, quantity
from worker.adapters.policy.located_yaml import FileKind, root_of
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.problems import FileRefused, Problems, content_of
from worker.adapters.policy.quantities import duration
from worker.domain.business_calendar import BusinessCalendar

_START = "write `staff:` with the roles of your policy, as in docs/simulate.md"
STAFF = FileKind(max_bytes=64 * 1024, when_large="it names roles", when_deep=_START, when_empty=_START)
MOST_PEOPLE = 1_000
ALWAYS = BusinessCalendar(timezone="UTC")


@dataclass(frozen=True, slots=True)
class Team:
    """Those who hold one role. `handling` is what one answer takes of a person's working time; `approves` the share of
    answers that are an approval, the rest are rejections."""

    people: int
    handling: timedelta
    approves: float
    hours: BusinessCalendar


class StaffError(FileRefused):
    """The file of staff cannot be used."""


def load_staff(path: Path) -> Mapping[str, Team]:
    """By role. Raises StaffError."""
    return parse_staff(content_of(path, StaffError, "give the path of a file of staff"), str(path))


def parse_staff(content: bytes, file: str) -> Mapping[str, Team]:
    """`file` is what messages call it. Raises StaffError."""
    problems = Problems()
    root = root_of(content, problems, STAFF)
    teams = _teams(root, problems) if root is not None else {}
    if problems.found:
        raise StaffError(file, problems.found)
    return teams


def _teams(root: yaml.Node, problems: Problems) -> dict[str, Team]:
    fields = Fields(root, "the file", problems, required=("staff",), optional=("calendars",))
    calendars = read_calendars(fields.fields.get("calendars"), problems)
    listed = fields.fields.get("staff")
    roles = Fields(listed, "`staff`", problems, optional=None).fields if listed is not None else {}
    return {role: _team(role, node, calendars, problems) for role, node in roles.items()}


def _team(role: str, node: yaml.Node, calendars: Mapping[str, BusinessCalendar], problems: Problems) -> Team:
    fields = Fields(node, f"role {role}", problems, required=("people", "handling"), optional=("approves", "calendar"))
    calendar = one_of(fields, "calendar", calendars, "has an unknown calendar", problems)
    approves = quantity(fields, "approves", _share, problems)
    return Team(
        people=quantity(fields, "people", _people, problems) or 1,
        handling=quantity(fields, "handling", duration, problems) or timedelta(minutes=1),
        approves=1.0 if approves is None else approves,
        hours=calendars.get(calendar or "", ALWAYS),
    )


def _people(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_PEOPLE:
        raise ValueError(f"is not a whole number from 1 to {MOST_PEOPLE}")
    return int(text)


def _share(text: str) -> float:
    """`90%` as 0.9, from 0% to 100%."""
    number = text.removesuffix("%")
    if number == text or not number.isascii() or not number.isdigit() or int(number) > 100:
        raise ValueError("is not a share such as 90%")
    return int(number) / 100
