"""What every store promises: a unit of work is written as a whole or not at all, and only on the ground it was
computed from."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from schemas.values import RejectionReason
from tests.builders import (
    a_decision,
    a_record,
    an_approval,
    an_exception,
    an_unopened_case,
    approving_unit,
    opening_unit,
    paying_unit,
    refund_event,
    refusing_unit,
)
from tests.contracts.houses import House
from tests.contracts.waiting_cases import BY_EXCEPTION, approved, opened, seen
from tests.threads import APPROVE, facts
from worker.application.announcements import MessageRefused
from worker.application.ports.store import CaseView, UnitRefused
from worker.application.ports.workflow import Finished, Paused
from worker.application.transition import note
from worker.application.unit_of_work import NOTHING, CaseQuery, Commit, Postponement, UnitOfWork
from worker.domain.exception_case import CaseState

# What is seen


async def test_an_unknown_case_is_seen_as_nothing_but_the_time(house: House) -> None:
    query = CaseQuery(exception_id="EXC-1", decision_id="d", order_id="ORD-1")
    view = await house.store.view(query)
    assert view == CaseView(now=view.now)
    assert view.now.utcoffset() is not None


async def test_a_case_is_found_by_the_business_key_by_its_request_and_by_its_id(house: House) -> None:
    _, case, approval = await opened(house)
    spellings = {str(approval.approval_id), approval.approval_id.hex, str(approval.approval_id).upper()}
    queries = [BY_EXCEPTION, CaseQuery(case_id=case.case_id), *(CaseQuery(approval_id=each) for each in spellings)]
    for query in queries:
        assert (await seen(house, query))[1:] == (case, approval)


@pytest.mark.parametrize("approval_id", ["not one of ours", str(UUID(int=0)), ""])
async def test_an_approval_id_that_we_did_not_make_finds_nothing(house: House, approval_id: str) -> None:
    await opened(house)
    assert (await house.store.view(CaseQuery(approval_id=approval_id))).case is None


async def test_what_is_read_equals_what_was_written(house: House) -> None:
    now = (await house.store.view(BY_EXCEPTION)).now
    unit = opening_unit(an_unopened_case(now), now)
    await house.store.commit(unit)
    _, case, approval = await seen(house)
    assert case == unit.case
    assert approval == unit.new_approval


async def test_a_request_that_is_named_is_shown_and_else_the_latest(house: House) -> None:
    view, case, first = await opened(house)
    await house.store.commit(approving_unit(case, first, view.now))
    view, case, _ = await seen(house)
    waiting = case.moved_to(CaseState.WAITING, round=2)
    second = an_approval(waiting, view.now)
    await house.store.commit(UnitOfWork(case=waiting, new_approval=second))
    assert (await seen(house))[2] == second
    _, _, named = await seen(house, CaseQuery(approval_id=str(first.approval_id)))
    assert (named.approval_id, named.is_open) == (first.approval_id, False)


async def test_the_receipt_that_a_decision_got_is_seen_with_its_case(house: House) -> None:
    view, case, approval = await opened(house)
    unit = approving_unit(case, approval, view.now)
    await house.store.commit(unit)
    assert unit.decision is not None
    decision, receipt = unit.decision
    view = await house.store.view(CaseQuery(exception_id="EXC-1", decision_id=decision.decision_id))
    assert view.earlier == receipt
    assert (await house.store.view(CaseQuery(exception_id="EXC-1", decision_id="other"))).earlier is None


async def test_looks_that_come_at_once_each_get_their_own_answer(house: House) -> None:
    names = [f"EXC-{number}" for number in range(30)]
    await asyncio.gather(*(opened(house, name) for name in names))
    views = await asyncio.gather(*(house.store.view(CaseQuery(exception_id=name)) for name in [*names, "EXC-404"]))
    assert [view.case and view.case.exception.exception_id for view in views] == [*names, None]


# The version of a case


async def test_a_unit_computed_from_an_older_version_is_not_written(house: House) -> None:
    view, case, approval = await opened(house)
    assert await house.store.commit(approving_unit(case, approval, view.now)) is Commit.DONE
    before = (await seen(house))[1:], await house.events(), await house.trail(case.case_id)
    assert await house.store.commit(approving_unit(case, approval, view.now)) is Commit.CONFLICT
    assert ((await seen(house))[1:], await house.events(), await house.trail(case.case_id)) == before


async def test_of_many_that_change_a_case_at_once_one_wins(house: House) -> None:
    view, case, approval = await opened(house)
    answers = await asyncio.gather(*(house.store.commit(approving_unit(case, approval, view.now)) for _ in range(10)))
    assert sorted(answers) == [*[Commit.CONFLICT] * 9, Commit.DONE]
    assert (await seen(house))[1].version == 2
    assert len(await house.trail(case.case_id)) == 2


async def test_of_many_that_open_one_exception_at_once_one_wins(house: House) -> None:
    now = (await house.store.view(BY_EXCEPTION)).now
    answers = await asyncio.gather(*(house.store.commit(opening_unit(an_unopened_case(now), now)) for _ in range(10)))
    assert sorted(answers) == [*[Commit.CONFLICT] * 9, Commit.DONE]
    assert len(await house.events()) == 1


async def test_a_change_of_a_case_that_was_never_opened_is_not_written(house: House) -> None:
    now = (await house.store.view(BY_EXCEPTION)).now
    unit = opening_unit(an_unopened_case(now, version=1, state=CaseState.WAITING), now)
    assert await house.store.commit(unit) is Commit.CONFLICT
    assert (await house.store.view(BY_EXCEPTION)).case is None


async def test_a_note_raises_the_version_as_well(house: House) -> None:
    view, case, _ = await opened(house)
    units = [
        UnitOfWork(case=noted, audit=entry)
        for noted, entry in (note(case, actor="a", action=word, at=view.now) for word in ("one", "two"))
    ]
    assert [await house.store.commit(unit) for unit in units] == [Commit.DONE, Commit.CONFLICT]


# The inbox row that a unit finishes


async def received(house: House) -> int:
    [work] = await house.queues("w1").receive([a_record(refund_event())])
    return work.delivery.inbox_id


async def test_a_message_is_finished_once(house: House) -> None:
    inbox_id = await received(house)
    answers = await asyncio.gather(*(house.store.commit(NOTHING.finishing(inbox_id)) for _ in range(5)))
    assert sorted(answers) == [Commit.DONE, *[Commit.GONE] * 4]


async def test_nothing_of_a_unit_is_written_when_its_message_is_finished(house: House) -> None:
    inbox_id = await received(house)
    await house.store.commit(NOTHING.finishing(inbox_id))
    now = (await house.store.view(BY_EXCEPTION)).now
    unit = opening_unit(an_unopened_case(now), now).finishing(inbox_id)
    assert await house.store.commit(unit) is Commit.GONE
    assert (await house.store.view(BY_EXCEPTION)).case is None


async def test_a_message_that_is_put_off_is_not_finished(house: House) -> None:
    inbox_id = await received(house)
    put_off = UnitOfWork(finishes=inbox_id, postponed=Postponement(5.0))
    assert await house.store.commit(put_off) is Commit.DONE
    assert await house.store.commit(NOTHING.finishing(inbox_id)) is Commit.DONE


async def test_a_message_that_is_refused_is_announced_with_the_place_it_came_from(house: House) -> None:
    inbox_id = await received(house)
    refusal = MessageRefused(inbox_id, RejectionReason.OVER_CAPTURED, "too much")
    unit = UnitOfWork(finishes=inbox_id, refusal=refusal)
    assert await house.store.commit(unit) is Commit.DONE
    assert await house.store.commit(unit) is Commit.GONE
    [event] = await house.events()
    assert event.topic == "dead-letters"
    for said in ('"reason":"OVER_CAPTURED"', '"topic":"order-exceptions"', '"offset":', "too much", "EXC-1"):
        assert said in event.payload


async def test_nothing_to_write_is_done(house: House) -> None:
    assert await house.store.commit(NOTHING) is Commit.DONE


# What is announced, and what is on record


async def test_events_go_out_in_the_order_of_the_commits_and_of_their_units(house: House) -> None:
    view, case, intent = await approved(house)
    await house.store.commit(paying_unit(case, intent, view.now))
    events = await house.events()
    assert [event.topic for event in events] == ["approvals", "decision-receipts", "order-outcomes"]
    assert {event.ordering for event in events} == {str(case.case_id)}
    assert {event.key for event in events} == {"ORD-1"}
    assert len({event.event_id for event in events}) == 3


async def test_the_trail_that_is_read_fits_its_hashes(house: House) -> None:
    view, case, intent = await approved(house)
    await house.store.commit(paying_unit(case, intent, view.now))
    trail = await house.trail(case.case_id)
    assert [entry.action for entry in trail] == ["opened", "approved", "paid"]
    assert all(entry.computed_hash() == entry.hash for entry in trail)
    assert [entry.previous_hash for entry in trail[1:]] == [entry.hash for entry in trail[:-1]]


# Threads


async def test_a_waiting_case_is_seen_with_a_thread_that_goes_on(house: House) -> None:
    now = (await house.store.view(BY_EXCEPTION)).now
    case = an_unopened_case(now)
    asked = await house.workflow.start(str(case.case_id), facts())
    assert isinstance(asked, Paused)
    await house.store.commit(replace(opening_unit(case, now), thread=asked.writes))
    view, case, _ = await seen(house)
    assert view.thread is not None
    answered = await house.workflow.resume(view.thread, asked.interrupt_id, APPROVE)
    assert isinstance(answered, Finished)
    assert answered.resolution["status"] == "approved"


async def test_a_thread_that_is_forgotten_is_gone(house: House) -> None:
    now = (await house.store.view(BY_EXCEPTION)).now
    case = an_unopened_case(now)
    asked = await house.workflow.start(str(case.case_id), facts())
    await house.store.commit(replace(opening_unit(case, now), thread=asked.writes))
    await house.store.commit(UnitOfWork(forget_thread=case.case_id))
    view, _, _ = await seen(house)
    assert view.thread is not None
    assert view.thread.latest is None


async def test_a_thread_that_starts_anew_is_the_one_that_goes_on(house: House) -> None:
    """Its checkpoints may be older than those that are there: clocks differ."""
    now = (await house.store.view(BY_EXCEPTION)).now
    case = an_unopened_case(now)
    older = await house.workflow.start(str(case.case_id), facts())
    newer = await house.workflow.start(str(case.case_id), facts())
    assert isinstance(older, Paused)
    await house.store.commit(replace(opening_unit(case, now), thread=newer.writes))
    await house.store.commit(UnitOfWork(forget_thread=case.case_id, thread=older.writes))
    view, case, _ = await seen(house)
    assert view.thread is not None
    assert isinstance(await house.workflow.resume(view.thread, older.interrupt_id, APPROVE), Finished)


# A unit that cannot be written


async def test_a_unit_that_no_table_takes_is_refused_and_its_neighbours_are_written(house: House) -> None:
    now = (await house.store.view(BY_EXCEPTION)).now
    units = [opening_unit(an_unopened_case(now, an_exception(f"EXC-{number}")), now) for number in range(9)]
    units[4] = opening_unit(an_unopened_case(now, an_exception("EXC-4", reason="a\0b")), now)
    answers = await asyncio.gather(*(house.store.commit(unit) for unit in units), return_exceptions=True)
    assert [type(answer) for answer in answers] == [*[Commit] * 4, UnitRefused, *[Commit] * 4]
    assert (await house.store.view(CaseQuery(exception_id="EXC-4"))).case is None
    assert (await house.store.view(CaseQuery(exception_id="EXC-5"))).case is not None


async def test_a_unit_that_makes_no_sense_is_refused_and_its_neighbours_are_written(house: House) -> None:
    """A request is opened with its case's new version; half of a surrogate pair is no text."""
    view, case, approval = await opened(house)
    stray = UnitOfWork(new_approval=an_approval(case, view.now, approval_id=uuid4()))
    half = refusing_unit(a_decision(comment="\ud800"))
    whole = approving_unit(case, approval, view.now)
    answers = await asyncio.gather(*(house.store.commit(unit) for unit in (stray, half, whole)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [UnitRefused, UnitRefused, Commit]
    assert (await seen(house))[1] == whole.case
