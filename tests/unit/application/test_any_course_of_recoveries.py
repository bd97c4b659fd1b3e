"""Releases that cannot go on with a thread, and operators who recover what they parked, among everything else that can
happen: the invariants hold, and what was recovered is paid after a new approval only."""

from typing import NoReturn

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.unit.application import invariants
from tests.unit.application.test_any_course_of_events import AnyCourseOfEvents, Mortal, names
from worker.application.ports.workflow import CaseWorkflow, PlainData, StuckThread
from worker.application.threads import StoredThread
from worker.domain.exception_case import Case, CaseState


class LostItsWay:
    """A release whose graph lacks every step."""

    async def start(self, thread_id: str, facts: PlainData) -> NoReturn:
        raise StuckThread(thread_id)

    async def resume(self, thread: StoredThread, interrupt_id: str, decision: PlainData) -> NoReturn:
        raise StuckThread(thread.thread_id)


class AnyCourseOfRecoveries(AnyCourseOfEvents):
    def __init__(self) -> None:
        super().__init__()
        self._working = self.desk.ports.workflow

    def _roll_out(self, workflow: CaseWorkflow) -> None:
        dies = self.casework.dies
        self.desk.work_with(workflow=workflow)
        self.casework = self.desk.casework = Mortal(self.desk.ports)
        self.casework.dies = dies

    @property
    def stuck(self) -> list[str]:
        cases = invariants.all_cases(self.desk)
        return [case.exception.exception_id for case in cases if case.state is CaseState.STUCK]

    @rule(broken=st.booleans())
    def roll_out_a_release(self, broken: bool) -> None:
        self._roll_out(LostItsWay() if broken else self._working)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def lose_a_thread(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.waiting))
        self.desk.database.threads.forget(str(self.desk.case(name).case_id))

    @rule(name=names)
    def recover_anything(self, name: str) -> None:
        self.do(self.desk.recovers(name))

    @precondition(lambda self: self.stuck)
    @rule(data=st.data(), twice=st.booleans())
    def recover(self, data: st.DataObject, twice: bool) -> None:
        name = data.draw(st.sampled_from(self.stuck))
        self.do(*(self.desk.recovers(name) for _ in range(1 + twice)))

    @invariant()
    def what_was_recovered_is_paid_after_a_new_approval_only(self) -> None:
        requests = {str(key): row.approval for key, row in self.desk.database.approvals.items()}
        paid = {intent.case_id: intent.idempotency_key for intent in invariants.payments(self.desk)}
        for case in invariants.all_cases(self.desk):
            if case.case_id in paid and self._was_recovered(case):
                signed = [requests[row.receipt.approval_id or ""] for row in invariants.with_effect(self.desk)]
                rounds = {request.question.round for request in signed if request.case_id == case.case_id}
                assert paid[case.case_id] in {f"signoff:{case.case_id}:{number}" for number in rounds}, case

    def _was_recovered(self, case: Case) -> bool:
        trail = self.desk.trail(case.exception.exception_id)
        return any(entry.action == "recovered" for entry in trail)

    @invariant()
    def nothing_is_under_way_about_a_stuck_case(self) -> None:
        stuck = {case.case_id for case in invariants.all_cases(self.desk) if case.state is CaseState.STUCK}
        rows = self.desk.database.intents.values()
        assert not [row for row in rows if row.intent.case_id in stuck and not row.is_finished]

    def teardown(self) -> None:
        self._roll_out(self._working)
        self.do(*(self.desk.recovers(name) for name in self.stuck))
        for _ in range(8):
            # A thread that was lost parks its case when its deadline comes.
            self.casework.dies = self.desk.payments.blind = False
            self.do(self.desk.passes(86_400))
            self.do(*(self.desk.recovers(name) for name in self.stuck))
        super().teardown()


TestAnyCourseOfRecoveries = AnyCourseOfRecoveries.TestCase
TestAnyCourseOfRecoveries.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
