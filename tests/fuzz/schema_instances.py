"""Instances of the published JSON Schemas, each part right by itself: what the conditions across fields say is left to
chance, and so is a value of the wrong type here and there."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import schemas
from tests.fuzz.material import CANARY

Schema = Mapping[str, Any]

_FOLDER = Path(schemas.__file__).parent / "json"
_TEXTS = [CANARY, "x", "", "\u202e", "EXC-1", "user:maria", "manager", "EUR", "USD", "de", "0", CANARY * 50]
_ANYTHING: list[Any] = [None, True, 0, -1, 0.5, 2**63 - 1, CANARY, "", [], {}, [{}], {CANARY: 1}]
_ONE_IN_WRONG = 25
_DEEPEST = 6


def instance_of(event_type: str, dice: Random) -> Any:
    """Of the schema that is published for this event type."""
    root = _published(event_type)
    return _instance(root, root, dice, 0)


@cache
def _published(event_type: str) -> Schema:
    read: Schema = json.loads((_FOLDER / f"{event_type}.schema.json").read_text(encoding="utf-8"))
    return read


def _instance(schema: Schema | bool, root: Schema, dice: Random, depth: int) -> Any:
    if isinstance(schema, bool) or not dice.randrange(_ONE_IN_WRONG):
        return dice.choice(_ANYTHING)
    if "$ref" in schema:
        named: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            named = named[step]
        return _instance(named, root, dice, depth)
    for several in ("anyOf", "oneOf"):
        if several in schema and "type" not in schema:
            return _instance(dice.choice(schema[several]), root, dice, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return dice.choice(schema["enum"])
    return _of_type(schema, root, dice, depth)


def _of_type(schema: Schema, root: Schema, dice: Random, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            return _object(schema, root, dice, depth)
        case "array":
            length = 0 if depth > _DEEPEST else dice.randint(schema.get("minItems", 0), 3)
            return [_instance(schema.get("items", True), root, dice, depth + 1) for _ in range(length)]
        case "string":
            return dice.choice(_TEXTS)
        case "integer":
            least, most = schema.get("minimum", -5), schema.get("maximum", 20_000)
            return dice.choice([least, most, dice.randint(least, min(most, 20_000)), least - 1, most + 1])
        case "number":
            return dice.choice([0, 0.5, 1, 1.5, -0.0])
        case "boolean":
            return dice.random() < 0.5
        case "null":
            return None
    return dice.choice(_ANYTHING)


def _object(schema: Schema, root: Schema, dice: Random, depth: int) -> dict[str, Any]:
    properties: Schema = schema.get("properties", {})
    needed = schema.get("required", ())
    chosen = [name for name in properties if name in needed or (depth <= _DEEPEST and dice.random() < 0.5)]
    made = {name: _instance(properties[name], root, dice, depth + 1) for name in chosen}
    if schema.get("additionalProperties", True) is not False and dice.random() < 0.1:
        made[CANARY] = dice.choice(_ANYTHING)
    return made
