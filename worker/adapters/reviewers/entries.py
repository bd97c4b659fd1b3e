"""One reviewer of the file: the fields read and checked, each with its line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import yaml
from pydantic import TypeAdapter, ValidationError

from schemas.values import Identifier, Money
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, sequence_of, text_of
from worker.adapters.policy.problems import Problems
from worker.adapters.policy.quantities import limit
from worker.adapters.reviewers.moments import moment
from worker.domain.reviewers import Person

OPTIONAL_FIELDS = ("roles", "ceiling", "valid_from", "valid_until", "away")
AWAY_FIELDS = ("from", "until", "delegate")

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class Entry:
    """A person, and where in the file what is said of them stands. `lines` is by field, and `role NAME`."""

    person: Person
    line: int
    lines: Mapping[str, int]


def read_entry(number: int, node: yaml.Node, problems: Problems) -> Entry | None:
    """The person in one entry of `reviewers`; None, with the problem told, when they have no id.

    What cannot be read is left out: the file is refused anyway, and all else that is wrong is told as well.
    """
    name = _name(number, node)
    fields = Fields(node, name, problems, required=("id",), optional=OPTIONAL_FIELDS)
    lines = dict(fields.lines)
    valid_from, valid_until = _period(fields, "valid_from", "valid_until", problems)
    away = _away(fields, name, problems)
    away_from, away_until = _period(away, "from", "until", problems) if away else (None, None)
    if away and "delegate" in away.lines:
        lines["delegate"] = away.lines["delegate"]
    id_ = _identifier(fields, "id", problems)
    if id_ is None:
        return None
    person = Person(
        id=id_,
        roles=_roles(fields, lines, problems),
        ceiling=_ceiling(fields, problems),
        valid_from=valid_from,
        valid_until=valid_until,
        away_from=away_from,
        away_until=away_until,
        delegate=_identifier(away, "delegate", problems) if away else None,
    )
    return Entry(person, lines["id"], lines)


def _name(number: int, node: yaml.Node) -> str:
    """How messages call the reviewer: by the id where there is one, else by the place in the list."""
    entries = node.value if isinstance(node, yaml.MappingNode) else ()
    ids = [text_of(value) for key, value in entries if text_of(key) == "id"]
    return f"reviewer {ids[0]}" if ids and ids[0] else f"reviewer number {number}"


def _identifier(fields: Fields, key: str, problems: Problems) -> str | None:
    text = fields.text(key)
    if text is None:
        return None
    try:
        return _IDENTIFIER.validate_python(text)
    except ValidationError:
        problems.add(fields.lines[key], f"`{key}` of {fields.name} is longer than 200 characters", "shorten it")
        return None


def _roles(fields: Fields, lines: dict[str, int], problems: Problems) -> tuple[str, ...]:
    node = fields.fields.get("roles")
    if node is None:
        return ()
    roles: list[str] = []
    for entry in sequence_of(node, f"`roles` of {fields.name}", problems):
        role, line = text_of(entry), line_of(entry)
        if role is None:
            problems.add(line, f"{fields.name} has a role that is not text", "write a word such as manager")
        elif role in roles:
            problems.add(line, f"{fields.name} has the role `{role}` twice", "keep one of them")
        else:
            roles.append(role)
            lines[f"role {role}"] = line
    return tuple(roles)


def _ceiling(fields: Fields, problems: Problems) -> Money | None:
    text = fields.text("ceiling")
    if text is None:
        return None
    try:
        ceiling = limit(text)
        if isinstance(ceiling, Money):
            return ceiling
        reason = "is not an amount such as 5000.00 USD"
    except ValueError as error:
        reason = str(error)
    problems.add(
        fields.lines["ceiling"],
        f"`ceiling` of {fields.name}, {text}, {reason}",
        "write an amount with its currency, or leave it out for any amount",
    )
    return None


def _away(fields: Fields, name: str, problems: Problems) -> Fields | None:
    """The mapping `away`. Without a time it would say nothing, and its delegate would never decide."""
    node = fields.fields.get("away")
    if node is None:
        return None
    away = Fields(node, f"`away` of {name}", problems, optional=AWAY_FIELDS)
    if isinstance(node, yaml.MappingNode) and not {"from", "until"} & away.lines.keys():
        problems.add(away.line, f"{away.name} has neither `from` nor `until`", "say when they are away")
    return away


def _period(fields: Fields, begin: str, end: str, problems: Problems) -> tuple[datetime | None, datetime | None]:
    start, stop = _moment(fields, begin, problems), _moment(fields, end, problems)
    if start is not None and stop is not None and stop <= start:
        problems.add(
            fields.lines[end],
            f"`{end}` of {fields.name} is not after `{begin}`, on line {fields.lines[begin]}",
            "mend one of them; the last day is the one before `until`",
        )
    return start, stop


def _moment(fields: Fields, key: str, problems: Problems) -> datetime | None:
    text = fields.text(key)
    if text is None:
        return None
    try:
        return moment(text)
    except ValueError as error:
        problems.add(fields.lines[key], f"`{key}` of {fields.name}, {text}, {error}", "mend it")
        return None
