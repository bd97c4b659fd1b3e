"""Conditions of the kind "when this field says so, those fields are needed", as JSON Schema has them.

pydantic publishes types and bounds by itself; what a model's validators check has to be said again here. The tests
hold the two together: what one refuses, the other refuses.
"""

from collections.abc import Iterable
from typing import Any

JsonSchema = dict[str, Any]

_NOT_NULL: JsonSchema = {"not": {"type": "null"}}


def given(*fields: str) -> JsonSchema:
    """These fields are there and not null."""
    return {"required": list(fields), "properties": {field: _NOT_NULL for field in fields}}


def when(field: str, values: Iterable[str], then: JsonSchema) -> JsonSchema:
    """Where `field` is one of `values`, `then` must hold."""
    says_so = {"required": [field], "properties": {field: {"enum": [str(value) for value in values]}}}
    return {"if": says_so, "then": then}


def only_when(field: str, other: str, values: Iterable[str]) -> JsonSchema:
    """`field` may be given only where `other` is one of `values`."""
    says_so = {"required": [other], "properties": {other: {"enum": [str(value) for value in values]}}}
    return {"if": given(field), "then": says_so}
