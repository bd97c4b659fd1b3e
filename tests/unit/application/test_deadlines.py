"""What happens to a question while nobody answers it."""

from datetime import timedelta

from schemas.values import OnTimeout
from tests.builders import a_record, decision_event, refund_event
from tests.policies import level, policy, rule
from tests.unit.application.desk import Desk
from worker.domain.business_calendar import BusinessCalendar
from worker.domain.deadlines import DeadlineAction, DeadlineStep

HOUR = 3_600.0
STEPS = (
    DeadlineStep(at=0.5, do=DeadlineAction.REMIND),
    DeadlineStep(at=0.75, do=DeadlineAction.HAND_OVER, to="duty"),
)
PATIENT = policy(
    level("manager", deadlines=STEPS, on_timeout=OnTimeout.ESCALATE, escalates_to="director"),
    level("director"),
    rules=(rule("manager"),),
)


async def test_each_step_happens_once_at_its_time_and_none_approves() -> None:
    desk = Desk(PATIENT)
    await desk.raises(refund_event())
    seen = []
    for _ in range(49):
        await desk.passes(HOUR)
        seen.append(list(desk.updates()))

    assert seen[10] == []
    assert seen[11] == ["reminded"]
    assert seen[16] == ["reminded"]
    assert seen[17] == ["reminded", "reassigned"]
    assert seen[22] == ["reminded", "reassigned"]
    assert seen[23] == ["reminded", "reassigned", "escalated", "closed"]
    assert desk.outcomes()[0]["status"] == "expired"
    assert desk.payments.paid_minor("ORD-1") == 0


async def test_a_question_that_was_handed_over_is_answered_by_the_group_it_went_to() -> None:
    desk = Desk(PATIENT)
    await desk.raises(refund_event())
    await desk.passes(18 * HOUR)
    assert desk.approval().role == "duty"
    assert (await desk.says("maria", role="manager"))["code"] == "NOT_AUTHORISED"
    assert (await desk.says("dirk", role="duty"))["code"] == "ACCEPTED"


async def test_nothing_more_happens_to_a_question_that_was_answered() -> None:
    desk = Desk(PATIENT)
    await desk.raises(refund_event())
    await desk.says("maria")
    await desk.passes(48 * HOUR)
    assert desk.updates() == ["closed"]
    assert len(desk.outcomes()) == 1


async def test_after_an_outage_nobody_is_reminded_of_a_deadline_that_is_over() -> None:
    desk = Desk(PATIENT)
    await desk.raises(refund_event())
    for _ in range(3):
        await desk.passes(25 * HOUR if not desk.updates() else 1)
    assert "reminded" not in desk.updates()
    assert desk.updates()[-2:] == ["escalated", "closed"]


async def test_a_decision_that_came_in_time_is_heard_before_the_deadline() -> None:
    """It waits behind a backlog: the timer runs out while it lies in the inbox."""
    desk = Desk(policy(level("manager")))
    await desk.raises(refund_event())
    desk.clock.advance(24 * HOUR - 1)
    (work,) = await desk.inbox.receive([a_record(decision_event(), "review-decisions")])
    desk.clock.advance(2)

    assert await desk.inbox.due_approvals(10) == []
    await desk.casework.deliver(work.delivery)

    assert desk.receipt()["code"] == "ACCEPTED"
    assert desk.outcomes()[0]["status"] == "executed"


async def test_a_decision_that_came_too_late_does_not_hold_the_deadline_back() -> None:
    desk = Desk(policy(level("manager")))
    await desk.raises(refund_event())
    desk.clock.advance(24 * HOUR + 1)
    (work,) = await desk.inbox.receive([a_record(decision_event(), "review-decisions")])
    await desk.casework.deliver(work.delivery)
    assert desk.receipt()["code"] == "EXPIRED"
    await desk.passes(0)
    assert desk.outcomes()[0]["status"] == "expired"


async def test_a_claim_that_outlasts_the_deadline_ends_with_it() -> None:
    desk = Desk(policy(level("manager", due_in=timedelta(minutes=30))))
    await desk.raises(refund_event())
    await desk.commands("maria", "claim")
    await desk.passes(31 * 60)
    assert desk.outcomes()[0]["status"] == "expired"
    assert desk.updates() == ["claimed", "closed"]


async def test_working_time_alone_counts_where_the_level_has_a_calendar() -> None:
    """The clock of the desk starts on a known day; a level that works one hour a day takes as many days as hours."""
    one_hour_a_day = BusinessCalendar(timezone="UTC", opens="12:00", closes="13:00")
    desk = Desk(policy(level("manager", due_in=timedelta(hours=3), calendar=one_hour_a_day)))
    await desk.raises(refund_event())
    approval = desk.approval()
    assert approval.due_at == one_hour_a_day.after(approval.requested_at, timedelta(hours=3))
    assert timedelta(days=2) <= approval.due_at - approval.requested_at <= timedelta(days=4)
