"""Cases as operators see them: many in one query, or one with everything that belongs to it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row, dict_row

from schemas.values import FiredRule, LevelReference, Proposal
from worker.adapters.postgres.identifiers import uuid_or_none
from worker.adapters.postgres.named_queries import load
from worker.domain.approval import ApprovalCommand, ApprovalRequest, Decision, Receipt
from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import Intent, intent_from_json
from worker.domain.reviewers import person_key

Line = TypeVar("Line")

_QUERIES = load("case_listing.sql")


@dataclass(frozen=True, slots=True)
class OpenApproval:
    """One question that waits. `votes` of `quorum` signatures are there; `next_at` is its next timer: a reminder, the
    end of a claim, or the deadline `due_at`. `now` is the database's time."""

    approval_id: UUID
    case_id: UUID
    exception_id: str
    order_id: str | None
    kind: str
    level: dict[str, Any]
    part: str | None
    round: int
    quorum: int
    votes: int
    role: str
    assignee: str | None
    requested_at: datetime
    due_at: datetime
    next_at: datetime
    now: datetime

    @property
    def level_reference(self) -> LevelReference:
        return LevelReference.model_validate(self.level)


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list, with its open approval request if it has one; `now` is the database's time."""

    case_id: UUID
    exception_id: str
    order_id: str | None
    customer_id: str | None
    kind: str
    state: str
    opened_at: datetime
    finished_at: datetime | None
    proposal: dict[str, Any]
    why: list[dict[str, str]]
    reason: str | None
    now: datetime
    approval: OpenApproval | None = None

    @property
    def approval_id(self) -> UUID | None:
        return self.approval.approval_id if self.approval else None

    @property
    def due_at(self) -> datetime | None:
        return self.approval.due_at if self.approval else None

    @property
    def role(self) -> str | None:
        """The role that is asked now, when one is."""
        return self.approval.role if self.approval else None

    @property
    def proposed(self) -> Proposal:
        return Proposal.model_validate(self.proposal)

    @property
    def rules(self) -> list[FiredRule]:
        return [FiredRule.model_validate(rule) for rule in self.why]


@dataclass(frozen=True, slots=True)
class AnsweredDecision:
    """What a reviewer said, a verdict or a command, and what the answer was."""

    decision: Decision | ApprovalCommand
    receipt: Receipt
    received_at: datetime


@dataclass(frozen=True, slots=True)
class IntentOnRecord:
    """`state` is the row's; `attempts` counts the calls of the payment port whose result was not known."""

    intent: Intent
    state: str
    attempts: int
    reference: str | None
    problem: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that is on record of one case, oldest first. `now` is the database's time."""

    now: datetime
    case: Case
    approvals: list[ApprovalRequest]
    decisions: list[AnsweredDecision]
    intents: list[IntentOnRecord]
    entries: list[AuditEntry]

    @property
    def open_approval(self) -> ApprovalRequest | None:
        return next((approval for approval in self.approvals if approval.is_open), None)


async def list_cases(
    connection: AsyncConnection[Any],
    *,
    state: CaseState | None,
    order_id: str | None,
    customer_id: str | None,
    finished: bool,
    limit: int,
) -> list[CaseLine]:
    """All of an order, the newest of all when `finished` ones count, else the unfinished ones, oldest first."""
    query = "cases_of_order" if order_id else "latest_cases" if finished else "unfinished_cases"
    values = {"state": state, "order": order_id, "customer": customer_id, "limit": limit}
    async with connection.transaction():
        lines = await _lines(connection, CaseLine, query, values)
        keys = {"keys": [line.case_id for line in lines]}
        approvals = {
            line.case_id: line for line in await _lines(connection, OpenApproval, "open_approvals_of_cases", keys)
        }
    return [replace(line, approval=approvals.get(line.case_id)) for line in lines]


async def open_approvals(
    connection: AsyncConnection[Any], *, assignee: str | None, role: str | None, limit: int
) -> list[OpenApproval]:
    """Open questions, first those whose next timer comes first; those of one assignee or role when it is given."""
    values = {"assignee": assignee and person_key(assignee), "role": role, "limit": limit}
    return await _lines(connection, OpenApproval, "open_approvals", values)


async def find_case(connection: AsyncConnection[Any], name: str) -> CaseFile | None:
    """The case with this exception id, case id or approval id, all of it as of one moment."""
    async with connection.transaction():
        return await _find_case(connection, name)


async def _find_case(connection: AsyncConnection[Any], name: str) -> CaseFile | None:
    found = await _rows(connection, "named_case", {"name": name, "id": uuid_or_none(name)})
    if not found:
        return None
    key = {"case_id": found[0]["case_id"]}
    (row,) = await _rows(connection, "case_body", key)
    return CaseFile(
        now=row["now"],
        case=Case.model_validate_json(row["body"]),
        approvals=[
            ApprovalRequest.model_validate_json(approval["body"])
            for approval in await _rows(connection, "case_approvals", key)
        ],
        decisions=[_answered(row) for row in await _rows(connection, "case_decisions", key)],
        intents=[_intent(row) for row in await _rows(connection, "case_intents", key)],
        entries=[entry_of(row) for row in await _rows(connection, "case_entries", key)],
    )


def entry_of(row: DictRow) -> AuditEntry:
    """An audit row as it was sealed: the database gives times in the zone of the session."""
    return AuditEntry.model_validate({**row, "at": row["at"].astimezone(UTC)})


def _answered(row: DictRow) -> AnsweredDecision:
    return AnsweredDecision(
        decision=(ApprovalCommand if row["is_command"] else Decision).model_validate_json(row["said"]),
        receipt=Receipt.model_validate_json(row["receipt"]),
        received_at=row["received_at"],
    )


def _intent(row: DictRow) -> IntentOnRecord:
    return IntentOnRecord(
        intent=intent_from_json(row["body"]),
        **{name: row[name] for name in ("state", "attempts", "reference", "problem", "created_at", "finished_at")},
    )


async def _lines(connection: AsyncConnection[Any], line: type[Line], query: str, values: dict[str, Any]) -> list[Line]:
    cursor = connection.cursor(row_factory=class_row(line))
    await cursor.execute(_QUERIES[query], values)
    return await cursor.fetchall()


async def _rows(connection: AsyncConnection[Any], query: str, values: dict[str, Any]) -> list[DictRow]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_QUERIES[query], values)
    return await cursor.fetchall()
