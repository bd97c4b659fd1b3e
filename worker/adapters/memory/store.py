"""The application's store in memory: one look at a case, and the one way to change it."""

from datetime import timedelta
from uuid import UUID

from pydantic_core import to_json

from worker.adapters.memory.balances import open_balance, reserve
from worker.adapters.memory.database import Clock, MemoryDatabase, effect_of
from worker.adapters.memory.figures import exposure, signed, watched
from worker.adapters.memory.notifications import keep_notifications
from worker.adapters.memory.outbox import MemoryOutbox, Publisher
from worker.adapters.memory.people import Register, people
from worker.adapters.memory.rows import write
from worker.application.notices import NoticeRouter
from worker.application.ports.store import CaseView, UnitRefused
from worker.application.threads import StoredThread
from worker.application.unit_of_work import NOTHING, CaseQuery, Commit, OthersQuery, UnitOfWork
from worker.application.watch_keys import key_of_reviewer, keys_of_others
from worker.domain.approval import ApprovalRequest
from worker.domain.exception_case import Case, CaseState
from worker.domain.reviewers import Person
from worker.translation.outbound import Announcer


class MemoryStore:
    """`lease` is how long a new intent is left to whoever committed it; `register` are the reviewers by `person_key`,
    where they are kept; `notices` says who is notified. `publisher` gets what is announced, and `clock` stamps it: that
    is the worker's own, and decides nothing."""

    def __init__(
        self,
        database: MemoryDatabase,
        announcer: Announcer,
        *,
        lease: timedelta,
        register: Register | None = None,
        notices: NoticeRouter | None = None,
        publisher: Publisher | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._announcer = announcer
        self._lease = lease
        self._register = register
        self._notices = notices
        self._publisher = publisher
        self._clock = clock or database.clock
        self._outbox = MemoryOutbox(database)

    async def view(self, query: CaseQuery) -> CaseView:
        database = self._database
        case, approval = self._find(query)
        if approval is None and case is not None and (asked := database.approvals_of(case.case_id)):
            approval = asked[-1].approval
        decided = database.decisions.get(query.decision_id or "")
        balance = database.balances.get(query.order_id or (case and case.exception.order_id) or "")
        cap = approval.question.asked.cap if approval is not None and approval.is_open else None
        signer = query.reviewer if cap is not None else None
        return CaseView(
            now=database.clock(),
            case=case,
            approval=approval,
            earlier=decided.receipt if decided else None,
            thread=self._thread(case),
            balance=balance.balance if balance else None,
            people=self._people(query, approval),
            exposure=exposure(database, query.others) if query.others else None,
            signed=signed(database, signer, cap.window) if signer is not None and cap is not None else (),
            watched=watched(database, _watch_keys(query.others, signer)),
        )

    async def commit(self, unit: UnitOfWork) -> Commit:
        """Writes all of the unit, or nothing. Raises UnitRefused."""
        if unit == NOTHING:
            return Commit.DONE
        if unit.reservation is not None:
            open_balance(self._database.balances, unit.reservation)
        answer = self._judge(unit)
        if answer is Commit.DONE:
            unsent = self._outbox.unsent_of([str(unit.case.case_id)] if unit.case else ())
            rows = write(self._database, unit, self._announcer, self._lease, self._clock())
            if self._notices is not None:
                keep_notifications(self._database, unit, self._notices)
            if self._publisher is not None:
                self._publisher.hand_over(rows, unsent)
        return answer

    def _people(self, query: CaseQuery, approval: ApprovalRequest | None) -> tuple[Person, ...] | None:
        if self._register is None:
            return None
        delegated = approval.handover.on_behalf_of if approval and approval.handover else ()
        return people(self._register, query.reviewer, query.also, *delegated)

    def _find(self, query: CaseQuery) -> tuple[Case | None, ApprovalRequest | None]:
        """By the approval request if it is known, else by the business key, else by our own id."""
        database = self._database
        named = _approval_id(query.approval_id)
        if named is not None and (asked := database.approvals.get(named)):
            return database.cases[asked.case_id].case, asked.approval
        if query.exception_id is not None:
            return database.case_of_exception(query.exception_id), None
        row = database.cases.get(query.case_id) if query.case_id is not None else None
        return (row.case if row else None), None

    def _thread(self, case: Case | None) -> StoredThread | None:
        if case is None or case.state is not CaseState.WAITING:
            return None
        return self._database.threads.fetch(str(case.case_id))

    def _judge(self, unit: UnitOfWork) -> Commit:
        """Whether the unit may be written: nothing that it was computed from has moved. What it reserves is taken
        last, as it is the one check that leaves something behind."""
        if unit.finishes is not None and not self._is_pending(unit.finishes):
            return Commit.GONE
        if self._is_held_by_another(unit):
            return Commit.GONE
        if self._case_moved(unit) or self._decided_before(unit) or self._figures_moved(unit):
            return Commit.CONFLICT
        if self._asks_twice(unit) or self._booked_before(unit):
            return Commit.CONFLICT
        _refuse_what_no_table_takes(unit)
        if unit.reservation is not None and not reserve(self._database.balances, unit.reservation):
            return Commit.OVERDRAWN
        return Commit.DONE

    def _is_pending(self, inbox_id: int) -> bool:
        row = self._database.inbox.get(inbox_id)
        return row is not None and not row.is_finished

    def _is_held_by_another(self, unit: UnitOfWork) -> bool:
        """The intent was taken up by somebody else."""
        if unit.intent is None:
            return False
        row = self._database.intents.get(unit.intent.idempotency_key)
        return row is not None and row.intent.takes != unit.intent.takes

    def _case_moved(self, unit: UnitOfWork) -> bool:
        case = unit.case
        if case is None:
            return False
        if case.version == 1:
            return self._database.knows(case.exception.exception_id)
        stored = self._database.cases.get(case.case_id)
        return stored is None or stored.version != case.version - 1

    def _decided_before(self, unit: UnitOfWork) -> bool:
        if unit.decision is None:
            return False
        said, receipt = unit.decision
        if receipt.decision_id in self._database.decisions:
            return True
        effect = effect_of(said, receipt)
        return effect is not None and effect in self._database.effects

    def _figures_moved(self, unit: UnitOfWork) -> bool:
        return unit.watched != watched(self._database, (watch.key for watch in unit.watched))

    def _asks_twice(self, unit: UnitOfWork) -> bool:
        """A case has one open approval request at a time."""
        if unit.case is None or unit.new_approval is None:
            return False
        closing = {approval.approval_id for approval in unit.changed_approvals if not approval.is_open}
        return any(
            row.is_open and row.approval_id not in closing for row in self._database.approvals_of(unit.case.case_id)
        )

    def _booked_before(self, unit: UnitOfWork) -> bool:
        return unit.booking is not None and unit.booking.intent.idempotency_key in self._database.ledger


def _watch_keys(others: OthersQuery | None, signer: str | None) -> list[str]:
    keys = [*keys_of_others(others)] if others is not None else []
    return keys if signer is None else [*keys, key_of_reviewer(signer)]


def _approval_id(text: str | None) -> UUID | None:
    """It comes from outside; one that we cannot have made is unknown, not an error."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _refuse_what_no_table_takes(unit: UnitOfWork) -> None:
    """PostgreSQL stores no NUL character and nothing that is not Unicode."""
    try:
        rows = to_json((unit.case, unit.changed_approvals, unit.new_approval, unit.decision, unit.audit, unit.refusal))
    except ValueError as error:
        raise UnitRefused(str(error)) from error
    if b"\\u0000" in rows:
        raise UnitRefused("a text holds the NUL character")
    if unit.case is None and unit.new_approval is not None:
        raise UnitRefused("an approval request is opened together with its case's new version")
