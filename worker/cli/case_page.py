"""One case on a page: what was asked, what is proposed and why, who decided, what was done, and when all that was."""

import getpass
import re
import shlex
from collections.abc import Sequence
from typing import Any

from worker.adapters.postgres.case_listing import AnsweredDecision, CaseFile, IntentOnRecord
from worker.cli.action_page import advice, print_account_changes, print_actions
from worker.cli.output import in_utc, instant, print_fields, print_line, print_table
from worker.cli.question_page import Fields, history, print_questions, signed, waiting_fields
from worker.domain.approval import ApprovalRequest
from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case
from worker.domain.exposure import RelatedCase
from worker.domain.intent import Intent, PaymentIntent

_DIGEST = re.compile(r"[0-9a-f]{64}")


def print_case(file: CaseFile) -> None:
    case = file.case
    print_line(f"{case.exception.exception_id} is {case.state}")
    print_line()
    print_fields(_asked(case))
    print_line()
    print_fields(_decided(file))
    print_line()
    print_account_changes(case)
    print_actions(file)
    if file.approvals:
        print_questions(file.approvals)
        print_line()
    if file.decisions:
        print_table(
            ("decision", "reviewer", "said", "received", "answer", "in words"),
            [_decision_row(answered) for answered in file.decisions],
            long=("decision", "in words"),
        )
        print_line()
    if file.intents:
        print_table(
            ("intent", "what", "how", "state", "retries", "reference", "problem"),
            [_intent_row(intent) for intent in file.intents],
            long=("intent", "reference", "problem"),
        )
        print_line()
    print_timeline(file.entries)
    approval = file.open_approval
    if approval is not None:
        print_line()
        print_line("To decide it:")
        print_line(f"  {decide_line(approval)}")


def print_timeline(entries: Sequence[AuditEntry]) -> None:
    print_table(("at", "who", "what", "state", "detail"), [_timeline_row(entry) for entry in entries], long=("detail",))


def decide_line(approval: ApprovalRequest, verdict: str = "approve") -> str:
    """The command that decides this request, to be typed as it is by who holds it, or by whoever is logged in.

    It names the approval request and not the case: typed too late, it cannot decide another question.
    """
    line = ["signoff", "decide", str(approval.approval_id), verdict]
    reviewer = approval.assignee or f"user:{_login()}"
    return shlex.join([*line, "--reviewer", reviewer, "--role", approval.role])


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def _asked(case: Case) -> Fields:
    exception = case.exception
    return [
        ("kind", exception.kind),
        ("order", exception.order_id or ""),
        ("customer", exception.customer_id or ""),
        ("asked by", exception.requested_by),
        ("reason", exception.reason),
        ("amount asked", str(exception.amount or "")),
        ("items", ", ".join(f"{item.quantity} x {item.sku}" for item in exception.items)),
        ("confidence", "" if exception.confidence is None else str(exception.confidence)),
        ("opened", in_utc(case.opened_at)),
        ("finished", in_utc(case.finished_at)),
        ("case", str(case.case_id)),
    ]


def _decided(file: CaseFile) -> Fields:
    case, approval = file.case, file.open_approval
    proposal = case.proposal
    signatures = [signed(signature) for signature in case.signatures]
    fields: Fields = [
        ("proposal", f"{proposal.action} {proposal.amount or ''} {proposal.method or ''}".strip()),
        ("customer is told", proposal.customer_message or ""),
        ("why", [f"{rule.says} ({rule.rule})" for rule in case.why] or "no rule asks for a person"),
        ("risk", case.risk),
        ("advice", advice(case.facts.opinion)),
        ("policy", f"{case.policy.name} {case.policy.version}"),
        ("decided", signatures or ("automatically" if case.automatic and case.finished_at else "")),
        ("sent back", history(case.facts.feedback)),
        ("changed since", case.facts.difference or ""),
        ("failure", case.facts.failure or ""),
        ("looks like", [_related(one) for one in case.facts.exposure.near_duplicates]),
        ("remark", case.reason),
        ("payment", case.payment_reference or ""),
    ]
    return fields + (waiting_fields(approval, file.now) if approval is not None else [])


def _related(other: RelatedCase) -> str:
    return f"{other.exception_id} {other.amount or ''} {other.state}, opened {in_utc(other.opened_at)}"


def _decision_row(answered: AnsweredDecision) -> tuple[str, ...]:
    decision, receipt = answered.decision, answered.receipt
    return (
        decision.decision_id,
        decision.reviewer.id,
        decision.verdict,
        in_utc(answered.received_at),
        receipt.code,
        receipt.message,
    )


def _intent_row(record: IntentOnRecord) -> tuple[str, ...]:
    intent = record.intent
    what, how = _about_to_be_done(intent)
    return (
        intent.idempotency_key,
        what,
        how,
        record.state,
        str(record.attempts),
        record.reference or "",
        record.problem or "",
    )


def _about_to_be_done(intent: Intent) -> tuple[str, str]:
    if isinstance(intent, PaymentIntent):
        return str(intent.amount), intent.method
    done = len(intent.results)
    return ", ".join(action.name for action in intent.actions), f"{done} of {len(intent.actions)} done"


def _timeline_row(entry: AuditEntry) -> tuple[str, ...]:
    moved = entry.to_state if entry.from_state in (None, entry.to_state) else f"{entry.from_state} → {entry.to_state}"
    detail = ", ".join(f"{name}: {_shown(value)}" for name, value in entry.detail.items() if name != "policy")
    return in_utc(entry.at), entry.actor, entry.action, moved, detail


def _shown(value: Any) -> str:
    """Of a digest the beginning, by which a person tells it from another; --json has all of it."""
    text = ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
    return f"{text[:12]}…" if _DIGEST.fullmatch(text) else text


def as_document(file: CaseFile) -> dict[str, Any]:
    """Everything on record, in the words of the event contract; `decide` is the line to type while it waits."""
    approval = file.open_approval
    return {
        "case": file.case.model_dump(mode="json"),
        "approvals": [request.model_dump(mode="json") for request in file.approvals],
        "decisions": [
            {
                "kind": answered.decision.kind,
                "decision": answered.decision.model_dump(mode="json"),
                "receipt": answered.receipt.model_dump(mode="json"),
                "received_at": instant(answered.received_at),
            }
            for answered in file.decisions
        ],
        "intents": [
            {
                **record.intent.model_dump(mode="json"),
                "state": record.state,
                "attempts": record.attempts,
                "reference": record.reference,
                "problem": record.problem,
                "created_at": instant(record.created_at),
                "finished_at": instant(record.finished_at),
            }
            for record in file.intents
        ],
        "audit": [entry.model_dump(mode="json") for entry in file.entries],
        "decide": decide_line(approval) if approval else None,
    }
