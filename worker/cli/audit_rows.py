"""One decision as a row of the report, for programs and for spreadsheets."""

import csv
import json
from typing import Any, TextIO

from worker.adapters.postgres.audit_report import DecisionOnRecord
from worker.cli.audit_figures import TOOK_EFFECT, is_override, seconds_to_decide
from worker.cli.output import instant

COLUMNS = (
    "received_at",
    "decision_id",
    "exception_id",
    "case_id",
    "approval_id",
    "level",
    "level_number",
    "level_of",
    "part",
    "round",
    "reviewer",
    "on_behalf_of",
    "verdict",
    "code",
    "took_effect",
    "override",
    "message",
    "proposed_action",
    "proposed_amount_minor",
    "proposed_currency",
    "proposed_method",
    "changes",
    "choice",
    "signed_amount_minor",
    "signed_currency",
    "comment",
    "asked_at",
    "due_at",
    "seconds_to_decide",
    "rules",
    "risk",
    "confidence",
    "policy",
    "policy_version",
    "review_hash",
)

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def row_of(decision: DecisionOnRecord) -> dict[str, Any]:
    """By the names in COLUMNS. Amounts are in minor units."""
    level, proposal, policy = decision.level or {}, decision.proposal or {}, decision.policy or {}
    amount = proposal.get("amount") or {}
    values = (
        instant(decision.received_at),
        decision.decision_id,
        decision.exception_id,
        decision.case_id and str(decision.case_id),
        decision.approval_id,
        level.get("name"),
        level.get("number"),
        level.get("of"),
        decision.part,
        decision.round,
        decision.reviewer,
        _on_behalf_of(decision),
        decision.verdict,
        decision.code,
        decision.code in TOOK_EFFECT,
        is_override(decision),
        decision.message,
        proposal.get("action"),
        amount.get("amount_minor"),
        amount.get("currency"),
        proposal.get("method"),
        decision.changes,
        decision.choice,
        decision.amount_minor,
        decision.currency,
        decision.comment,
        instant(decision.asked_at),
        instant(decision.due_at),
        seconds_to_decide(decision),
        [rule["rule"] for rule in decision.why or []],
        decision.risk,
        decision.confidence,
        policy.get("name"),
        policy.get("version"),
        decision.review_hash,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _on_behalf_of(decision: DecisionOnRecord) -> list[str]:
    """Whose authority the reviewer used, as the signature on the question says."""
    if decision.code not in TOOK_EFFECT:
        return []
    signatures = [vote for vote in decision.votes or [] if vote["reviewer"] == decision.reviewer]
    return list(signatures[-1]["on_behalf_of"]) if signatures else []


class CsvRows:
    """RFC 4180, UTF-8. Lists are words with spaces between, objects JSON."""

    def __init__(self, out: TextIO) -> None:
        self._writer = csv.writer(out)
        self._writer.writerow(COLUMNS)

    def add(self, decision: DecisionOnRecord) -> None:
        self._writer.writerow([cell(value) for value in row_of(decision).values()])


def cell(value: Any) -> str:
    """What strangers wrote must not become a formula when a spreadsheet opens it: it gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, bool | dict):
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
