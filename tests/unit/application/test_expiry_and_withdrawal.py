"""Nobody decided: the deadline passed, or the request was taken back."""

from tests.builders import decision_event, refund_event
from tests.policies import level, policy
from tests.unit.application.desk import Desk
from worker.adapters.memory.payments import Fault

DUE_S = 86_400


async def test_a_case_that_nobody_decides_expires_at_its_deadline() -> None:
    desk = Desk(policy(level("manager")))
    await desk.raises(refund_event())
    await desk.passes(DUE_S - 1)
    assert desk.outcomes() == []
    await desk.passes(1)
    [outcome] = desk.outcomes()
    assert outcome["status"] == "expired"
    assert "2026-01-06T09:00:00" in outcome["reason"]
    assert desk.approvals()[-1]["reason"] == "expired"
    assert desk.payments.calls == []


async def test_a_deadline_that_passes_after_the_decision_changes_nothing(desk: Desk) -> None:
    await desk.raises(refund_event())
    approval_id = desk.approval().approval_id
    await desk.decides(decision_event())
    desk.clock.advance(DUE_S)
    before = desk.case()
    await desk.casework.act_on_timer(approval_id)
    assert desk.case() == before


async def test_a_timer_that_fires_early_closes_nothing(desk: Desk) -> None:
    await desk.raises(refund_event())
    await desk.casework.act_on_timer(desk.approval().approval_id)
    assert desk.case().state == "waiting"


async def test_a_waiting_case_can_be_withdrawn(desk: Desk) -> None:
    await desk.raises(refund_event())
    await desk.withdraws()
    [outcome] = desk.outcomes()
    assert outcome["status"] == "withdrawn"
    updated = desk.approvals()[-1]
    assert (updated["change"], updated["reason"], updated["by"]) == ("closed", "withdrawn", "agent:web-chat")


async def test_a_decision_on_a_withdrawn_case_is_told_so(desk: Desk) -> None:
    await desk.raises(refund_event())
    await desk.withdraws()
    await desk.decides(decision_event())
    receipt = desk.receipt()
    assert receipt["code"] == "ALREADY_DECIDED"
    assert "withdrawn by agent:web-chat" in receipt["message"]


async def test_a_withdrawal_that_comes_too_late_is_put_on_record_and_changes_nothing(desk: Desk) -> None:
    await desk.raises(refund_event(amount_minor=5_000))
    await desk.withdraws()
    assert [outcome["status"] for outcome in desk.outcomes()] == ["executed"]
    assert desk.trail()[-1].action == "withdrawal came too late"
    assert desk.trail()[-1].actor == "agent:web-chat"


async def test_a_case_that_executes_is_paid_although_it_was_withdrawn_meanwhile(desk: Desk) -> None:
    desk.payments.faults.append(Fault.LOST_REQUEST)
    await desk.raises(refund_event(amount_minor=5_000))
    await desk.withdraws()
    assert desk.case().state == "executing"
    await desk.passes(60)
    assert [outcome["status"] for outcome in desk.outcomes()] == ["executed"]


async def test_a_withdrawal_before_its_exception_waits_for_it(desk: Desk) -> None:
    await desk.withdraws()
    await desk.raises(refund_event())
    await desk.passes(1)
    assert desk.outcomes()[0]["status"] == "withdrawn"


async def test_a_withdrawal_of_what_nobody_raised_is_dropped_after_the_wait(desk: Desk) -> None:
    await desk.withdraws("EXC-404")
    await desk.passes(300)
    assert all(row.is_finished for row in desk.database.inbox.values())
    assert desk.database.outbox == []
