"""RFC 8785, by the library and by the fast way."""

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.canonical_json import canonical_json

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@given(values)
def test_the_bytes_are_those_of_the_specification(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(st.floats(1e-8, 1e18) | st.floats(-1e18, -1e-8) | st.integers(-(10**6), 10**6).map(lambda n: n / 1000))
def test_numbers_are_printed_as_javascript_prints_them(number: float) -> None:
    assert canonical_json([number]) == rfc8785.dumps([number])


def test_keys_are_sorted_by_utf_16_as_the_specification_wants() -> None:
    """U+1F600 stands before U+FB33 in UTF-16, and behind it by code point (the example of RFC 8785, 3.2.3)."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = canonical_json(dict.fromkeys(keys, 0)).decode()
    assert list(json.loads(written)) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_an_integer_that_no_double_holds_is_written_as_the_double() -> None:
    assert canonical_json({"shares": 2**60 + 1}) == canonical_json({"shares": float(2**60)})


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", {"\ud800": 1}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_json(value)
