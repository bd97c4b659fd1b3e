"""The JSON Schemas (draft 2020-12) of the events, one self-contained document for each type.

An event that comes in is described as it may be sent, one that goes out as we send it: there, every field is required.
"""

from functools import reduce
from operator import or_
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from schemas.catalogue import TOPICS, Direction
from schemas.events import Event, ReviewBatch, ReviewDecided

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class WithoutFieldTitles(GenerateJsonSchema):
    """Leaves out the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def mode_of(direction: Direction) -> JsonSchemaMode:
    return "validation" if direction is Direction.IN else "serialization"


def messages_of(model: type[Event]) -> tuple[type[Event], ...]:
    """The forms that the data of one type may have: a decision may come alone or in a batch."""
    return (ReviewDecided, ReviewBatch) if model is ReviewDecided else (model,)


def json_schemas() -> dict[str, JsonSchema]:
    """The documents by CloudEvents type."""
    return {
        type_: _document(type_, model, mode_of(topic.direction))
        for topic in TOPICS
        for type_, model in topic.events.items()
    }


def _document(type_: str, model: type[Event], mode: JsonSchemaMode) -> JsonSchema:
    any_form: Any = reduce(or_, messages_of(model))
    schema = TypeAdapter(any_form).json_schema(mode=mode, schema_generator=WithoutFieldTitles)
    return {"$schema": DIALECT, "$id": f"urn:{type_.replace('.', ':')}", **schema}
