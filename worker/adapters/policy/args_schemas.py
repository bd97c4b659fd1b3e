"""The JSON Schema of an action's arguments, as a policy gives it: Draft 2020-12, whole in itself.

What the draft allows and nobody would notice is refused as well: a misspelt keyword or a format that is not checked
looks like protection, and is none. https://json-schema.org/draft/2020-12
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from worker.adapters.policy.located_yaml import line_of
from worker.adapters.policy.patterns import NoPattern, check_pattern
from worker.adapters.policy.plain_data import NotPlain, node_at, plain
from worker.adapters.policy.problems import Problems, did_you_mean

FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Those that are checked on every machine, and in no time: others need packages that may be missing."""

CHECKED_FORMATS = FormatChecker(formats=FORMATS)

_DRAFT = "https://json-schema.org/draft/2020-12"
_CORE_AND_ANNOTATIONS = (
    "$anchor", "$comment", "$defs", "$dynamicAnchor", "$schema", "contentEncoding", "contentMediaType", "contentSchema",
    "default", "deprecated", "description", "else", "examples", "maxContains", "minContains", "readOnly", "then",
    "title", "writeOnly",
)  # fmt: skip
KEYWORDS = frozenset((*Draft202012Validator.VALIDATORS, *_CORE_AND_ANNOTATIONS)) - {"patternProperties"}
"""Without `$id` and `$vocabulary`, which would give the schema another name, or other keywords."""

_NO_PYTHON_PATTERNS = FormatChecker(formats=())

_WHOLE = "write the whole schema here, and refer to its own parts with `#/$defs/…`"
_MAX_SHOWN = 200
_REFERENCES = ("$ref", "$dynamicRef")

Told = tuple[list[str | int], str, str]
"""A path within the schema, what is wrong there, and what to do."""


def read_args_schema(node: yaml.Node, name: str, problems: Problems) -> Mapping[str, Any] | None:
    """The schema at this node; None, with the problems told, if it must not be used. `name` says whose it is."""
    what = f"`args_schema` of {name}"
    try:
        schema = plain(node)
    except NotPlain as error:
        problems.add(error.line, f"{what} {error.reason}", error.advice)
        return None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        problems.add(line_of(node), f"{what} is not of type object", "add `type: object`: arguments have names")
        return None
    told = list(_problems(schema))
    for path, reason, advice in told:
        problems.add(line_of(node_at(node, path)), f"{what} {reason}", advice)
    return None if told else schema


def _problems(schema: dict[str, Any]) -> Iterator[Told]:
    broken = _breaks_the_draft(schema)
    if broken is not None:
        yield broken
        return
    unclear = [told for path, part in _parts(schema, []) for told in _unclear(path, part)]
    yield from unclear or _leads_nowhere(schema)


def _breaks_the_draft(schema: dict[str, Any]) -> Told | None:
    try:
        Draft202012Validator.check_schema(schema, format_checker=_NO_PYTHON_PATTERNS)
    except SchemaError as error:
        said = error.message if len(error.message) <= _MAX_SHOWN else f"{error.message[:_MAX_SHOWN]}…"
        return list(error.absolute_path), f"is no JSON Schema: {said}", "mend it there"
    except RecursionError:
        return [], "is nested too deeply", "make it flatter"
    return None


def _parts(schema: dict[str, Any], path: list[str | int]) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    """The schema and every schema within it, each with the path to it."""
    yield path, schema
    for keyword, value in schema.items():
        for inner, part in _within(keyword, value):
            yield from _parts(part, [*path, keyword, *inner])


def _within(keyword: str, value: Any) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    """The schemas right under one keyword; `true` and `false`, which are schemas too, have nothing to look at."""
    if keyword in _NAMED and isinstance(value, dict):
        entries: Iterator[tuple[list[str | int], Any]] = (([name], part) for name, part in value.items())
    elif keyword in _LISTED and isinstance(value, list):
        entries = (([place], part) for place, part in enumerate(value))
    elif keyword in _SINGLE:
        entries = iter([([], value)])
    else:
        return
    yield from ((inner, part) for inner, part in entries if isinstance(part, dict))


_NAMED = frozenset({"$defs", "properties", "dependentSchemas"})
_LISTED = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SINGLE = frozenset(
    {
        "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip


def _unclear(path: list[str | int], part: dict[str, Any]) -> Iterator[Told]:
    for keyword, value in part.items():
        here = [*path, keyword]
        if keyword == "$id":
            yield here, "has an `$id`", f"remove it: {_WHOLE}"
        elif keyword == "$schema" and str(value).rstrip("#") != f"{_DRAFT}/schema":
            yield here, "is written for another draft", f"remove `$schema`: schemas here are those of {_DRAFT}"
        elif keyword == "patternProperties":
            yield here, "has `patternProperties`", "name the `properties`, or write `propertyNames: {pattern: …}`"
        elif keyword == "pattern" and (reason := _why_no_pattern(value)):
            yield here, f"has a `pattern` that is none: {reason}", "mend it there"
        elif keyword not in KEYWORDS:
            yield here, f"has an unknown keyword `{keyword}`", did_you_mean(keyword, sorted(KEYWORDS))
        elif keyword in _REFERENCES and not str(value).startswith("#"):
            yield here, f"refers to something outside of it (`{keyword}`)", f"nothing is fetched: {_WHOLE}"
        elif keyword == "format" and value not in FORMATS:
            yield here, f"has a format that is not checked: {value}", f"use `pattern`, or one of {', '.join(FORMATS)}"


def _why_no_pattern(pattern: str) -> str | None:
    try:
        check_pattern(pattern)
    except NoPattern as error:
        return str(error)
    return None


def _leads_nowhere(schema: dict[str, Any]) -> Iterator[Told]:
    """References to parts that are not there, and those that go in a circle before any argument is looked at."""
    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = Registry().with_resource("", resource).resolver()
    schemas = [part for _, part in _parts(schema, [])]
    missing = False
    for path, part in _parts(schema, []):
        for keyword in (keyword for keyword in _REFERENCES if keyword in part):
            try:
                found = resolver.lookup(part[keyword]).contents
            except Unresolvable:
                found = None
            if not isinstance(found, bool) and not any(found is other for other in schemas):
                missing = True
                yield [*path, keyword], f"has no schema `{part[keyword]}`, to which it refers", _WHOLE
    if missing:
        return
    try:
        best_match(Draft202012Validator(schema).iter_errors({}))
    except RecursionError:
        yield [], "refers to itself without end", "break the circle of `$ref`s"
