"""The rows of the database's dump, as far as they are judged. Bodies are what the worker wrote: claims, not facts."""

import json
from dataclasses import dataclass
from typing import Any

from tests.chaos.checker.folder import Row, seconds
from tests.chaos.checker.json_text import digest
from tests.chaos.checker.records import RAISED, Part, Place, answer_id, decision_digest

TERMINAL = frozenset({"executed", "rejected", "expired", "failed", "withdrawn"})

EFFECTIVE = frozenset({"ACCEPTED", "RECORDED"})
"""The codes of receipts for what took effect."""

AGREES = frozenset({"approve", "modify", "choose"})
"""The verdicts that sign for something to be done."""


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    currency: str

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"


def money(row: Any) -> Money | None:
    if not isinstance(row, dict) or not isinstance(row.get("amount_minor"), int):
        return None
    return Money(row["amount_minor"], str(row.get("currency")))


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    args: Any


def actions(rows: Any) -> dict[str, Action]:
    """By their ids, in their order."""
    return {str(row["id"]): Action(row["name"], row.get("args") or {}) for row in rows or ()}


@dataclass(frozen=True, slots=True)
class Case:
    case_id: str
    exception_id: str
    order_id: str | None
    kind: str
    state: str
    version: int
    round: int
    automatic: bool
    requested_by: str
    content: bytes
    amount: Money | None
    columns_agree: bool
    audit_head: str
    reason: str
    is_finished: bool

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    @classmethod
    def of(cls, row: Row) -> "Case":
        body, facts = row["body"], row["body"]["facts"]
        return cls(
            case_id=row["case_id"],
            exception_id=row["exception_id"],
            order_id=row["order_id"],
            kind=row["kind"],
            state=row["state"],
            version=row["version"],
            round=facts.get("round", 1),
            automatic=body["automatic"],
            requested_by=facts["exception"]["requested_by"],
            content=content_of(facts["exception"]),
            amount=money(row),
            columns_agree=all(row[name] == facts["exception"].get(name) for name in _COLUMNS),
            audit_head=body["audit_head"],
            reason=body.get("reason") or "",
            is_finished=row["finished_at"] is not None,
        )


_COLUMNS = ("exception_id", "order_id", "customer_id", "kind")
_CONTENT = ("exception_id", "kind", "order_id", "customer_id", "requested_by", "reason", "reason_code", "amount")


def content_of(exception: Row) -> bytes:
    """Of what an exception asks for: two requests that differ in it are two requests."""
    held = [exception.get(name) or None for name in _CONTENT]
    return digest([each.strip() if isinstance(each, str) else each for each in held])


@dataclass(frozen=True, slots=True)
class Approval:
    """`order` tells the questions of a case apart: the version of the case that asked."""

    approval_id: str
    case_id: str
    order: int
    level: str
    round: int
    role: str
    due_at: float
    closed_at: float | None
    closed_as: str | None
    closed_by: str | None
    shown: bytes

    @classmethod
    def of(cls, row: Row) -> "Approval":
        body = row["body"]
        return cls(
            approval_id=row["approval_id"],
            case_id=row["case_id"],
            order=row["case_version"],
            level=body["question"]["level"]["name"],
            round=body["question"]["round"],
            role=body["role"],
            due_at=seconds(row["due_at"]) or 0.0,
            closed_at=seconds(row["closed_at"]),
            closed_as=body.get("closed_as"),
            closed_by=body.get("closed_by"),
            shown=shown_of(body["question"]),
        )


_SHOWN = ("level", "round", "allowed_verdicts", "proposal", "alternatives", "context")


def shown_of(question: Row) -> bytes:
    """Of what a reviewer is asked and shown."""
    return digest([question.get(name) or None for name in _SHOWN])


_RECEIPT = ("decision_id", "approval_id", "case_id", "accepted", "code", "message", "decided_by")


def receipt_of(receipt: Row) -> bytes:
    return digest([receipt.get(name) for name in _RECEIPT])


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and how it was answered. `verdict` is None for a command, which is then in `command`."""

    decision_id: str
    approval_id: str | None
    case_id: str | None
    reviewer: str
    verdict: str | None
    command: str | None
    code: str
    received_at: float
    reviewer_key: str
    signed_for: Money | None
    exception_id: str | None
    level: str | None
    changes: Row
    choice: int | str | None
    review_hash: str | None
    to: str | None
    content: bytes | None
    is_translated: bool
    receipt_code: str
    receipt_accepted: bool
    receipt_content: bytes
    columns_agree: bool

    @property
    def is_effective(self) -> bool:
        return self.code in EFFECTIVE and self.verdict is not None

    @property
    def agrees(self) -> bool:
        return self.is_effective and self.verdict in AGREES

    @classmethod
    def of(cls, row: Row) -> "Decision":
        body, receipt = row["body"], row["receipt"]
        content = decision_digest(body) if row["verdict"] else None
        return cls(
            decision_id=row["decision_id"],
            approval_id=row["approval_id"],
            case_id=row["case_id"],
            reviewer=row["reviewer"],
            verdict=row["verdict"],
            command=row["command"],
            code=row["code"],
            received_at=seconds(row["received_at"]) or 0.0,
            reviewer_key=row["reviewer_key"],
            signed_for=money(row),
            exception_id=body.get("exception_id"),
            level=body.get("level"),
            changes=body.get("changes") or {},
            choice=body.get("choice"),
            review_hash=body.get("review_hash"),
            to=body.get("to"),
            content=content,
            is_translated=content is None,
            receipt_code=receipt["code"],
            receipt_accepted=receipt["accepted"],
            receipt_content=receipt_of(receipt),
            columns_agree=row["verdict"] == body.get("verdict") and row["command"] == body.get("command"),
        )


@dataclass(frozen=True, slots=True)
class Intent:
    """`amount` and `method` are None for actions."""

    key: str
    case_id: str
    state: str
    reference: str | None
    amount: Money | None
    method: str | None
    created_at: float
    is_finished: bool

    @classmethod
    def of(cls, row: Row) -> "Intent":
        return cls(
            key=row["idempotency_key"],
            case_id=row["case_id"],
            state=row["state"],
            reference=row["reference"],
            amount=money(row["body"].get("amount")),
            method=row["body"].get("method"),
            created_at=seconds(row["created_at"]) or 0.0,
            is_finished=row["finished_at"] is not None,
        )


_PAYLOAD = ("action", "actions", "changes", "order")


@dataclass(frozen=True, slots=True)
class InboxRow:
    """`raised` is the content of an exception (see `content_of`), of which `payload` keeps what is looked at again;
    `refers_to` is its id, and that of a withdrawal."""

    part: Part
    type: str
    digest: bytes
    answer_id: str | None
    refers_to: str | None
    raised: bytes | None
    payload: Row | None
    received_at: float
    finished_at: float | None

    @property
    def place(self) -> Place:
        return self.part[:3]

    @classmethod
    def of(cls, row: Row) -> "InboxRow":
        data = json.loads(row["payload"])
        fields = data if isinstance(data, dict) else {}
        exception_id = fields.get("exception_id")
        is_raised = row["type"] == RAISED
        return cls(
            part=(row["topic"], row["partition"], row["offset"], row["part"]),
            type=row["type"],
            digest=digest(data),
            answer_id=answer_id(row["type"], data),
            refers_to=exception_id.strip() if isinstance(exception_id, str) else None,
            raised=content_of(fields) if is_raised else None,
            payload={name: fields.get(name) for name in ("action", "actions", "changes", "order")}
            if is_raised
            else None,
            received_at=seconds(row["received_at"]) or 0.0,
            finished_at=seconds(row["finished_at"]),
        )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    part: Part
    reason: str
    detail: str
    sha256: str

    @property
    def place(self) -> Place:
        return self.part[:3]

    @classmethod
    def of(cls, row: Row) -> "DeadLetter":
        return cls(
            (row["topic"], row["partition"], row["offset"], row["part"]), row["reason"], row["detail"], row["sha256"]
        )
