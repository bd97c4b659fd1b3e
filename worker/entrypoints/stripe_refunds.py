"""What a webhook of Stripe says of a refund of ours: a record for the topic of exceptions, or nothing.

Source: https://docs.stripe.com/refunds#failed-refunds. Which of the three types comes depends on the account and on
the payment method, and several may come for one failure: whoever reads the records must not mind.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.cloudevents import Header, encode
from schemas.events import PaymentFailed
from schemas.strict_json import Refused, parse_json

PROVIDER = "stripe"
SOURCE = "/signoff/webhooks/stripe"

_YEAR_10000 = 253_402_300_800
"""In seconds since 1970: no date of ours goes so far."""

_ABOUT_REFUNDS = frozenset({"refund.failed", "refund.updated", "charge.refund.updated"})
_GONE = frozenset({"failed", "canceled"})


class Unreadable(Exception):
    """The body is signed and still no event of Stripe; the message says where."""


@dataclass(frozen=True, slots=True)
class Report:
    """A record of `signoff.payment.failed.v1`."""

    key: str
    value: bytes
    headers: list[Header]


class _Metadata(BaseModel):
    """Those that the adapter gives each refund."""

    model_config = ConfigDict(extra="ignore")

    signoff_idempotency_key: str | None = None
    order_id: str | None = None


class _Refund(BaseModel):
    id: str
    status: str | None = None
    failure_reason: str | None = None
    metadata: _Metadata | None = None


class _Data(BaseModel):
    object: dict[str, Any]


class _Event(BaseModel):
    id: str = Field(min_length=1, max_length=255)
    type: str
    created: int = Field(ge=0, lt=_YEAR_10000)
    data: _Data


def report_of(body: bytes) -> Report | None:
    """None for what is not about a refund of ours that failed. Raises Unreadable."""
    try:
        event = _Event.model_validate(parse_json(body))
        if event.type not in _ABOUT_REFUNDS:
            return None
        refund = _Refund.model_validate(event.data.object)
        metadata = refund.metadata or _Metadata()
        if refund.status not in _GONE or metadata.signoff_idempotency_key is None:
            return None
        failed = PaymentFailed(
            idempotency_key=metadata.signoff_idempotency_key,
            payment_reference=refund.id,
            reason=f"refund {refund.status}: {refund.failure_reason or 'Stripe gives no reason'}",
            provider=PROVIDER,
            reported_by=f"provider:{PROVIDER}",
        )
    except Refused as refused:
        raise Unreadable(str(refused)) from refused
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(f"{where}: {first['msg']}") from error
    return _record(failed, event, key=metadata.order_id or failed.idempotency_key)


def _record(failed: PaymentFailed, event: _Event, key: str) -> Report:
    """The same event of Stripe gives the same record, however often it is sent."""
    value, headers = encode(
        PaymentFailed.TYPE,
        f"{PROVIDER}:{event.id}",
        SOURCE,
        datetime.fromtimestamp(event.created, UTC),
        key,
        failed.to_json(),
        {"partitionkey": key},
    )
    return Report(key, value, [*headers])
