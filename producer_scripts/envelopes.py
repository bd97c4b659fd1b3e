"""From the data of an event to a Kafka record, in each of the three forms that the worker reads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from schemas.cloudevents import encode

SOURCE = "/signoff/producer_scripts"

_IDS = UUID("5b0f0f3e-7f0c-4d5c-9d3e-0b7f3a1c5a11")


class Mode(StrEnum):
    BINARY = "binary"
    STRUCTURED = "structured"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to send. What has the same `key` stays in order; the contract's key is the order id."""

    key: str | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def outgoing(type_: str, data: Mapping[str, Any], *, key: str, mode: Mode = Mode.BINARY) -> Outgoing:
    """The CloudEvents id is derived from type and data: who sends the same event again, sends the same id."""
    value = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    if mode is Mode.PLAIN:
        return Outgoing(key, value)
    event_id = str(uuid5(_IDS, f"{type_} {value.decode()}"))
    now = datetime.now(UTC)
    if mode is Mode.BINARY:
        body, headers = encode(type_, event_id, SOURCE, now, key, value)
        return Outgoing(key, body, tuple(headers))
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": type_,
        "time": now.isoformat().replace("+00:00", "Z"),
        "subject": key,
        "datacontenttype": "application/json",
        "data": data,
    }
    structured = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
    return Outgoing(key, structured, (("content-type", b"application/cloudevents+json; charset=utf-8"),))
