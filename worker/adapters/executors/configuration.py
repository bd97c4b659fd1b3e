"""The file of SIGNOFF_EXECUTORS_FILE: which actions this worker runs, and how. Every mistake in it is told at once."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from worker.adapters.executors.executor import Executor, OnUnknown
from worker.adapters.executors.plug_in import NoSuchExecutor, executor_class
from worker.adapters.executors.registry import Registry
from worker.adapters.policy.args_schemas import read_args_schema
from worker.adapters.policy.located_yaml import FileKind, line_of, root_of
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.plain_data import NotPlain, plain
from worker.adapters.policy.problems import FileRefused, Problems, content_of, did_you_mean

_START = "write `executors:` and one entry for each action, as in docs/tool-calls.md"

EXECUTORS = FileKind(
    max_bytes=256 * 1024,
    when_large="it names what runs actions, and no more",
    when_deep=_START,
    when_empty=_START,
)

SECRET = "env:"  # noqa: S105 - the mark of a secret, and none itself

LONGEST_NAME = 200
"""Characters of the name of an action, by the event contract."""

_COMMON = ("use", "time_limit_s")
_SCHEMA = "args_schema"


class ExecutorsError(FileRefused):
    """The file of executors cannot be used."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is the same for all entries. `lease_s` is for how long a worker holds what it runs."""

    lease_s: float
    environment: Mapping[str, str]
    problems: Problems


def load_executors(path: Path | None, *, lease_s: float, environment: Mapping[str, str] = os.environ) -> Registry:
    """The executors that a file names; none without a file. Raises ExecutorsError."""
    if path is None:
        return Registry()
    content = content_of(path, ExecutorsError, "give the path of a file of executors")
    return parse_executors(content, str(path), lease_s=lease_s, environment=environment)


def parse_executors(
    content: bytes, file: str, *, lease_s: float, environment: Mapping[str, str] = os.environ
) -> Registry:
    """The executors in YAML bytes; `file` is what messages call it. Raises ExecutorsError."""
    reading = _Reading(lease_s, environment, Problems())
    found: dict[str, Executor] = {}
    root = root_of(content, reading.problems, EXECUTORS)
    if root is not None:
        listed = Fields(root, "the file", reading.problems, required=("executors",)).fields.get("executors")
        entries = Fields(listed, "`executors`", reading.problems, optional=None).fields if listed is not None else {}
        for name, node in entries.items():
            executor = _read_entry(name, node, reading)
            if executor is not None:
                found[name] = executor
    if reading.problems.found:
        raise ExecutorsError(file, reading.problems.found)
    return Registry(found)


def _read_entry(name: str, node: yaml.Node, reading: _Reading) -> Executor | None:
    """None, with the problem told, when it is no executor."""
    problems, told_before = reading.problems, len(reading.problems.found)
    entry = Fields(node, f"executor {name}", problems, required=("use",), optional=None)
    if len(name) > LONGEST_NAME:
        problems.add(entry.line, f"the name of executor {name[:40]}… is too long", "no action has such a name")
    if "name" in entry.fields:  # it is how the executor learns its own name
        problems.add(entry.lines["name"], f"{entry.name} has an unknown option `name`", "its name is the entry's")
    options = {field: _value(entry, field, reading) for field in entry.fields if field not in _COMMON}
    use, time_limit_s = entry.text("use"), _time_limit(entry, reading)
    if use is None or len(problems.found) > told_before:
        return None
    try:
        kind = executor_class(use)
    except NoSuchExecutor as error:
        problems.add(entry.lines["use"], f"{entry.name}: {error}", error.advice)
        return None
    executor = _made(kind, entry, {"name": name, "time_limit_s": time_limit_s, **options}, problems)
    if executor is not None:
        _check(executor, entry, reading)
    return executor


def _made(kind: type[Executor], entry: Fields, given: dict[str, Any], problems: Problems) -> Executor | None:
    """What is said of a value never repeats it: it may come from the environment."""
    try:
        return kind(**given)
    except ValidationError as error:
        known = [field.alias or name for name, field in kind.Options.model_fields.items()]
        for found in error.errors(include_input=False, include_url=False):
            path = [str(part) for part in found["loc"]]
            _add_option_problem(path, found["type"], found["msg"].removeprefix("Value error, "), entry, known, problems)
    except (ValueError, TypeError, OSError) as error:
        problems.add(entry.line, f"{entry.name}: {error or type(error).__name__}", "correct it there")
    return None


def _add_option_problem(
    path: list[str], kind: str, says: str, entry: Fields, known: list[str], problems: Problems
) -> None:
    field = path[0] if path else None
    line = entry.lines.get(field, entry.line) if field else entry.line
    if field is None:
        problems.add(line, f"{entry.name}: {says}", "docs/tool-calls.md has an example")
    elif kind == "extra_forbidden" and len(path) == 1:
        problems.add(line, f"{entry.name} has an unknown option `{field}`", did_you_mean(field, [*_COMMON, *known]))
    elif kind == "missing":
        problems.add(line, f"{entry.name} has no `{'.'.join(path)}`", f"add `{path[-1]}: …`")
    else:
        problems.add(line, f"`{'.'.join(path)}` of {entry.name}: {says}", "correct it there")


def _check(executor: Executor, entry: Fields, reading: _Reading) -> None:
    """What the registry and the core rely on."""
    schema = getattr(executor, _SCHEMA, None)
    if not isinstance(schema, Mapping):
        reading.problems.add(
            entry.line, f"{entry.name} has no schema", "give `args_schema`, the JSON Schema of its arguments"
        )
    elif _SCHEMA not in entry.fields:
        _check_schema_of_class(schema, entry, reading.problems)
    if not isinstance(executor.on_unknown, OnUnknown):
        problem, advice = "has an `on_unknown` that is none", "set it to a member of OnUnknown"
        reading.problems.add(entry.lines["use"], f"{entry.name} {problem}", advice)
    looks_up = executor.on_unknown is OnUnknown.LOOK_UP
    if looks_up and type(executor).look_up is Executor.look_up:
        problem, advice = "says that it can look up, and has no `look_up`", "write one, or set `on_unknown` to ASK"
        reading.problems.add(entry.lines["use"], f"{entry.name} {problem}", advice)
    calls, how = (2, "a look-up and a call") if looks_up else (1, "a call")
    if executor.time_limit_s * calls >= reading.lease_s:
        reading.problems.add(
            entry.lines.get("time_limit_s", entry.line),
            f"{entry.name} may take {executor.time_limit_s * calls:g} s for {how}, and another worker takes over "
            f"after {reading.lease_s:g} s",
            "lower `time_limit_s`, or raise SIGNOFF_LEASE_S",
        )


def _check_schema_of_class(schema: Mapping[str, Any], entry: Fields, problems: Problems) -> None:
    """A schema that stands in a class is held to the same rules as one in a file, as the YAML that JSON is."""
    found, node = Problems(), yaml.compose(json.dumps(dict(schema), ensure_ascii=False), yaml.SafeLoader)
    if node is not None:
        read_args_schema(node, entry.name, found)
    for problem in found.found:
        problems.add(entry.lines["use"], problem.reason, problem.advice)


def _time_limit(entry: Fields, reading: _Reading) -> float | None:
    """Seconds; None when the entry names none, so that the executor's own holds."""
    if "time_limit_s" not in entry.fields:
        return None
    value = _value(entry, "time_limit_s", reading)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        line = entry.lines["time_limit_s"]
        reading.problems.add(line, f"`time_limit_s` of {entry.name} is no number of seconds", "write such as 10")
        return None
    return float(value)


def _value(entry: Fields, field: str, reading: _Reading) -> Any:
    """The plain data of a field, with each `env:NAME` replaced; None, with the problem told, where it has none."""
    node, what = entry.fields[field], f"`{field}` of {entry.name}"
    if field == _SCHEMA:
        return read_args_schema(node, entry.name, reading.problems)
    try:
        return _with_secrets(plain(node), line_of(node), what, reading)
    except NotPlain as error:
        reading.problems.add(error.line, f"{what} {error.reason}", error.advice)
    return None


def _with_secrets(data: Any, line: int, what: str, reading: _Reading) -> Any:
    if isinstance(data, dict):
        return {key: _with_secrets(value, line, what, reading) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_secrets(value, line, what, reading) for value in data]
    if not (isinstance(data, str) and data.startswith(SECRET)):
        return data
    name = data.removeprefix(SECRET)
    if not reading.environment.get(name):
        reading.problems.add(line, f"{what}: {name} is not in the environment", f"set {name} before the start")
    return reading.environment.get(name)
