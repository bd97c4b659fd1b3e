"""Do the arguments of an action fit their JSON Schema? If not, what its author is told.

The sentence names the place, the keyword and what is expected. It never repeats a value: arguments are what customers
and agents wrote, and the sentence travels into events, logs and audits.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from worker.adapters.policy.args_schemas import CHECKED_FORMATS
from worker.adapters.policy.patterns import matches

LONGEST_EXPECTATION = 200
LONGEST_NAME = 40


def _pattern(validator: Any, pattern: str, text: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(text, "string"):
        return
    try:
        fits = matches(pattern, text)
    except ValueError:  # no Unicode: no pattern describes it
        fits = False
    if not fits:
        yield ValidationError("does not fit its pattern")


# The published stubs leave `extend` without types.
_Validator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


class ArgsCheck:
    """What is wrong with arguments, by a schema that `read_args_schema` took."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = _Validator(dict(schema), format_checker=CHECKED_FORMATS)

    def __call__(self, args: Mapping[str, Any]) -> str | None:
        """One sentence, or None."""
        try:
            error = best_match(self._validator.iter_errors(dict(args)))
        except Exception as error:  # a schema is its author's work: arguments that it cannot judge do not pass
            return f"args: cannot be checked against its schema ({type(error).__name__})"
        if error is None:
            return None
        keyword = f" (`{error.validator}`)" if error.validator else ""
        return f"{_place(error.absolute_path)}: {_expectation(error)}{keyword}"


def _place(path: Iterable[str | int]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{_cut(part, LONGEST_NAME)}" for part in path)
    return f"args{''.join(parts)}"


def _expectation(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    schema: Any = error.schema
    given: Any = error.instance
    match error.validator:
        case None:  # a schema that is `false`, of which only the place around it is known
            said = "has what its schema does not allow"
        case "required":
            missing = [name for name in wanted if name not in given]
            said = f"{_names(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        case "additionalProperties" | "unevaluatedProperties":
            said = f"takes nothing but {_names(schema.get('properties', ())) or 'what its schema names'}"
        case "type":
            said = f"must be of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
        case "enum":
            said = f"must be one of {', '.join(map(_json, wanted))}"
        case "const":
            said = f"must be {_json(wanted)}"
        case "pattern":
            said = f"must match {wanted}"
        case "format":
            said = f"must be written as {wanted}"
        case "anyOf" | "oneOf" | "allOf" | "not" | "if" | "then" | "else":
            said = "does not fit what its schema says of it"
        case keyword:
            said = f"must keep to {keyword} {_json(wanted)}"
    return _cut(said, LONGEST_EXPECTATION)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
