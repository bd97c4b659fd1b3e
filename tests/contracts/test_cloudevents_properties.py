"""Whatever arrives is either read or refused with a reason: nothing else can be raised."""

import copy
import json
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.cloudevents import CloudEvent, Refused, decode
from schemas.events import ExceptionRaised, ReviewDecided, legible_decision_id, rejection_of
from schemas.generate.examples import sent
from schemas.values import RejectionReason

LITTLE = settings(max_examples=300, deadline=None)

_NAMES = st.sampled_from(
    ["ce_id", "ce_type", "ce_source", "ce_specversion", "CE_ID", "ce_", "ce_é", "content-type", "Content-Type"]
)
_CONTENT_TYPES = st.sampled_from([b"application/cloudevents+json", b"application/cloudevents", b"application/json"])
HEADERS = st.lists(
    st.tuples(
        _NAMES | st.text(max_size=8),
        st.none() | st.just(b"1.0") | _CONTENT_TYPES | st.binary(max_size=12),
    ),
    max_size=8,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(SCALARS, lambda held: st.lists(held) | st.dictionaries(st.text(), held), max_leaves=12)
EXAMPLES = [(model, example) for model in (ExceptionRaised, ReviewDecided) for example in sent(model).values()]


def storable(value: Any) -> bool:
    """What JSONB, UTF-8 and the checkpoint format can take."""
    match value:
        case str():
            return "\0" not in value and value.encode("utf-8", "surrogatepass") == value.encode("utf-8", "replace")
        case float():
            return math.isfinite(value)
        case bool() | None:
            return True
        case int():
            return -(2**63) <= value < 2**63
        case dict():
            return all(storable(key) and storable(held) for key, held in value.items())
        case _:
            return all(storable(held) for held in value)


def heard(value: bytes | None, headers: list[tuple[str, bytes | None]]) -> CloudEvent | None:
    """The event, or None for one that was refused as it should be."""
    answer = answer_to(value, headers)
    if isinstance(answer, CloudEvent):
        return answer
    assert answer.reason in RejectionReason
    assert answer.detail
    assert storable(answer.detail)
    return None


def answer_to(value: bytes | None, headers: list[tuple[str, bytes | None]]) -> CloudEvent | Refused:
    try:
        return decode(value, headers)
    except Refused as refused:
        return refused


@LITTLE
@given(st.none() | st.binary(), HEADERS)
def test_arbitrary_bytes_and_headers_are_read_or_refused(
    value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    heard(value, headers)


@LITTLE
@given(st.binary(max_size=6), st.data(), HEADERS)
def test_a_valid_record_with_some_bytes_replaced_is_read_or_refused(
    bytes_put: bytes, data: st.DataObject, headers: list[tuple[str, bytes | None]]
) -> None:
    _, example = data.draw(st.sampled_from(EXAMPLES))
    raw = json.dumps({"specversion": "1.0", "id": "1", "source": "/", "type": "t", "data": example}).encode()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 6)))
    event = heard(raw[:start] + bytes_put + raw[end:], headers)
    assert event is None or storable(event.data)


@LITTLE
@given(st.text(alphabet='{}[]":,\\ue0d8901-.aN \ufeff', max_size=40))
def test_what_is_read_can_be_stored_and_agrees_with_the_standard_parser(text: str) -> None:
    event = heard(text.encode(), [])
    if event is not None:
        assert storable(event.data)
        assert event.data == json.loads(text)


@LITTLE
@given(JSON)
def test_any_storable_json_is_read_as_it_was(value: Any) -> None:
    raw = json.dumps(value).encode()
    if storable(value):
        event = heard(raw, [])
        assert event is not None
        assert event.data == value


@LITTLE
@given(st.data())
def test_a_valid_event_with_one_value_replaced_is_accepted_or_refused_with_a_reason(data: st.DataObject) -> None:
    model, example = data.draw(st.sampled_from(EXAMPLES))
    mutated = copy.deepcopy(example)
    place: Any = mutated
    key = data.draw(st.sampled_from(sorted(place)))
    while isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(JSON)
    legible_decision_id(mutated)
    try:
        accepted = model.model_validate(mutated)
    except ValidationError as error:
        reason, detail = rejection_of(error)
        assert reason in RejectionReason
        assert detail
    else:
        assert model.model_validate_json(accepted.to_json()) == accepted
