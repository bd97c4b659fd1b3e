"""The records of the input topics, read from their bytes: what everybody said, whatever became of it.

Source of the forms: CloudEvents 1.0.2 with its Kafka binding (binary and structured mode), and the event contract of
this project, which takes bare JSON as well and batches of decisions.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tests.chaos.checker.folder import Dump, Row
from tests.chaos.checker.json_text import MAX_DEPTH, Illegible, digest, parse

Place = tuple[str, int, int]
"""Topic without its prefix, partition, offset."""

Part = tuple[str, int, int, int]
"""A place, and which of its messages."""

RAISED = "signoff.exception.raised.v1"
WITHDRAWN = "signoff.exception.withdrawn.v1"
PAYMENT_FAILED = "signoff.payment.failed.v1"
RECOVERY = "signoff.case.recovery.v1"
DECIDED = "signoff.review.decided.v1"
COMMANDED = "signoff.approval.command.v1"

_TYPES = {
    "order-exceptions": (RAISED, WITHDRAWN, PAYMENT_FAILED, RECOVERY),
    "review-decisions": (DECIDED, COMMANDED),
}
_ANSWERED_BY = {DECIDED: "decision_id", COMMANDED: "command_id", RECOVERY: "recovery_id"}
_MOST_DECISIONS = 1000
_LONGEST_ID = 200
_LONGEST_ATTRIBUTE = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """`digest` is of all its content. `answer_id` is what a receipt must name, if the message wants one and its id can
    be read; `decision` is the content of a decision that counts: see `decision_digest`."""

    type: str
    digest: bytes
    answer_id: str | None = None
    decision: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """`messages` is empty for what cannot be read: `problem` then says why."""

    place: Place
    sha256: str
    sent_at: float
    messages: tuple[Message, ...] = ()
    problem: str = ""


def input_records(dump: Dump, topic: str) -> Iterator[Record]:
    for row in dump.topic(topic):
        place = (topic, int(row["partition"]), int(row["offset"]))
        value = unwrapped(row["value"])
        seal = sha256(value or b"").hexdigest()
        try:
            yield Record(place, seal, row["timestamp"] / 1000, tuple(_messages(topic, value or b"", row["headers"])))
        except Illegible as error:
            yield Record(place, seal, row["timestamp"] / 1000, problem=str(error))


def unwrapped(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def answer_id(type_: str, data: Any) -> str | None:
    """The id that a receipt names, if it can be read: a text of 1 to 200 characters without the space around it."""
    field = _ANSWERED_BY.get(type_)
    held = data.get(field) if field and isinstance(data, dict) else None
    if not isinstance(held, str):
        return None
    held = held.strip()
    return held if 0 < len(held) <= _LONGEST_ID else None


def decision_digest(decision: Row) -> bytes | None:
    """Of who decides what: the same for what was sent and for what is on record. None where another product's form is
    used, which is translated before it is kept."""
    if decision.get("response") is not None or decision.get("actions_answered") is not None:
        return None
    reviewer, choice = decision.get("reviewer"), decision.get("choice")
    by = reviewer.get("id") if isinstance(reviewer, dict) else None
    said = [by, decision.get("verdict"), decision.get("changes"), choice]
    return digest([each.strip() if isinstance(each, str) else each for each in said])


def _messages(topic: str, value: bytes, headers: list[list[Any]]) -> Iterator[Message]:
    type_, data = _event(value, headers)
    if type_ is None:
        is_command = topic == "review-decisions" and isinstance(data, dict) and "command" in data
        type_ = COMMANDED if is_command else _TYPES[topic][0]
    if type_ not in _TYPES[topic]:
        raise Illegible(f"no type of this topic: {type_}")
    for part in _parts(type_, data):
        content = decision_digest(part) if type_ == DECIDED and isinstance(part, dict) else None
        yield Message(type_, digest(part), answer_id(type_, part), content)


def _parts(type_: str, data: Any) -> list[Any]:
    if type_ != DECIDED or not isinstance(data, dict) or "decisions" not in data:
        return [data]
    batch = data["decisions"]
    if not isinstance(batch, list) or not 0 < len(batch) <= _MOST_DECISIONS:
        raise Illegible("no batch of decisions")
    return batch


def _event(value: bytes, headers: list[list[Any]]) -> tuple[str | None, Any]:
    """The CloudEvents type, None for bare JSON, and the data."""
    media_type = _media_type(headers)
    if media_type == "application/cloudevents+json":
        return _structured(parse(value, max_depth=MAX_DEPTH + 1))
    if media_type.startswith("application/cloudevents"):
        raise Illegible("a CloudEvents format that is not read")
    attributes: dict[str, str] = {}
    for name, wrapped in headers:
        if wrapped is not None and name.lower().startswith("ce_"):
            attribute = _text(wrapped)
            if attributes.setdefault(name.lower(), attribute) != attribute:
                raise Illegible(f"{name} twice")
    if attributes:
        _check({name.removeprefix("ce_"): held for name, held in attributes.items()})
    return attributes.get("ce_type"), parse(value)


def _media_type(headers: list[list[Any]]) -> str:
    for name, wrapped in headers:
        if name.lower() == "content-type" and wrapped is not None:
            return base64.b64decode(wrapped).decode("latin-1").partition(";")[0].strip().lower()
    return ""


def _text(wrapped: str) -> str:
    try:
        return base64.b64decode(wrapped).decode()
    except UnicodeDecodeError as error:
        raise Illegible("an attribute that is no UTF-8") from error


def _structured(envelope: Any) -> tuple[str, Any]:
    if not isinstance(envelope, dict):
        raise Illegible("no envelope")
    attributes = {
        name: str(held).lower() if isinstance(held, bool) else str(held)
        for name, held in envelope.items()
        if name not in ("data", "data_base64") and isinstance(held, str | int)
    }
    _check(attributes)
    if "data_base64" not in envelope:
        if envelope.get("data") is None:
            raise Illegible("no data")
        return attributes["type"], envelope["data"]
    if "data" in envelope:
        raise Illegible("data twice")
    try:
        return attributes["type"], parse(base64.b64decode(envelope["data_base64"], validate=True))
    except (binascii.Error, TypeError) as error:
        raise Illegible("no base64") from error


def _check(attributes: dict[str, str]) -> None:
    missing = [name for name in ("id", "source", "specversion", "type") if not attributes.get(name)]
    if missing or attributes["specversion"] != "1.0":
        raise Illegible("no CloudEvent 1.0")
    if any(len(held) > _LONGEST_ATTRIBUTE or "\0" in held for held in attributes.values()):
        raise Illegible("an attribute that is too long")
