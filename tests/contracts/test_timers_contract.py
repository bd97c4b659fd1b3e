"""What every queue of work promises of timers: each comes when it is due, to one worker, and overtakes nothing that
came in time."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.catalogue import REVIEW_DECISIONS
from tests.builders import (
    Event,
    a_level,
    a_question,
    a_record,
    an_approval,
    an_exception,
    an_unopened_case,
    approving_unit,
    decision_event,
    opening_unit,
)
from tests.contracts.houses import House, Work
from worker.application.transition import note
from worker.application.unit_of_work import NOTHING, CaseQuery, Commit, Postponement, UnitOfWork
from worker.domain.approval import ApprovalRequest
from worker.domain.deadlines import DeadlineAction, DeadlineStep, Timer
from worker.domain.exception_case import Case

LEASE_S = 30


async def finish(house: House, work: Work) -> None:
    await house.store.commit(NOTHING.finishing(work.delivery.inbox_id))


async def put_off(house: House, work: Work, seconds: float) -> None:
    await house.store.commit(UnitOfWork(finishes=work.delivery.inbox_id, postponed=Postponement(seconds, "later")))


# Timers of approval requests


async def waiting(house: House, name: str = "EXC-1") -> tuple[Case, ApprovalRequest]:
    """A case whose question must be answered within a day."""
    now = (await house.store.view(CaseQuery())).now
    await house.store.commit(opening_unit(an_unopened_case(now, an_exception(name)), now))
    view = await house.store.view(CaseQuery(exception_id=name))
    assert view.case is not None
    assert view.approval is not None
    return view.case, view.approval


async def test_an_approval_request_is_due_at_its_deadline_and_taken_by_one(house: House) -> None:
    _, asked = await waiting(house)
    await house.passes(86_399 - 60)
    assert await house.queues("w1").due_approvals(10) == []
    await house.passes(62)
    assert await house.queues("w1").due_approvals(10) == [asked.approval_id]
    assert await house.queues("w2").due_approvals(10) == []


async def test_a_deadline_whose_worker_died_is_taken_by_another(house: House) -> None:
    _, asked = await waiting(house)
    await house.passes(86_401)
    await house.queues("w1").due_approvals(10)
    await house.passes(LEASE_S + 1)
    assert await house.queues("w2").due_approvals(10) == [asked.approval_id]


async def test_a_closed_approval_request_is_never_due(house: House) -> None:
    case, asked = await waiting(house)
    await house.store.commit(approving_unit(case, asked, case.opened_at))
    await house.passes(100_000)
    assert await house.queues("w1").due_approvals(10) == []


async def test_no_more_deadlines_are_taken_than_are_asked_for(house: House) -> None:
    for name in ("EXC-1", "EXC-2", "EXC-3"):
        await waiting(house, name)
    await house.passes(86_401)
    taken: list[Any] = []
    for worker in ("w1", "w2"):
        taken += await house.queues(worker).due_approvals(2)
    assert len(set(taken)) == 3


async def reminded_at(house: House, case: Case, asked: ApprovalRequest, seconds: float) -> ApprovalRequest:
    """The request is changed, so that its next timer is so many seconds after it was asked."""
    timer = Timer(at=asked.requested_at + timedelta(seconds=seconds), do=DeadlineAction.REMIND)
    changed = asked.model_copy(update={"timers": (timer, *asked.timers[-1:])})
    noted, entry = note(case, actor="system", action="reminded", at=case.opened_at)
    unit = UnitOfWork(case=noted, audit=entry, changed_approvals=(changed,))
    assert await house.store.commit(unit) is Commit.DONE
    return changed


async def test_the_first_of_its_timers_is_when_a_request_is_due(house: House) -> None:
    reminding = a_level(deadlines=(DeadlineStep(at=0.25, do=DeadlineAction.REMIND),))
    now = (await house.store.view(CaseQuery())).now
    case = an_unopened_case(now)
    asked = an_approval(case, now, a_question(reminding))
    await house.store.commit(opening_unit(case, now, asked))
    await house.passes(86_400 / 4 - 60)
    assert await house.queues("w1").due_approvals(10) == []
    await house.passes(62)
    assert await house.queues("w1").due_approvals(10) == [asked.approval_id]


async def test_a_changed_request_is_due_at_its_next_timer_and_not_when_it_was_before(house: House) -> None:
    case, asked = await waiting(house)
    await reminded_at(house, case, asked, 600)
    await house.passes(540)
    assert await house.queues("w1").due_approvals(10) == []
    await house.passes(62)
    assert await house.queues("w1").due_approvals(10) == [asked.approval_id]


async def test_what_a_timer_did_ends_the_lease_on_which_it_was_taken_up(house: House) -> None:
    """The next timer may come before that lease is over."""
    case, asked = await waiting(house)
    await house.passes(86_401)
    await house.queues("w1").due_approvals(10)
    await reminded_at(house, case, asked, -1)
    assert await house.queues("w1").due_approvals(10) == [asked.approval_id]


# A deadline does not overtake what came in time


async def said(house: House, by_key: str, asked: ApprovalRequest, event: Event) -> Work:
    """A message about the request that names it by its own id, or by the business key."""
    named = {"approval_id": str(asked.approval_id), "exception_id": None}
    event = {**event, **(named if by_key == "approval_id" else {"exception_id": asked.exception_id})}
    [work] = await house.queues("w1").receive([a_record(event, REVIEW_DECISIONS.name)])
    return work


def a_claim() -> Event:
    reviewer = {"id": "user:maria", "roles": ["manager"]}
    return {"command_id": "claim-1", "command": "claim", "by": reviewer, "approval_id": None, "exception_id": None}


@pytest.mark.parametrize("by_key", ["approval_id", "exception_id"])
@pytest.mark.parametrize("event", [decision_event(), a_claim()], ids=["decision", "command"])
async def test_a_message_that_came_in_time_holds_the_timer_back_until_it_is_done(
    house: House, by_key: str, event: Event
) -> None:
    _, asked = await waiting(house)
    await house.passes(86_400 - 60)
    work = await said(house, by_key, asked, event)
    await put_off(house, work, 3_600)
    await house.passes(120)
    assert await house.queues("w1").due_approvals(10) == []
    await finish(house, work)
    assert await house.queues("w1").due_approvals(10) == [asked.approval_id]


@pytest.mark.parametrize("by_key", ["approval_id", "exception_id"])
async def test_a_message_that_came_late_does_not_hold_the_timer_back(house: House, by_key: str) -> None:
    _, asked = await waiting(house)
    await house.passes(86_400 + 60)
    await said(house, by_key, asked, decision_event())
    assert await house.queues("w1").due_approvals(10) == [asked.approval_id]


async def test_a_message_about_another_case_holds_no_timer_back(house: House) -> None:
    _, asked = await waiting(house)
    _, other = await waiting(house, "EXC-2")
    await house.passes(86_400 - 60)
    await said(house, "approval_id", other, decision_event())
    await house.passes(120)
    assert await house.queues("w1").due_approvals(10) == [asked.approval_id]


async def test_those_that_are_held_back_do_not_stand_in_the_way_of_others(house: House) -> None:
    held = [(await waiting(house, f"EXC-{number}"))[1] for number in range(3)]
    await house.passes(60)
    _, last = await waiting(house, "EXC-9")
    for asked in held:
        await said(house, "approval_id", asked, decision_event())
    await house.passes(86_400)
    assert await house.queues("w1").due_approvals(2) == [last.approval_id]
