"""Reading and writing records: strict JSON, the three modes we read, the one we write."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from schemas.cloudevents import Header, Refused, decode, encode, parse_json
from schemas.events import ExceptionRaised
from schemas.generate.examples import sent
from schemas.strict_json import MAX_BYTES, MAX_DEPTH
from schemas.values import RejectionReason

ATTRIBUTES = {"specversion": "1.0", "id": "e-1", "source": "/shop", "type": ExceptionRaised.TYPE}
HEADERS: list[Header] = [(f"ce_{name}", value.encode()) for name, value in ATTRIBUTES.items()]
STRUCTURED: list[Header] = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def reason_for(value: bytes | None, headers: list[Header] | None = None) -> RejectionReason:
    with pytest.raises(Refused) as caught:
        decode(value, headers or [])
    return caught.value.reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, RejectionReason.EMPTY),
        (b"", RejectionReason.EMPTY),
        (b" \r\n\t", RejectionReason.EMPTY),
        (b'"' + b"x" * MAX_BYTES + b'"', RejectionReason.TOO_LARGE),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), RejectionReason.TOO_DEEP),
        (b'{"a":' * (MAX_DEPTH + 1), RejectionReason.TOO_DEEP),
        (b'"\xff"', RejectionReason.INVALID_UTF8),
        (b'"\xed\xa0\x80"', RejectionReason.INVALID_UTF8),
        (b'{"a": 1', RejectionReason.INVALID_JSON),
        (b'{"a": 1} trailing', RejectionReason.INVALID_JSON),
        (b"\xef\xbb\xbf{}", RejectionReason.INVALID_JSON),
        (b"NaN", RejectionReason.INVALID_JSON),
        (b"[-Infinity]", RejectionReason.INVALID_JSON),
        (b"1e999999", RejectionReason.INVALID_JSON),
        (b"-1e999", RejectionReason.INVALID_JSON),
        (b"9223372036854775808", RejectionReason.INVALID_JSON),
        (b"1" * 5000, RejectionReason.INVALID_JSON),
        (b'{"a": 1, "a": 2}', RejectionReason.INVALID_JSON),
        (b'{"a": 1, "\\u0061": 2}', RejectionReason.INVALID_JSON),
        (b'"\\u0000"', RejectionReason.INVALID_JSON),
        (b'{"\\u0000": 1}', RejectionReason.INVALID_JSON),
        (b'"\x00"', RejectionReason.INVALID_JSON),
        (b'["\\ud83d"]', RejectionReason.INVALID_JSON),
        (b'["\\uDE00\\ud83d"]', RejectionReason.INVALID_JSON),
        (b"\xef\xbc\x91", RejectionReason.INVALID_JSON),
    ],
)
def test_json_that_a_later_step_would_choke_on_is_refused(raw: bytes | None, reason: RejectionReason) -> None:
    assert reason_for(raw) is reason


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b"[" + b",".join([b"[]"] * 1000) + b"]", [[]] * 1000),
        (b'"' + b"[{" * 1000 + b'"', "[{" * 1000),
        (b'"\\"' + b"[" * 1000 + b'"', '"' + "[" * 1000),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        ('"\u202eמ"'.encode(), "\u202eמ"),
    ],
)
def test_what_only_looks_dangerous_is_read(raw: bytes, value: Any) -> None:
    parsed = parse_json(raw)
    assert value is None or parsed == value


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 10**6,
        b'{"a":' * 10**6,
        b"[]" * 10**6,
        b'"\\' * 10**6,
        b'"\\"' * 10**6,
        b"[" * 40 + b'"' + b'\\"' * 10**6,
        b'["' * 10**6,
        b"1" * 10**6,
        b"\\" * 10**6,
    ],
    ids=["arrays", "objects", "pairs", "escapes", "quotes", "unterminated", "opened", "digits", "backslashes"],
)
def test_a_hostile_record_costs_linear_time(raw: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Refused):
        parse_json(raw, max_bytes=10**8)
    # Linear is a tenth of a second here; quadratic would be hours.
    assert time.process_time() - started < 3
    started = time.process_time()
    with pytest.raises(Refused) as caught:
        parse_json(raw)
    assert caught.value.reason is RejectionReason.TOO_LARGE
    assert time.process_time() - started < 0.1


def test_a_detail_says_where_and_repeats_nothing() -> None:
    with pytest.raises(Refused) as caught:
        parse_json(b'{"name": "Canari", "name": "Canari"}')
    assert caught.value.detail == "an object has the same key twice"
    with pytest.raises(Refused) as caught:
        parse_json(b'{"name":\n Canari}')
    assert caught.value.detail == "Expecting value at line 2 column 2"


def test_a_plain_record_has_no_attributes() -> None:
    event = decode(b'{"a": 1}', [("content-type", b"application/json"), ("correlation_id", b"\xff"), ("x", None)])
    assert (event.attributes, event.type, event.data) == ({}, None, {"a": 1})


@pytest.mark.parametrize("prefix", ["ce_", "CE_", "Ce_"])
def test_binary_mode_is_read_whatever_the_case_of_its_headers(prefix: str) -> None:
    headers: list[Header] = [(f"{prefix}{name}", value.encode()) for name, value in ATTRIBUTES.items()]
    event = decode(b'{"a": 1}', headers)
    assert event.attributes == ATTRIBUTES
    assert event.type == ExceptionRaised.TYPE


def test_structured_mode_is_read_with_data_in_either_form() -> None:
    data = sent(ExceptionRaised)["refund"]
    plain = json.dumps({**ATTRIBUTES, "sampled": True, "retries": 3, "data": data}).encode()
    encoded = json.dumps({**ATTRIBUTES, "data_base64": base64.b64encode(json.dumps(data).encode()).decode()})
    assert decode(plain, STRUCTURED).data == data
    assert decode(plain, STRUCTURED).attributes == {**ATTRIBUTES, "sampled": "true", "retries": "3"}
    assert decode(encoded.encode(), STRUCTURED).data == data


@pytest.mark.parametrize("missing", ATTRIBUTES)
@pytest.mark.parametrize("value", [None, b""], ids=["null", "empty"])
def test_a_missing_required_attribute_is_no_cloudevent(missing: str, value: bytes | None) -> None:
    headers: list[Header] = [(name, value if name == f"ce_{missing}" else held) for name, held in HEADERS]
    assert reason_for(b"{}", headers) is RejectionReason.INVALID_CLOUDEVENT
    envelope = json.dumps({name: held for name, held in ATTRIBUTES.items() if name != missing} | {"data": {}})
    assert reason_for(envelope.encode(), STRUCTURED) is RejectionReason.INVALID_CLOUDEVENT


@pytest.mark.parametrize(
    "extra",
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b"e-2"),
        ("ce_subject", b"\xff"),
        ("ce_subject", b"a\0b"),
        ("ce_subject", b"x" * 2000),
        ("content-type", b"application/cloudevents+avro"),
        ("content-type", b"application/cloudevents-batch+json"),
    ],
)
def test_an_attribute_that_cannot_be_trusted_is_no_cloudevent(extra: Header) -> None:
    headers = [header for header in HEADERS if header[0] != "ce_specversion"] + [
        extra if extra[0] == "ce_specversion" else ("ce_specversion", b"1.0"),
        extra,
    ]
    assert reason_for(b"{}", headers) is RejectionReason.INVALID_CLOUDEVENT


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (b"[]", RejectionReason.INVALID_CLOUDEVENT),
        (b"7", RejectionReason.INVALID_CLOUDEVENT),
        (json.dumps({**ATTRIBUTES}).encode(), RejectionReason.EMPTY),
        (json.dumps({**ATTRIBUTES, "data": None}).encode(), RejectionReason.EMPTY),
        (json.dumps({**ATTRIBUTES, "data_base64": "?"}).encode(), RejectionReason.INVALID_CLOUDEVENT),
        (json.dumps({**ATTRIBUTES, "data_base64": 1}).encode(), RejectionReason.INVALID_CLOUDEVENT),
        (json.dumps({**ATTRIBUTES, "data_base64": "é"}).encode(), RejectionReason.INVALID_CLOUDEVENT),
        (json.dumps({**ATTRIBUTES, "data_base64": "", "data": 1}).encode(), RejectionReason.INVALID_CLOUDEVENT),
        (json.dumps({**ATTRIBUTES, "data_base64": ""}).encode(), RejectionReason.EMPTY),
        (json.dumps({**ATTRIBUTES, "data_base64": "/w=="}).encode(), RejectionReason.INVALID_UTF8),
        (json.dumps({**ATTRIBUTES, "type": ["a"], "data": 1}).encode(), RejectionReason.INVALID_CLOUDEVENT),
        (json.dumps({**ATTRIBUTES, "specversion": 1.0, "data": 1}).encode(), RejectionReason.INVALID_CLOUDEVENT),
    ],
)
def test_an_envelope_without_an_event_is_refused(envelope: bytes, reason: RejectionReason) -> None:
    assert reason_for(envelope, STRUCTURED) is reason


def test_a_header_repeated_with_the_same_value_does_no_harm() -> None:
    assert decode(b"{}", HEADERS + HEADERS).attributes == ATTRIBUTES


def test_the_same_event_is_written_as_the_same_bytes_whatever_the_time_zone() -> None:
    extensions = {"sequence": "0001", "correlationid": "EXC-1"}
    written = encode("t.v1", "e-1", "/signoff", NOON, "ORD-1", b"{}", extensions)
    backwards = dict(reversed(extensions.items()))
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert encode("t.v1", "e-1", "/signoff", elsewhere, "ORD-1", b"{}", backwards) == written
    value, headers = written
    assert value == b"{}"
    assert dict(headers)["ce_time"] == b"2026-01-05T12:00:00Z"
    assert dict(headers)["content-type"] == b"application/json"
    assert decode(value, headers).attributes["correlationid"] == "EXC-1"


def test_an_event_without_a_subject_has_no_empty_one() -> None:
    _, headers = encode("t.v1", "e-1", "/signoff", NOON, None, b"{}")
    assert "ce_subject" not in dict(headers)


def test_unregistered_extensions_and_naive_times_are_mistakes_of_ours() -> None:
    with pytest.raises(ValueError, match="not a registered extension attribute: case_id"):
        encode("t.v1", "e-1", "/signoff", NOON, None, b"{}", {"case_id": "1"})
    with pytest.raises(ValueError, match="time zone"):
        encode("t.v1", "e-1", "/signoff", NOON.replace(tzinfo=None), None, b"{}")
