"""Valid records of every event that we take, to be spoilt: each value that a person or a program could have written
carries a canary, so that whatever repeats it can be told."""

import base64
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS
from schemas.cloudevents import Header
from schemas.events import (
    ApprovalCommanded,
    Event,
    ExceptionRaised,
    ExceptionWithdrawn,
    PaymentFailed,
    ReviewBatch,
    ReviewDecided,
)
from schemas.generate.examples import sent

CANARY = "kanarienvogel"

Data = dict[str, Any]

_TOPIC_OF: Mapping[type[Event], str] = {
    ExceptionRaised: ORDER_EXCEPTIONS.name,
    ExceptionWithdrawn: ORDER_EXCEPTIONS.name,
    PaymentFailed: ORDER_EXCEPTIONS.name,
    ReviewDecided: REVIEW_DECISIONS.name,
    ReviewBatch: REVIEW_DECISIONS.name,
    ApprovalCommanded: REVIEW_DECISIONS.name,
}
_WRITTEN = frozenset(
    [
        "reason",
        "reason_code",
        "name",
        "comment",
        "customer_message",
        "message",
        "payment_method",
        "city",
        "template",
        "provider",
        "sku",
        "payment_reference",
        "reported_by",
        "description",
    ]
)
"""The fields whose text says something, and decides nothing."""

_MONEY = {"amount_minor": 9000, "currency": "USD"}
_MARIA = {"id": "user:maria", "roles": ["manager"]}
_ABOUT = {"order_id": "ORD-1001", "customer_id": "CUST-7", "requested_by": "agent:web-chat"}
_MORE: tuple[tuple[type[Event], Data], ...] = (
    (ExceptionRaised, {"exception_id": "EXC", "kind": "refund", "amount": _MONEY, "reason": "late", **_ABOUT}),
    (ExceptionRaised, {"exception_id": "EXC", "kind": "cancellation", "reason": "late", **_ABOUT}),
    (ExceptionRaised, {"exception_id": "EXC", "kind": "price_adjustment", "amount": _MONEY, **_ABOUT}),
    (
        ExceptionRaised,
        {
            "exception_id": "EXC",
            "kind": "action_request",
            "requested_by": "agent:mailer",
            "actions": [
                {"name": "send_email", "args": {"to": "ann", "description": "sorry"}, "id": "call-1"},
                {"name": "buy_stock", "args": {"symbol": "ACME", "pieces": 3}},
            ],
        },
    ),
    (ReviewDecided, {"decision_id": "D", "exception_id": "EXC", "reviewer": _MARIA, "verdict": "approve"}),
    (
        ReviewDecided,
        {
            "decision_id": "D",
            "exception_id": "EXC",
            "reviewer": _MARIA,
            "verdict": "modify",
            "changes": {"approved_actions": [0], "edited_actions": [{"index": 0, "args": {"to": "bob"}}]},
        },
    ),
    *(
        (ReviewDecided, {"decision_id": "D", "exception_id": "EXC", "reviewer": _MARIA, "response": response})
        for response in (
            {"type": "respond", "message": "cheaper, please"},
            [{"type": "edit", "args": {"action": "refund", "args": {"amount_minor": "8000", "currency": "USD"}}}],
            {"decisions": [{"type": "edit", "edited_action": {"name": "send_email", "args": {"to": "bob"}}}]},
            {"0a1b": {"decisions": [{"type": "approve"}, {"type": "reject", "message": "no"}]}},
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A valid event. `data` is nobody else's: it may be changed."""

    topic: str
    type: str
    data: Data


def samples() -> list[Sample]:
    examples = [(model, example) for model in _TOPIC_OF for example in sent(model).values()]
    return [Sample(_TOPIC_OF[model], model.TYPE, _marked(data)) for model, data in (*examples, *_MORE)]


def addressed(sample: Sample, dice: Random, questions: list[str]) -> Sample:
    """The event under ids of its own, now and then under those of something that is there: `questions` are approval
    ids."""
    data = deepcopy(sample.data)
    for event in data.get("decisions", [data]):
        for name in ("decision_id", "command_id"):
            if name in event:
                event[name] = f"{dice.getrandbits(64):x}"
        if "approval_id" in event and questions:
            event["approval_id"] = dice.choice(questions)
        if "exception_id" in event:
            event["exception_id"] = f"EXC-{dice.choice([dice.getrandbits(32), dice.randrange(4)])}"
    return Sample(sample.topic, sample.type, data)


def in_any_mode(sample: Sample, dice: Random) -> tuple[bytes, list[Header]]:
    """Value and headers: as a plain record where the topic's own type allows it, in binary or in structured mode."""
    mode = dice.randrange(4)
    attributes = {"specversion": "1.0", "id": f"{dice.getrandbits(32):x}", "source": "/fuzz", "type": sample.type}
    if mode < 2:
        data = {"data": sample.data} if mode == 0 else {"data_base64": _in_base64(sample.data)}
        raw = json.dumps({**attributes, **data}).encode()
        return raw, [("content-type", b"application/cloudevents+json; charset=utf-8")]
    headers: list[Header] = [("content-type", b"application/json")]
    if mode == 2 or sample.type not in (ExceptionRaised.TYPE, ReviewDecided.TYPE):
        headers += [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    return json.dumps(sample.data, ensure_ascii=dice.random() < 0.5).encode(), headers


def _in_base64(data: Data) -> str:
    return base64.b64encode(json.dumps(data).encode()).decode()


def _marked(data: Any) -> Any:
    match data:
        case dict():
            return {
                name: f"{held} {CANARY}" if name in _WRITTEN and isinstance(held, str) else _marked(held)
                for name, held in data.items()
            }
        case list():
            return [_marked(held) for held in data]
    return data
