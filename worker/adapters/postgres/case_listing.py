"""Cases as operators see them: many in one query, or one with everything that belongs to it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row, dict_row

from schemas.values import FiredRule, Proposal
from worker.adapters.postgres.identifiers import uuid_or_none
from worker.adapters.postgres.named_queries import load
from worker.domain.approval import ApprovalRequest, Decision, Receipt
from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case, CaseState
from worker.domain.resolution import Intent

_QUERIES = load("case_listing.sql")


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list. `approval_id` to `role` are those of its open approval request; `now` is the database's."""

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
    approval_id: UUID | None
    due_at: datetime | None
    level: str | None
    role: str | None

    @property
    def proposed(self) -> Proposal:
        return Proposal.model_validate(self.proposal)

    @property
    def rules(self) -> list[FiredRule]:
        return [FiredRule.model_validate(rule) for rule in self.why]


@dataclass(frozen=True, slots=True)
class AnsweredDecision:
    decision: Decision
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
    cursor = connection.cursor(row_factory=class_row(CaseLine))
    await cursor.execute(_QUERIES[query], {"state": state, "order": order_id, "customer": customer_id, "limit": limit})
    return await cursor.fetchall()


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
        decision=Decision.model_validate_json(row["decision"]),
        receipt=Receipt.model_validate_json(row["receipt"]),
        received_at=row["received_at"],
    )


def _intent(row: DictRow) -> IntentOnRecord:
    return IntentOnRecord(
        intent=Intent.model_validate_json(row["body"]),
        **{name: row[name] for name in ("state", "attempts", "reference", "problem", "created_at", "finished_at")},
    )


async def _rows(connection: AsyncConnection[Any], query: str, values: dict[str, Any]) -> list[DictRow]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_QUERIES[query], values)
    return await cursor.fetchall()
