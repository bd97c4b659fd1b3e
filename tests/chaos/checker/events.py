"""The events of the output topics, read from their bytes: what the world was told."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from tests.chaos.checker.folder import OUTPUTS, Dump, Row, seconds
from tests.chaos.checker.records import unwrapped
from tests.chaos.checker.tables import Action, Money, actions, money, receipt_of, shown_of

NEEDED = "signoff.approval.needed.v1"
UPDATED = "signoff.approval.updated.v1"
RECEIPT = "signoff.review.receipt.v1"
OUTCOME = "signoff.resolution.outcome.v1"
REJECTED = "signoff.message.rejected.v1"


@dataclass(frozen=True, slots=True)
class Appearance:
    """One record of an output topic. `event_id` is None for what is no CloudEvent; `seal` is of topic, key, headers
    and value."""

    topic: str
    partition: int
    offset: int
    event_id: str | None
    seal: bytes

    @property
    def where(self) -> dict[str, Any]:
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset, "event": self.event_id}


def seal_of(topic: str, key: bytes, headers: Iterable[tuple[str, bytes]], value: bytes) -> bytes:
    seal = blake2b(digest_size=16)
    for piece in (topic.encode(), key, *(name.encode() + b"=" + held for name, held in sorted(headers)), value):
        seal.update(len(piece).to_bytes(4) + piece)
    return seal.digest()


@dataclass(frozen=True, slots=True)
class Alternative:
    action: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Question:
    """What a reviewer was shown. `passing` are actions that want no signature and run along."""

    approval_id: str
    case_id: str
    exception_id: str
    level: str
    role: str | None
    quorum: int
    round: int
    verdicts: tuple[str, ...]
    action: str
    amount: Money | None
    alternatives: tuple[Alternative, ...]
    actions: Mapping[str, Action]
    passing: Mapping[str, Action]
    requested_by: str
    review_hash: str
    requested_at: float
    due_at: float
    event_id: str
    shown: bytes

    @classmethod
    def of(cls, event_id: str, data: Row) -> "Question":
        proposal = data["proposal"]
        return cls(
            approval_id=data["approval_id"],
            case_id=data["case_id"],
            exception_id=data["exception_id"],
            level=data["level"]["name"],
            role=data.get("role"),
            quorum=data["quorum"],
            round=data["round"],
            verdicts=tuple(data["allowed_verdicts"]),
            action=proposal["action"],
            amount=money(proposal.get("amount")),
            alternatives=tuple(
                Alternative(other["action"], money(other.get("amount"))) for other in data.get("alternatives") or ()
            ),
            actions=actions(proposal.get("actions")),
            passing=actions(proposal.get("passing")),
            requested_by=data["requested_by"],
            review_hash=data["review_hash"],
            requested_at=seconds(data["requested_at"]) or 0.0,
            due_at=seconds(data["due_at"]) or 0.0,
            event_id=event_id,
            shown=shown_of(data),
        )


@dataclass(frozen=True, slots=True)
class Closing:
    """Open screens are told that a question is answered, or over."""

    approval_id: str
    case_id: str
    at: float
    by: str
    reason: str | None
    event_id: str


@dataclass(frozen=True, slots=True)
class Receipt:
    decision_id: str
    approval_id: str | None
    case_id: str | None
    accepted: bool
    code: str
    content: bytes

    @classmethod
    def of(cls, data: Row) -> "Receipt":
        about = data.get("approval_id"), data.get("case_id")
        return cls(data["decision_id"], *about, data["accepted"], data["code"], receipt_of(data))


@dataclass(frozen=True, slots=True)
class Outcome:
    """`results` are what is said of each action, by its id."""

    event_id: str
    seal: bytes
    case_id: str
    exception_id: str
    order_id: str | None
    kind: str
    status: str
    automatic: bool
    amount: Money | None
    method: str | None
    payment_reference: str | None
    reason: str | None
    signed_by: tuple[tuple[str, str], ...]
    results: Mapping[str, tuple[str, str]]
    actions: Mapping[str, Action]
    changes: Row | None

    @classmethod
    def of(cls, event_id: str, seal: bytes, data: Row) -> "Outcome":
        return cls(
            event_id=event_id,
            seal=seal,
            case_id=data["case_id"],
            exception_id=data["exception_id"],
            order_id=data.get("order_id"),
            kind=data["kind"],
            status=data["status"],
            automatic=data["automatic"],
            amount=money(data.get("amount")),
            method=data.get("method"),
            payment_reference=data.get("payment_reference"),
            reason=data.get("reason"),
            signed_by=tuple((each["level"], each["reviewer"]) for each in data.get("decided_by") or ()),
            actions=actions(data.get("actions")),
            changes=data.get("changes"),
            results={each["id"]: (each["name"], each["status"]) for each in data.get("results") or ()},
        )


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was announced of a dead letter; `detail` is what everybody may read."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str


class Published:
    """All that lies in the output topics. Of several deliveries of an event the first is read."""

    def __init__(self, dump: Dump) -> None:
        self.appearances: list[Appearance] = []
        self.questions: dict[str, Question] = {}
        self.closings: dict[str, Closing] = {}
        self.receipts: dict[str, list[Receipt]] = {}
        self.outcomes: dict[str, list[Outcome]] = {}
        self.rejections: list[Rejection] = []
        seen: set[str] = set()
        for topic in OUTPUTS:
            for row in dump.topic(topic):
                appearance, headers, value = _appearance(topic, row)
                self.appearances.append(appearance)
                if appearance.event_id is not None and appearance.event_id not in seen:
                    seen.add(appearance.event_id)
                    self._read(headers.get("ce_type", b"").decode(), appearance.event_id, appearance.seal, value)

    def all_outcomes(self) -> Iterator[Outcome]:
        for outcomes in self.outcomes.values():
            yield from outcomes

    def _read(self, type_: str, event_id: str, seal: bytes, value: bytes) -> None:
        data = json.loads(value)
        if type_ == NEEDED:
            question = Question.of(event_id, data)
            self.questions.setdefault(question.approval_id, question)
        elif type_ == UPDATED and data["change"] == "closed":
            at, reason = seconds(data["at"]) or 0.0, data.get("reason")
            closing = Closing(data["approval_id"], data["case_id"], at, data["by"], reason, event_id)
            self.closings.setdefault(closing.approval_id, closing)
        elif type_ == RECEIPT:
            receipt = Receipt.of(data)
            self.receipts.setdefault(receipt.decision_id, []).append(receipt)
        elif type_ == OUTCOME:
            outcome = Outcome.of(event_id, seal, data)
            self.outcomes.setdefault(outcome.case_id, []).append(outcome)
        elif type_ == REJECTED:
            place = data["topic"], data["partition"], data["offset"]
            self.rejections.append(Rejection(*place, data["reason"], data["detail"]))


_ADDED_BY_THE_CLIENT = "correlation_id"
"""A header that FastStream puts on each record: the event's id once more."""


def _as_committed(headers: dict[str, bytes], event_id: bytes | None) -> dict[str, bytes]:
    return {name: held for name, held in headers.items() if name != _ADDED_BY_THE_CLIENT or held != event_id}


def _appearance(topic: str, row: Row) -> tuple[Appearance, dict[str, bytes], bytes]:
    headers = {name: base64.b64decode(held or "") for name, held in row["headers"]}
    key, value = unwrapped(row["key"]) or b"", unwrapped(row["value"]) or b""
    raw_id = headers.get("ce_id")
    appearance = Appearance(
        topic=topic,
        partition=row["partition"],
        offset=row["offset"],
        event_id=raw_id.decode() if raw_id else None,
        seal=seal_of(topic, key, _as_committed(headers, raw_id).items(), value),
    )
    return appearance, headers, value
