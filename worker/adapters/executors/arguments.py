"""Arguments of actions, held to a JSON Schema. An agent wrote them: messages name the place and never the value."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

_NOTHING_ELSEWHERE: Registry[Any] = Registry()
"""No schema is fetched: a `$ref` leads to a place in the same schema."""

_LONGEST_PROBLEM = 300
"""Characters: names of fields are the agent's as well."""


class BadSchema(ValueError):
    """No arguments can be checked against it."""


class Arguments:
    """Checks the arguments of one executor. Raises BadSchema for a schema that is none, or is not one of an object."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        given = dict(schema)
        kind: type[Validator] = validator_for(given, default=Draft202012Validator)
        try:
            kind.check_schema(given)
        except SchemaError as error:
            raise BadSchema(f"{_place(error, 'args_schema')}: {error.message}") from None
        if given.get("type") != "object":
            raise BadSchema("args_schema: does not say `type: object`, which arguments are")
        for reference in _references(given):
            _check_reference(reference, given)
        self._validator = kind(given, registry=_NOTHING_ELSEWHERE, format_checker=FormatChecker())

    def problem_with(self, args: Mapping[str, Any]) -> str | None:
        """Where the arguments break the schema first, and which of its rules; None when they do not."""
        errors = sorted(self._validator.iter_errors(args), key=_where)
        return _told(errors[0])[:_LONGEST_PROBLEM] if errors else None


def _told(error: ValidationError) -> str:
    place, rule = _place(error, "args"), error.validator_value
    instance: Any = error.instance
    match error.validator:
        case "required" if isinstance(rule, list):
            return f"{place}: {', '.join(name for name in rule if name not in instance)} is missing"
        case "additionalProperties" if isinstance(error.schema, dict):
            unknown = [name for name in instance if name not in error.schema.get("properties", {})]
            return f"{place}: {', '.join(map(ascii, unknown))} is no field of its schema"
        case "type":
            return f"{place}: is not of type {_listed(rule)}"
        case "enum":
            return f"{place}: is none of {_listed(rule)}"
        case _:
            return f"{place}: breaks `{error.validator}: {str(rule)[:100]}` of its schema"


def _listed(words: Any) -> str:
    return " or ".join(map(str, words)) if isinstance(words, list) else str(words)


def _where(error: ValidationError) -> list[str]:
    return [str(part) for part in error.absolute_path]


def _place(error: ValidationError | SchemaError, root: str) -> str:
    return ".".join([root, *(str(part) for part in error.absolute_path)])


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _check_reference(reference: str, schema: dict[str, Any]) -> None:
    whole = Resource.from_contents(schema, default_specification=DRAFT202012)
    try:
        _NOTHING_ELSEWHERE.with_resource("", whole).resolver("").lookup(reference)
    except Unresolvable:
        raise BadSchema(
            f"args_schema: `$ref: {reference}` leads nowhere in it; a schema stands in one piece, under `$defs`"
        ) from None
