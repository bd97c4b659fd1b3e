"""The events of the load: every exception is a refund over the limit, so every one needs a person."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic_core import to_json

from schemas.cloudevents import encode
from schemas.events import ExceptionRaised, ReviewDecided

SOURCE = "/signoff/benchmark"
LINES_OF_AN_ORDER = 4

KafkaRecord = tuple[str, bytes, list[tuple[str, str | bytes | None]]]
"""Key, value and headers."""


def exception_id(number: int) -> str:
    return f"EXC-{number:08d}"


def exception_raised(number: int) -> KafkaRecord:
    """About 1 kB: a refund of 123.45 USD and more, with the snapshots of order and customer that spare a look-up."""
    body: dict[str, Any] = {
        "exception_id": exception_id(number),
        "kind": "refund",
        "order_id": f"ORD-{number:08d}",
        "customer_id": f"CUST-{number:08d}",
        "requested_by": "agent:web-chat",
        "reason": "The parcel arrived, but the glass of the lamp was broken. " * 3,
        "reason_code": "damaged",
        "amount": {"amount_minor": 12_345 + number % 5_000, "currency": "USD"},
        "items": [{"sku": "LAMP-1", "quantity": 1}],
        "confidence": 0.93,
        "order": {
            "captured": {"amount_minor": 25_000, "currency": "USD"},
            "status": "delivered",
            "payment_method": "card",
            "items": [
                {
                    "sku": f"SKU-{line:05d}",
                    "name": f"product number {line}",
                    "quantity": 1 + line,
                    "unit_price": {"amount_minor": 999 + line, "currency": "USD"},
                }
                for line in range(LINES_OF_AN_ORDER)
            ],
        },
        "customer": {"tier": "standard", "name": "Ada Example"},
    }
    return _record(ExceptionRaised.TYPE, body["order_id"], body)


def decision(number: int, approval_id: str) -> KafkaRecord:
    """A manager approves."""
    body = {
        "decision_id": f"DEC-{number:08d}",
        "approval_id": approval_id,
        "verdict": "approve",
        "reviewer": {"id": "user:maria", "roles": ["manager"]},
        "comment": "seen the photo",
    }
    return _record(ReviewDecided.TYPE, f"ORD-{number:08d}", body)


def _record(type_: str, key: str, body: dict[str, Any]) -> KafkaRecord:
    value, headers = encode(type_, str(uuid4()), SOURCE, datetime.now(UTC), None, to_json(body))
    return key, value, list(headers)
