"""Judges what was done in the world as it is done: money that moved, and actions that ran."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.values import Action, Verdict
from tests.simulation.provider import Provider
from worker.adapters.memory.database import MemoryDatabase
from worker.adapters.memory.executors import MemoryExecutors
from worker.application.ports.executors import OnUnknown
from worker.application.unit_of_work import UnitOfWork
from worker.domain.approval import Decision
from worker.domain.exception_case import CaseState
from worker.domain.intent import PaymentIntent

PAYS_IN = frozenset({CaseState.EXECUTING, CaseState.EXECUTED})
AGREES = frozenset({Verdict.APPROVE, Verdict.MODIFY})

Form = dict[str, Mapping[str, Any]]
"""Actions by their ids, in the arguments that somebody signed for."""


class EffectsWitness:
    def __init__(self, database: MemoryDatabase, payments: Provider, executors: MemoryExecutors) -> None:
        self._database, self._payments, self._executors = database, payments, executors
        self._payments_read = self._bookings_read = 0
        self._paid: dict[UUID, str] = {}
        self._signed: defaultdict[UUID, list[Form]] = defaultdict(list)
        self._runs: Counter[str] = Counter()

    def committed(self, unit: UnitOfWork) -> None:
        """No more is set aside for an order than it captured. Remembers the form in which actions were signed for."""
        self.moved()
        if unit.reservation is not None:
            balance = self._database.balances[unit.reservation.order_id]
            assert 0 <= balance.refunded_minor <= balance.captured.amount_minor, f"{unit.reservation} of {balance}"
        if unit.decision is None or unit.case is None or not unit.decision[1].accepted:
            return
        said, receipt = unit.decision
        if isinstance(said, Decision) and said.verdict in AGREES:
            shown = self._database.approvals[UUID(receipt.approval_id or "")].approval.question.proposal.actions
            if shown:
                self._signed[unit.case.case_id].append(_signed_form(shown, said.changes or {}))

    # 3: each payment belongs to a case that may pay, is the amount on record, and is its only one

    def moved(self) -> None:
        assert self._payments.unseen == [], f"tried again, and nobody had looked it up: {self._payments.unseen}"
        entries = self._payments.entries
        if len(entries) > self._payments_read:
            for intent in list(entries.values())[self._payments_read :]:
                self._paid_by(intent)
            self._payments_read = len(entries)
        ledger = self._database.ledger
        if len(ledger) > self._bookings_read:
            for booking in list(ledger.values())[self._bookings_read :]:
                self._paid_by(booking.intent)
            self._bookings_read = len(ledger)

    def _paid_by(self, intent: PaymentIntent) -> None:
        case_id, key = intent.case_id, intent.idempotency_key
        assert self._paid.setdefault(case_id, key) == key, f"{case_id} paid under {key} and {self._paid[case_id]}"
        case = self._database.cases[case_id].case
        assert case.state in PAYS_IN, f"{intent} is paid while {case.exception.exception_id} is {case.state}"
        assert key == case.idempotency_key, f"{key} is no key of {case}"
        proposed = (case.exception.order_id, case.proposal.amount)
        assert (intent.order_id, intent.amount) == proposed, f"{intent} is not what was approved: {proposed}"

    # 3, of actions: signed for in these arguments, and none repeated that must not be

    def ran(self, key: str, action: Action) -> None:
        """An executor was reached, and the action may have taken effect."""
        _, case_id, _, action_id = key.split(":", 3)
        self._runs[key] += 1
        once = self._executors.on_unknown(action.name) is OnUnknown.ASK
        assert not once or self._runs[key] == 1, f"{key} ran {self._runs[key]} times, and nobody was asked"
        signed = [form[action_id] for form in self._signed[UUID(case_id)] if action_id in form]
        assert action.args in signed, f"{key} ran with {action.args}, and {signed} was signed for"


def _signed_form(shown: tuple[Action, ...], changes: Mapping[str, Any]) -> Form:
    ids = [action.id or str(index) for index, action in enumerate(shown)]
    edits = {edit["index"]: edit["args"] for edit in changes.get("edited_actions") or ()}
    kept = changes.get("approved_actions")
    kept = range(len(ids)) if kept is None else kept
    return {ids[index]: edits.get(index, shown[index].args) for index in kept}
