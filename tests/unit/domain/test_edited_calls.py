"""What a form sends back as text is read as what its schema says, and as nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.edited_calls import coerced

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def read_as(type_: Any, value: Any) -> Any:
    return coerced({"field": value}, {"type": "object", "properties": {"field": {"type": type_}}})["field"]


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("integer", "12", 12),
        ("integer", "-3", -3),
        ("number", "1.5", 1.5),
        ("number", "2", 2),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("array", '["ann", "bob"]', ["ann", "bob"]),
        ("object", '{"city": "Lyon"}', {"city": "Lyon"}),
        (["integer", "null"], "null", None),
        (["integer", "null"], "7", 7),
    ],
)
def test_a_text_that_stands_for_a_value_is_read_as_it(type_: Any, text: str, value: Any) -> None:
    found = read_as(type_, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("integer", "12.0"),
        ("integer", "twelve"),
        ("integer", ""),
        ("integer", "true"),
        ("integer", "１２"),  # noqa: RUF001
        ("integer", "9" * 5000),
        ("number", "NaN"),
        ("number", "1e999999"),
        ("boolean", "True"),
        ("boolean", "1"),
        ("boolean", "yes"),
        ("array", "[" * 5000),
        ("object", "[]"),
        ("object", '{"a": 1, "a": 2}'),
        ("string", "12"),
        (["string", "integer"], "12"),
        ("decimal", "12"),
        (None, "12"),
        ({"nonsense": True}, "12"),
    ],
)
def test_any_other_text_stays_for_the_schema_to_judge(type_: Any, text: str) -> None:
    assert read_as(type_, text) == text


@pytest.mark.parametrize("schema", [{}, {"properties": None}, {"properties": {"field": True}}, {"properties": []}])
def test_without_a_word_on_the_type_nothing_is_read(schema: dict[str, Any]) -> None:
    assert coerced({"field": "12"}, schema) == {"field": "12"}


@given(st.sampled_from(TYPES), st.integers() | st.booleans() | st.none() | st.lists(st.integers()))
def test_what_is_no_text_is_never_touched(type_: str, value: Any) -> None:
    assert read_as(type_, value) is value


@given(st.sampled_from(TYPES), st.text(alphabet=st.characters()))
def test_no_text_breaks_the_reading(type_: str, text: str) -> None:
    assert read_as(type_, text) == text or type_ != "string"
