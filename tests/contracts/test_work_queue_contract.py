"""What every queue of work promises: nothing is lost or taken by two, and everything comes when its time has."""

from collections.abc import Sequence

import pytest

from schemas.catalogue import REVIEW_DECISIONS
from tests.builders import (
    a_record,
    an_exception,
    an_unopened_case,
    decision_event,
    opening_unit,
    refund_event,
)
from tests.contracts.houses import House, Work
from worker.application.messages import Decided, IllegibleDecision, Raised
from worker.application.unit_of_work import NOTHING, CaseQuery, Postponement, UnitOfWork
from worker.translation.inbound import Record

LEASE_S = 30


def exceptions_of(work: Sequence[Work]) -> list[str]:
    return [each.correlation for each in work]


async def received(house: House, *names: str, worker: str = "w1") -> list[Work]:
    records = [a_record(refund_event(name)) for name in names]
    return list(await house.queues(worker).receive(records))


async def finish(house: House, work: Work) -> None:
    await house.store.commit(NOTHING.finishing(work.delivery.inbox_id))


async def put_off(house: House, work: Work, seconds: float) -> None:
    await house.store.commit(UnitOfWork(finishes=work.delivery.inbox_id, postponed=Postponement(seconds, "later")))


# Records come in


async def test_a_message_is_handed_over_as_it_was_read(house: House) -> None:
    [work] = await received(house, "EXC-1")
    assert isinstance(work.delivery.message, Raised)
    assert work.delivery.message.exception.amount == an_exception().amount
    assert work.correlation == "EXC-1"
    assert (work.delivery.attempts, work.delivery.waited_s) == (0, 0.0)


async def test_a_record_that_comes_again_is_not_new(house: House) -> None:
    record = a_record(refund_event(), offset=41)
    assert len(await house.queues("w1").receive([record, record])) == 1
    assert await house.queues("w2").receive([record]) == []


async def test_the_same_offset_in_another_partition_is_another_record(house: House) -> None:
    record = a_record(refund_event(), offset=41)
    other = Record(record.topic, 1, record.offset, record.key, record.value, record.headers)
    assert len(await house.queues("w1").receive([record, other])) == 2


async def test_each_decision_of_a_batch_is_a_message_of_its_own(house: House) -> None:
    illegible = {"decision_id": "d3", "verdict": "perhaps"}
    batch = {"decisions": [decision_event(decision_id="d1"), decision_event("reject", decision_id="d2"), illegible]}
    work = await house.queues("w1").receive([a_record(batch, REVIEW_DECISIONS.name)])
    assert [type(each.delivery.message) for each in work] == [Decided, Decided, IllegibleDecision]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"", "EMPTY"), (None, "EMPTY"), (b"{", "INVALID_JSON"), (b"\xff", "INVALID_UTF8"), (b"{}", "SCHEMA_INVALID")],
)
async def test_what_is_no_message_is_a_dead_letter_and_is_announced_once(
    house: House, value: bytes | None, reason: str
) -> None:
    record = Record("order-exceptions", 0, 7, None, value, [])
    assert await house.queues("w1").receive([record]) == []
    assert await house.queues("w2").receive([record]) == []
    [event] = await house.events()
    assert (event.topic, f'"reason":"{reason}"' in event.payload) == ("dead-letters", True)


async def test_a_bad_record_takes_none_of_its_batch_with_it(house: House) -> None:
    bad = Record("order-exceptions", 0, 10_007, None, b"{", [])
    work = await house.queues("w1").receive([a_record(refund_event("EXC-1")), bad, a_record(refund_event("EXC-2"))])
    assert sorted(exceptions_of(work)) == ["EXC-1", "EXC-2"]


# Messages are taken up


async def test_what_one_worker_holds_no_other_takes_until_its_lease_is_over(house: House) -> None:
    await received(house, "EXC-1")
    others = house.queues("w2")
    await house.passes(LEASE_S - 1)
    assert await others.take_up(10) == []
    await house.passes(2)
    assert exceptions_of(await others.take_up(10)) == ["EXC-1"]
    assert await house.queues("w3").take_up(10) == []


async def test_a_finished_message_never_comes_back(house: House) -> None:
    [work] = await received(house, "EXC-1")
    await finish(house, work)
    await house.passes(3_600)
    assert await house.queues("w2").take_up(10) == []


async def test_a_message_that_is_put_off_comes_back_in_time_and_knows_how_often_it_did(house: House) -> None:
    [work] = await received(house, "EXC-1")
    await put_off(house, work, 5)
    await house.passes(4)
    assert await house.queues("w2").take_up(10) == []
    await house.passes(2)
    [again] = await house.queues("w2").take_up(10)
    assert again.delivery.message == work.delivery.message
    assert again.delivery.attempts == 1
    assert again.delivery.waited_s == pytest.approx(6, abs=1)


async def test_messages_are_taken_up_in_the_order_in_which_they_came(house: House) -> None:
    names = [f"EXC-{number}" for number in range(60)]
    await received(house, *names)
    await house.passes(LEASE_S + 1)
    assert exceptions_of(await house.queues("w2").take_up(100)) == names


async def test_no_more_is_taken_up_than_is_asked_for(house: House) -> None:
    await received(house, "EXC-1", "EXC-2", "EXC-3")
    await house.passes(LEASE_S + 1)
    taken = [exceptions_of(await house.queues(worker).take_up(2)) for worker in ("w2", "w3", "w4")]
    assert [len(each) for each in taken] == [2, 1, 0]
    assert sorted(name for each in taken for name in each) == ["EXC-1", "EXC-2", "EXC-3"]


async def test_a_worker_that_starts_again_takes_its_own_work_up_at_once(house: House) -> None:
    await received(house, "EXC-1", worker="w1")
    await received(house, "EXC-2", worker="w2")
    await house.queues("w1").release()
    assert exceptions_of(await house.queues("w1").take_up(10)) == ["EXC-1"]


async def test_an_early_message_is_due_as_soon_as_its_case_is_opened(house: House) -> None:
    [early] = await house.queues("w1").receive([a_record(decision_event(), REVIEW_DECISIONS.name)])
    await put_off(house, early, 3_600)
    assert await house.queues("w1").take_up(10) == []
    now = (await house.store.view(CaseQuery())).now
    await house.store.commit(opening_unit(an_unopened_case(now), now))
    [again] = await house.queues("w1").take_up(10)
    assert again.delivery.inbox_id == early.delivery.inbox_id


async def test_the_opening_of_a_case_wakes_nothing_of_another(house: House) -> None:
    [early] = await house.queues("w1").receive([a_record(decision_event(), REVIEW_DECISIONS.name)])
    await put_off(house, early, 3_600)
    now = (await house.store.view(CaseQuery())).now
    await house.store.commit(opening_unit(an_unopened_case(now, an_exception("EXC-2")), now))
    assert await house.queues("w1").take_up(10) == []
