"""7. The audit chain verifies, and each transition of a case has an entry.

An entry's hash is SHA-256, in hex, over the JSON of `case_id number at actor action from_state to_state detail
previous_hash`, keys sorted, without spaces, everything outside ASCII escaped, `at` in UTC as ISO 8601. The first entry
of a case has the empty text as `previous_hash`.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.chaos.checker.folder import Row
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import TERMINAL, Case
from tests.chaos.checker.violation import Violation

_FROM_WAITING = {"waiting", "executing", "executed", "failed", "rejected", "expired", "withdrawn", "stuck"}
_LEADS_TO = {
    "opened": {"waiting", "executing", "executed", "failed", "stuck"},
    "waiting": _FROM_WAITING,
    "executing": {"executing", "executed", "failed", "waiting", "stuck"},
    "stuck": {"stuck", "waiting", "withdrawn"},
    **{state: {state} for state in TERMINAL},
}


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    from_state: str
    to_state: str
    previous_hash: str
    hash: str
    is_as_sealed: bool


@dataclass
class Trails:
    """Of all cases; and what the entries say was decided, by whom, and paid."""

    of_case: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    decided: set[tuple[str, str, str]] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)

    def add(self, row: Row) -> None:
        detail = row["detail"]
        entry = Entry(
            row["number"],
            row["from_state"],
            row["to_state"],
            row["previous_hash"],
            row["hash"],
            computed_hash(row) == row["hash"],
        )
        self.of_case[row["case_id"]].append(entry)
        if "decision_id" in detail and not row["action"].endswith("refused"):
            self.decided.add((row["case_id"], detail["decision_id"], row["actor"]))
        if row["action"] == "paid":
            self.paid.add(detail["idempotency_key"])


def computed_hash(row: Row) -> str:
    content = {
        "case_id": row["case_id"],
        "number": row["number"],
        "at": datetime.fromisoformat(row["at"]).astimezone(UTC).isoformat(),
        "actor": row["actor"],
        "action": row["action"],
        "from_state": row["from_state"],
        "to_state": row["to_state"],
        "detail": row["detail"],
        "previous_hash": row["previous_hash"],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def check(run: Run) -> Iterator[Violation]:
    trails = Trails()
    for row in run.folder.first.table("audit"):
        trails.add(row)
    for case_id, entries in trails.of_case.items():
        if case_id not in run.cases:
            yield Violation(7, f"{len(entries)} entries of a case that does not exist", {"case": case_id})
    for case in run.cases.values():
        entries = sorted(trails.of_case.get(case.case_id, ()), key=lambda entry: entry.number)
        yield from _holds(case, entries)
        yield from _each_question_has_its_entry(run, case, entries)
    yield from _what_counts_has_its_entry(run, trails)


def _holds(case: Case, entries: list[Entry]) -> Iterator[Violation]:
    head, state = "", "opened"
    for number, entry in enumerate(entries, 1):
        where = {"case": case.case_id, "entry": entry.number}
        if entry.number != number:
            yield Violation(7, f"entry {number} is missing", where)
            return
        if entry.previous_hash != head:
            yield Violation(7, "the chain is broken: it does not continue the entry before it", where)
        if not entry.is_as_sealed:
            yield Violation(7, "its hash is not that of its content", where)
        if entry.from_state != state:
            yield Violation(7, f"a transition has no entry: from {state} to {entry.from_state}", where)
        if entry.to_state not in _LEADS_TO.get(entry.from_state, ()):
            yield Violation(7, f"{entry.from_state} does not lead to {entry.to_state}", where)
        head, state = entry.hash, entry.to_state
    where = {"case": case.case_id, "entry": len(entries)}
    if len(entries) != case.version:
        yield Violation(7, f"the case is at version {case.version}, its trail has {len(entries)} entries", where)
    if head != case.audit_head:
        yield Violation(7, "the case names another entry as its last", where)
    if state != case.state:
        yield Violation(7, f"the case is {case.state}, its trail ends with {state}", where)


def _each_question_has_its_entry(run: Run, case: Case, entries: list[Entry]) -> Iterator[Violation]:
    to_waiting = {entry.number for entry in entries if entry.to_state == "waiting"}
    for approval in run.approvals_of.get(case.case_id, ()):
        if approval.order not in to_waiting:
            where = {"case": case.case_id, "approval": approval.approval_id}
            yield Violation(7, "a question was asked without an entry", where)


def _what_counts_has_its_entry(run: Run, trails: Trails) -> Iterator[Violation]:
    for case_id, decisions in run.decisions_of.items():
        for decision in decisions:
            if (case_id, decision.decision_id, decision.reviewer) not in trails.decided:
                where = {"case": case_id, "decision": decision.decision_id}
                yield Violation(7, "a decision took effect without an entry", where)
    for intent in run.intents.values():
        if intent.amount is not None and intent.state == "succeeded" and intent.key not in trails.paid:
            where = {"case": intent.case_id, "idempotency_key": intent.key}
            yield Violation(7, "a payment was concluded without an entry", where)
