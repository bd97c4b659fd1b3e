"""CloudEvents 1.0.2 over Kafka: reading a record in any of the forms we accept, writing it in the
one we emit.

In: binary mode (`ce_` headers), structured mode (content type `application/cloudevents+json`) and a
plain JSON record without attributes, which people type by hand. Out: binary mode. The Kafka binding
has no batch mode.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.strict_json import MAX_BYTES, MAX_DEPTH, Refused, parse_json
from schemas.values import RejectionReason

__all__ = ["EXTENSIONS", "CloudEvent", "Header", "Refused", "decode", "encode", "parse_json"]

Header = tuple[str, bytes | None]

EXTENSIONS = frozenset({"causationid", "correlationid", "partitionkey", "sequence", "traceparent", "tracestate"})
"""The registered extension attributes that our own events may carry."""

MAX_ATTRIBUTE_LENGTH = 1024
"""Attributes become index entries and log fields; PostgreSQL indexes no more than 2,700 bytes."""

_REQUIRED = ("id", "source", "specversion", "type")
_ENVELOPE_DEPTH = 1


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """`attributes` is empty for a plain record: its type is then the default of its topic."""

    attributes: Mapping[str, str]
    data: Any

    @property
    def type(self) -> str | None:
        return self.attributes.get("type")


def decode(
    value: bytes | None,
    headers: Sequence[Header] = (),
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
) -> CloudEvent:
    """The event that a Kafka record holds, whatever its mode. Raises `Refused` and nothing else.

    Beside the reasons of `parse_json` there is INVALID_CLOUDEVENT: a required attribute is missing
    or illegible, the specversion is not 1.0, or the format is one we do not read. Headers that are
    not ours are never looked at.
    """
    media_type = _media_type(headers)
    if media_type == "application/cloudevents+json":
        envelope = parse_json(value, max_bytes=max_bytes, max_depth=max_depth + _ENVELOPE_DEPTH)
        return _from_envelope(envelope, max_bytes=max_bytes, max_depth=max_depth)
    if media_type.startswith("application/cloudevents"):
        raise _invalid("of the CloudEvents formats only application/cloudevents+json is read")
    attributes = _from_headers(headers)
    if attributes:
        _check(attributes)
    return CloudEvent(attributes, parse_json(value, max_bytes=max_bytes, max_depth=max_depth))


def encode(
    type_: str,
    id: str,
    source: str,
    time: datetime,
    subject: str | None,
    data_bytes: bytes,
    extensions: Mapping[str, str] | None = None,
) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The value and headers of a binary-mode record; the same arguments give the same bytes.

    Raises ValueError for a naive `time` and for an extension that is not among `EXTENSIONS`.
    """
    extensions = extensions or {}
    if unregistered := extensions.keys() - EXTENSIONS:
        raise ValueError(f"not a registered extension attribute: {', '.join(sorted(unregistered))}")
    if time.tzinfo is None:
        raise ValueError("the time of an event needs a time zone")
    attributes = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type_,
        "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        **({} if subject is None else {"subject": subject}),
        **dict(sorted(extensions.items())),
    }
    headers = [(f"ce_{name}", attribute.encode()) for name, attribute in attributes.items()]
    return data_bytes, [*headers, ("content-type", b"application/json")]


def _invalid(detail: str) -> Refused:
    return Refused(RejectionReason.INVALID_CLOUDEVENT, detail)


def _media_type(headers: Iterable[Header]) -> str:
    """In lower case and without parameters; empty when there is none."""
    for name, value in headers:
        if value is not None and name.lower() == "content-type":
            return value.decode("latin-1").partition(";")[0].strip().lower()
    return ""


def _from_headers(headers: Iterable[Header]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for header, value in headers:
        name = header.lower()
        if value is None or not name.startswith("ce_"):
            continue
        name = name.removeprefix("ce_")
        try:
            attribute = value.decode("utf-8")
        except UnicodeDecodeError:
            raise _invalid(f"{_shown(name)} is not valid UTF-8") from None
        if attributes.setdefault(name, attribute) != attribute:
            raise _invalid(f"{_shown(name)} is there twice, with two values")
    return attributes


def _from_envelope(envelope: Any, *, max_bytes: int, max_depth: int) -> CloudEvent:
    if not isinstance(envelope, dict):
        raise _invalid("a structured event must be a JSON object")
    attributes = {
        name: _as_text(attribute)
        for name, attribute in envelope.items()
        if name not in ("data", "data_base64") and isinstance(attribute, str | int)
    }
    _check(attributes)
    if "data_base64" not in envelope:
        if envelope.get("data") is None:
            raise Refused(RejectionReason.EMPTY, "the event carries no data")
        return CloudEvent(attributes, envelope["data"])
    if "data" in envelope:
        raise _invalid("data and data_base64 exclude each other")
    try:
        raw = base64.b64decode(envelope["data_base64"], validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise _invalid("data_base64 is not base64") from None
    return CloudEvent(attributes, parse_json(raw, max_bytes=max_bytes, max_depth=max_depth))


def _as_text(attribute: str | int) -> str:
    """The canonical string of an attribute: `true`, not Python's `True`."""
    return str(attribute).lower() if isinstance(attribute, bool) else str(attribute)


def _check(attributes: Mapping[str, str]) -> None:
    for name in _REQUIRED:
        if not attributes.get(name):
            raise _invalid(f"the required attribute {name} is missing")
    if attributes["specversion"] != "1.0":
        raise _invalid("only specversion 1.0 is read")
    for name, attribute in attributes.items():
        if len(attribute) > MAX_ATTRIBUTE_LENGTH:
            raise _invalid(f"{_shown(name)} is longer than {MAX_ATTRIBUTE_LENGTH} characters")
        if "\0" in attribute:
            raise _invalid(f"{_shown(name)} holds the NUL character")


def _shown(name: str) -> str:
    """An attribute's name as it may be repeated: one the specification allows, or none at all."""
    legal = name.isascii() and name.isalnum() and len(name) <= 20
    return f"the attribute {name}" if legal else "an attribute"
