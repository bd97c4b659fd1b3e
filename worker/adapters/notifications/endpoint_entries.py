"""One endpoint of the file: its fields as plain data, with what `env:NAME` stands for, and each with its line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from worker.adapters.notifications.endpoints import ENDPOINT, SECRET_FIELDS, EndpointOptions
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, text_of
from worker.adapters.policy.problems import Problems

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")

SEE = "docs/notifications.md has all options"

Place = tuple[str | int, ...]


def read_endpoint(
    name: str, node: yaml.Node, environment: Mapping[str, str], problems: Problems
) -> EndpointOptions | None:
    """None, with the problems told, when it cannot be used."""
    before = len(problems.found)
    reader = _Reader(f"endpoint {name}", environment, problems)
    data = reader.plain(node, ())
    if len(problems.found) > before:
        return None
    try:
        return ENDPOINT.validate_python(data)
    except ValidationError as error:
        for line, reason, advice in _told(error, reader, line_of(node)):
            problems.add(line, f"endpoint {name}: {reason}", advice)
        return None


@dataclass(slots=True)
class _Reader:
    name: str
    environment: Mapping[str, str]
    problems: Problems
    lines: dict[Place, int] = field(default_factory=dict)

    def line_of(self, place: Place) -> int:
        """Of what stands there, or of the innermost thing around it when nothing does."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def plain(self, node: yaml.Node, place: Place) -> Any:
        """Every scalar as text: what it should be is for the model to say."""
        self.lines[place] = line_of(node)
        if isinstance(node, yaml.MappingNode):
            of = f" `{_written(place)}`" if place else ""
            fields = Fields(node, f"{self.name}{of}", self.problems, optional=None)
            return {key: self.plain(value, (*place, key)) for key, value in fields.fields.items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(value, (*place, number)) for number, value in enumerate(node.value)]
        text = text_of(node)
        return text if text is None else self._value(text, node, place)

    def _value(self, text: str, node: yaml.Node, place: Place) -> str | None:
        named = _ENVIRONMENT.fullmatch(text)
        what = f"{self.name}: `{_written(place)}`"
        if named is None:
            if SECRET_FIELDS.intersection(place):
                self.problems.add(line_of(node), f"{what} is written out", "write env:NAME, and put it there")
            return text
        value = self.environment.get(named[1])
        if not value:
            advice = "set it where the worker runs, or correct the name"
            self.problems.add(line_of(node), f"{what}: the environment has no {named[1]}", advice)
        return value


def _told(error: ValidationError, reader: _Reader, line: int) -> Iterator[tuple[int, str, str]]:
    """Line, reason and advice of each. What was given is not repeated: it may be a secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    # A place begins with the kind, by which the models are told apart.
    places: list[Place] = [problem["loc"][1:] for problem in found]
    for problem, place in zip(found, places, strict=True):
        if problem["type"].startswith("union_tag"):
            yield line, "`use` says no kind of endpoint", "known are: slack, teams, webhook, email"
        elif problem["type"] == "extra_forbidden":
            yield reader.line_of(place), f"`{_written(place)}` is no option of this kind", SEE
        elif problem["type"] == "too_short" and any(other[:-1] == place for other in places if other):
            continue  # Its entries were refused one by one.
        else:
            said = problem["msg"].removeprefix("Value error, ")
            what = f"`{_written(place)}`: " if place else ""
            yield reader.line_of(place), f"{what}{said[:1].lower()}{said[1:]}", SEE


def _written(place: Place) -> str:
    return ".".join(str(part) for part in place)
