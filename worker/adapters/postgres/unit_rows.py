"""The rows of many units of work, gathered by the statement that writes them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from schemas.values import Money
from worker.application.threads import ThreadWrites
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import ApprovalCommand, ApprovalRequest, Decision, Receipt
from worker.domain.exception_case import Case
from worker.domain.intent import Intent, IntentState, PaymentIntent
from worker.domain.reviewers import person_key
from worker.translation.outbound import Announcer, OutgoingMessage

Row = dict[str, Any]


@dataclass(slots=True)
class UnitRows:
    """One list for each statement of a group commit; a value may be a model, which is written as its JSON."""

    new_cases: list[Row] = field(default_factory=list)
    changed_cases: list[Row] = field(default_factory=list)
    changed_approvals: list[Row] = field(default_factory=list)
    new_approvals: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    new_intents: list[Row] = field(default_factory=list)
    finished_intents: list[Row] = field(default_factory=list)
    postponed_intents: list[Row] = field(default_factory=list)
    bookings: list[Row] = field(default_factory=list)
    audit: list[Row] = field(default_factory=list)
    messages: list[OutgoingMessage] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    postponed: list[Row] = field(default_factory=list)
    threads: list[ThreadWrites] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    awaited: list[str] = field(default_factory=list)


def rows_of(units: Sequence[UnitOfWork], announcer: Announcer, now: datetime) -> UnitRows:
    """All rows of these units; `awaited` is what early messages may have been waiting for."""
    rows = UnitRows()
    for unit in units:
        _add(rows, unit)
        rows.messages += [announcer.message(said, now) for said in unit.announcements]
    return rows


def _add(rows: UnitRows, unit: UnitOfWork) -> None:
    if unit.case is not None:
        _add_case(rows, unit.case)
    for approval in unit.changed_approvals:
        _add_approval(rows, approval, False, unit.case)
    if unit.new_approval is not None:
        _add_approval(rows, unit.new_approval, True, unit.case)
    if unit.decision is not None:
        rows.decisions.append(_decision_row(*unit.decision, unit.signed))
    _add_money(rows, unit)
    if unit.audit is not None:
        rows.audit.append(dict(unit.audit))
    if unit.refusal is not None:
        rows.refusals.append(asdict(unit.refusal))
    if unit.finishes is not None:
        _add_inbox(rows, unit.finishes, unit)
    if unit.thread is not None:
        rows.threads.append(unit.thread)
    if unit.forget_thread is not None:
        rows.forgotten.append(str(unit.forget_thread))


def _add_case(rows: UnitRows, case: Case) -> None:
    row: Row = {
        "case_id": case.case_id,
        "state": case.state,
        "version": case.version,
        **_amount(case.proposal.amount),
        "finished_at": case.finished_at,
        "body": case,
    }
    if case.version > 1:
        rows.changed_cases.append(row)
        return
    exception = case.exception
    rows.awaited.append(exception.exception_id)
    rows.new_cases.append(
        {
            **row,
            "exception_id": exception.exception_id,
            "order_id": exception.order_id,
            "customer_id": exception.customer_id,
            "kind": exception.kind,
            "opened_at": case.opened_at,
        }
    )


def _add_approval(rows: UnitRows, approval: ApprovalRequest, is_new: bool, case: Case | None) -> None:
    row: Row = {
        "approval_id": approval.approval_id,
        "due_at": approval.due_at,
        "available_at": approval.timers[0].at if approval.timers else approval.due_at,
        "closed_at": approval.closed_at,
        "body": approval,
    }
    if not is_new:
        rows.changed_approvals.append(row)
        return
    if case is None:
        raise ValueError("an approval request is opened together with its case's new version")
    rows.new_approvals.append(
        {**row, "case_id": approval.case_id, "exception_id": approval.exception_id, "case_version": case.version}
    )


def _decision_row(said: Decision | ApprovalCommand, receipt: Receipt, amount: Money | None) -> Row:
    return {
        "decision_id": receipt.decision_id,
        "approval_id": receipt.approval_id,
        "case_id": receipt.case_id,
        "reviewer": said.reviewer.id,
        "reviewer_key": person_key(said.reviewer.id),
        "verdict": said.verdict if isinstance(said, Decision) else None,
        "command": said.command if isinstance(said, ApprovalCommand) else None,
        "code": receipt.code,
        **_amount(amount),
        "body": said,
        "receipt": receipt,
    }


def _amount(amount: Money | None) -> Row:
    return {"amount_minor": amount and amount.amount_minor, "currency": amount and amount.currency}


def _add_money(rows: UnitRows, unit: UnitOfWork) -> None:
    if unit.intent is not None:
        _add_intent(rows, unit.intent, unit)
    if unit.booking is not None:
        rows.bookings.append(ledger_row(unit.booking.intent, unit.booking.reference))


def _add_intent(rows: UnitRows, intent: Intent, unit: UnitOfWork) -> None:
    row: Row = {
        "idempotency_key": intent.idempotency_key,
        "case_id": intent.case_id,
        "state": intent.state,
        "body": intent,
    }
    if unit.postponed is not None:
        row |= {
            "attempts": intent.attempts,
            "seconds": unit.postponed.seconds,
            "problem": unit.postponed.problem,
        }
        rows.postponed_intents.append(row)
    elif intent.state is IntentState.PENDING:
        rows.new_intents.append(row)
    else:
        row |= {
            "reference": unit.payment_reference,
            "problem": unit.case.reason if unit.case and intent.state is IntentState.FAILED else None,
        }
        rows.finished_intents.append(row)


def ledger_row(intent: PaymentIntent, reference: str) -> Row:
    return {
        "idempotency_key": intent.idempotency_key,
        "case_id": intent.case_id,
        "order_id": intent.order_id,
        "amount_minor": intent.amount.amount_minor,
        "currency": intent.amount.currency,
        "method": intent.method,
        "reference": reference,
    }


def _add_inbox(rows: UnitRows, inbox_id: int, unit: UnitOfWork) -> None:
    if unit.postponed is None:
        rows.finished.append(inbox_id)
        return
    rows.postponed.append(
        {
            "inbox_id": inbox_id,
            "seconds": unit.postponed.seconds,
            "problem": unit.postponed.problem,
        }
    )
