"""A thread that cannot go on parks its case for an operator: nothing is guessed, and nobody is left unanswered."""

from typing import NoReturn

import pytest

from tests.builders import decision_event, refund_event
from tests.unit.application.desk import Desk
from worker.adapters.memory.payments import Fault
from worker.application.ports.workflow import PlainData, StuckThread, UnknownInterrupt
from worker.application.threads import StoredThread


class LostItsWay:
    """A release whose graph lacks the step that the thread waits in."""

    async def start(self, thread_id: str, facts: PlainData) -> NoReturn:
        raise StuckThread(thread_id)

    async def resume(self, thread: StoredThread, interrupt_id: str, decision: PlainData) -> NoReturn:
        raise StuckThread(thread.thread_id)


class WaitsElsewhere(LostItsWay):
    async def resume(self, thread: StoredThread, interrupt_id: str, decision: PlainData) -> NoReturn:
        raise UnknownInterrupt(thread.thread_id, interrupt_id, ["another"])


@pytest.mark.parametrize("workflow", [LostItsWay(), WaitsElsewhere()])
async def test_a_decision_on_a_stuck_thread_is_answered_and_the_case_is_parked(
    desk: Desk, workflow: LostItsWay
) -> None:
    await desk.raises(refund_event())
    desk.work_with(workflow=workflow)
    await desk.decides(decision_event())
    receipt = desk.receipt()
    assert (receipt["code"], receipt["accepted"]) == ("STALE", False)
    assert "operator" in receipt["message"]
    assert desk.case().state == "stuck"
    assert desk.trail()[-1].to_state == "stuck"
    assert desk.payments.calls == []


async def test_a_parked_case_takes_no_decision_until_it_is_recovered(desk: Desk) -> None:
    await desk.raises(refund_event())
    desk.work_with(workflow=LostItsWay())
    await desk.decides(decision_event())
    await desk.decides(decision_event())
    assert desk.receipt()["code"] == "STALE"
    assert "parked" in desk.receipt()["message"]
    assert desk.case().state == "stuck"


async def test_a_thread_that_vanished_parks_its_case(desk: Desk) -> None:
    await desk.raises(refund_event())
    desk.database.threads.forget(str(desk.case().case_id))
    await desk.decides(decision_event())
    assert desk.receipt()["code"] == "STALE"
    assert desk.case().state == "stuck"


async def test_a_case_that_is_stuck_from_the_start_tells_reviewers_so(desk: Desk) -> None:
    desk.work_with(workflow=LostItsWay())
    await desk.raises(refund_event())
    assert desk.case().state == "stuck"
    await desk.decides(decision_event())
    assert desk.receipt()["code"] == "STALE"


async def test_a_declined_payment_whose_case_cannot_be_asked_about_again_parks_it(desk: Desk) -> None:
    """Else the payment would be tried again and again, and nobody would know."""
    await desk.raises(refund_event())
    desk.payments.faults.append(Fault.LOST_REQUEST)
    await desk.decides(decision_event())
    desk.work_with(workflow=LostItsWay())
    desk.payments.faults.append(Fault.DECLINED)
    await desk.passes(60)
    assert desk.case().state == "stuck"
    assert desk.database.balances["ORD-1"].refunded_minor == 0
    await desk.passes(3_600)
    assert [call for call, _ in desk.payments.calls] == ["pay", "look_up", "pay"]


async def test_a_deadline_on_a_stuck_thread_parks_the_case(desk: Desk) -> None:
    await desk.raises(refund_event())
    desk.work_with(workflow=LostItsWay())
    await desk.passes(86_400)
    assert desk.case().state == "stuck"
    assert desk.outcomes() == []
