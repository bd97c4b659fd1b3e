"""Judges each commit from what it changed: the audit trail, the state of the case, its questions, answers and outcome.

The numbers are those of the project's list of invariants.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from schemas.catalogue import ORDER_OUTCOMES
from schemas.values import ReceiptCode
from tests.builders import Event
from tests.simulation.crowd import CANARY
from worker.adapters.memory.database import MemoryDatabase, OutboxRow
from worker.application.announcements import ReceiptGiven
from worker.application.messages import Decided
from worker.application.transition import SYSTEM
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing, Decision
from worker.domain.exception_case import Case, CaseState
from worker.domain.reviewers import person_key

TERMINAL = frozenset(state.value for state in CaseState if state.is_terminal)
CLOSED_BY_THE_CLOCK = frozenset({Closing.EXPIRED, Closing.ESCALATED})
EARLY = timedelta(minutes=5)
"""How long a decision waits for its case."""


@dataclass(slots=True)
class Trail:
    """Of one case, as far as it has been read."""

    entries: int = 0
    head: str = ""
    state: str = CaseState.OPENED.value
    outcome: str | None = None


class CasesWitness:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self.trails: dict[UUID, Trail] = {}
        self._entries_read = 0
        self._effects: set[tuple[str, str]] = set()

    @property
    def unfinished(self) -> list[UUID]:
        return [case_id for case_id, trail in self.trails.items() if trail.state not in TERMINAL]

    def committed(self, unit: UnitOfWork, looked_at: datetime) -> None:
        """7, 1, 5, 9: what the commit of this unit changed."""
        self._read_audit()
        if unit.case is not None:
            self._check_case(unit.case)
        for approval in unit.changed_approvals:
            self._check_closing(approval)
        if unit.decision is not None and isinstance(unit.decision[0], Decision) and unit.decision[1].accepted:
            said, receipt = unit.decision
            effect = (receipt.approval_id or "", person_key(unit.decision[0].reviewer.id))
            assert effect not in self._effects, f"{said} is the second of {effect} with effect"
            self._effects.add(effect)
        for announced in unit.announcements:
            if isinstance(announced, ReceiptGiven) and announced.receipt.code is ReceiptCode.UNKNOWN_APPROVAL:
                self._check_patience(announced.receipt.decision_id, looked_at)
        if unit.refusal is not None:
            assert CANARY not in unit.refusal.detail, f"a dead letter repeats what somebody wrote: {unit.refusal}"

    def announced(self, rows: Sequence[OutboxRow]) -> None:
        """1: one outcome, and it says what the trail says."""
        self._read_audit()
        for row in rows:
            if row.message.topic == ORDER_OUTCOMES.name:
                event: Event = json.loads(row.message.payload)
                trail = self.trails[UUID(event["case_id"])]
                assert trail.outcome is None, f"a second outcome: {event}"
                assert event["status"] == trail.state, f"{event} tells of a case that is {trail.state}"
                trail.outcome = event["status"]

    def _read_audit(self) -> None:
        entries = self._database.audit
        while self._entries_read < len(entries):
            entry = entries[self._entries_read]
            self._entries_read += 1
            trail = self.trails.setdefault(entry.case_id, Trail())
            was = (entry.number, entry.previous_hash, entry.from_state)
            assert was == (trail.entries + 1, trail.head, trail.state), f"{entry} does not follow {trail}"
            assert entry.computed_hash() == entry.hash, entry
            assert trail.state not in TERMINAL or entry.to_state == trail.state, f"{entry} after the end"
            assert CANARY not in entry.model_dump_json(), f"{entry} repeats what somebody wrote"
            trail.entries, trail.head, trail.state = entry.number, entry.hash, entry.to_state

    def _check_case(self, case: Case) -> None:
        """It is what its trail says; a case that waits has its one open question, and no other has any."""
        trail = self.trails.get(case.case_id, Trail())
        is_on_record = (case.version, case.audit_head, case.state.value)
        assert is_on_record == (trail.entries, trail.head, trail.state), f"{case} is not what {trail} says"
        asked = [row for row in self._database.approvals_of(case.case_id) if row.is_open]
        assert len(asked) == (1 if case.state is CaseState.WAITING else 0), case
        assert case.state is not CaseState.EXECUTING or self._is_in_hand(case), f"nobody executes {case}"

    def _is_in_hand(self, case: Case) -> bool:
        rows = self._database.intents.values()
        return any(row.intent.case_id == case.case_id and not row.is_finished for row in rows)

    def _check_closing(self, approval: ApprovalRequest) -> None:
        """No deadline comes before its time, by the clock of the database."""
        if approval.closed_as in CLOSED_BY_THE_CLOCK and approval.closed_by == SYSTEM:
            assert approval.due_at <= self._database.clock(), f"{approval} was closed before its time"

    def _check_patience(self, decision_id: str, looked_at: datetime) -> None:
        """What came before its case is kept for a while."""
        for row in self._database.inbox.values():
            if isinstance(row.message, Decided) and row.message.decision.decision_id == decision_id:
                named = row.message.decision.exception_id
                if row.message.decision.approval_id is None and named and not self._database.knows(named):
                    assert row.received_at + EARLY <= looked_at, f"{decision_id} was not waited for"
                return
