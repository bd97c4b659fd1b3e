"""Two workers commit what excludes each other, and both have looked before either writes: one of them prevails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import scalar_row

from schemas.values import Money
from tests.builders import (
    a_decision,
    a_record,
    a_reservation,
    an_exception,
    an_unopened_case,
    approving_unit,
    opening_unit,
    paying_unit,
    refund_event,
    usd,
)
from tests.contracts.conftest import postgres_house
from tests.contracts.figures import others
from tests.contracts.houses import LEASE, House
from tests.contracts.waiting_cases import approved, opened
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork

__all__ = ["postgres_house"]

STUCK_S = 10.0

HOLD_BACK = "lock table cases in share mode"
"""Its rows may be locked still. They are what a commit writes first, after all that it looks at."""

ARE_HELD_BACK = """
select count(*) = %s from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
"""


@asynccontextmanager
async def held_back(house: House, database: str, *units: UnitOfWork) -> AsyncIterator[list[asyncio.Task[Commit]]]:
    """Within, each unit's own worker has looked at what the unit stands on, or waits to; none has written it."""
    async with await AsyncConnection.connect(database, autocommit=True) as looking:
        cursor = looking.cursor(row_factory=scalar_row)
        async with await AsyncConnection.connect(database) as holding:
            await holding.execute(HOLD_BACK)
            commits = [asyncio.create_task(house.another_store().commit(unit)) for unit in units]
            async with asyncio.timeout(STUCK_S):
                while not await (await cursor.execute(ARE_HELD_BACK, (len(commits),))).fetchone():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            yield commits


async def at_one_moment(house: House, database: str, *units: UnitOfWork) -> list[Commit]:
    """What the workers are answered, whoever was first."""
    async with held_back(house, database, *units) as commits:
        pass
    return sorted(await asyncio.gather(*commits))


async def approvals_of_two_cases(house: House, each: Money) -> list[UnitOfWork]:
    """Each wants so much of the same order, of which 100 of 20,000 are gone already."""
    assert await house.store.commit(UnitOfWork(reservation=a_reservation(usd(100)))) is Commit.DONE
    units = []
    for name in ("EXC-1", "EXC-2"):
        view, case, approval = await opened(house, name)
        unit = approving_unit(case, approval, view.now, a_decision(approval, decision_id=f"D-{name}"))
        units.append(replace(unit, reservation=a_reservation(each)))
    return units


def an_opening(name: str, at: datetime) -> UnitOfWork:
    return opening_unit(an_unopened_case(at, an_exception(name)), at)


async def test_what_is_left_of_an_order_is_given_away_by_one(postgres_house: House, database: str) -> None:
    units = await approvals_of_two_cases(postgres_house, usd(15_000))
    assert await at_one_moment(postgres_house, database, *units) == [Commit.DONE, Commit.OVERDRAWN]


async def test_what_both_set_aside_of_an_order_is_gone(postgres_house: House, database: str) -> None:
    units = await approvals_of_two_cases(postgres_house, usd(5_000))
    assert await at_one_moment(postgres_house, database, *units) == [Commit.DONE, Commit.DONE]
    balance = (await postgres_house.store.view(CaseQuery(order_id="ORD-1"))).balance
    assert balance is not None
    assert balance.available == usd(9_900)


async def test_a_case_is_moved_by_one(postgres_house: House, database: str) -> None:
    view, case, approval = await opened(postgres_house)
    answers = [a_decision(approval, decision_id=name) for name in ("D-1", "D-2")]
    units = [approving_unit(case, approval, view.now, answer) for answer in answers]
    assert await at_one_moment(postgres_house, database, *units) == [Commit.CONFLICT, Commit.DONE]


async def test_a_message_is_finished_by_one(postgres_house: House, database: str) -> None:
    [message] = await postgres_house.queues("w1").receive([a_record(refund_event())])
    now = (await postgres_house.store.view(CaseQuery())).now
    units = [an_opening(name, now).finishing(message.delivery.inbox_id) for name in ("EXC-1", "EXC-2")]
    assert await at_one_moment(postgres_house, database, *units) == [Commit.DONE, Commit.GONE]


async def test_figures_that_both_looked_at_are_moved_by_one(postgres_house: House, database: str) -> None:
    looking = CaseQuery(others=others())
    view = await postgres_house.store.view(looking)
    assert (
        await postgres_house.store.commit(replace(an_opening("EXC-0", view.now), watched=view.watched)) is Commit.DONE
    )
    view = await postgres_house.store.view(looking)
    units = [replace(an_opening(name, view.now), watched=view.watched) for name in ("EXC-1", "EXC-2")]
    assert await at_one_moment(postgres_house, database, *units) == [Commit.CONFLICT, Commit.DONE]


async def test_a_payment_that_is_being_put_on_record_is_taken_up_by_nobody(
    postgres_house: House, database: str
) -> None:
    view, case, intent = await approved(postgres_house)
    await postgres_house.passes(LEASE.total_seconds() + 1)
    async with held_back(postgres_house, database, paying_unit(case, intent, view.now)) as [commit]:
        assert await postgres_house.queues("w2").abandoned_intents(10) == []
    assert await commit is Commit.DONE
