"""A database that refuses for reasons of its own is tried again; what it can never take is set aside alone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from schemas.values import RejectionReason
from tests.builders import a_record, an_exception, an_unopened_case, numbered_ids, opening_unit, refund_event
from tests.contracts.houses import LEASE, NoBroker, PostgresHouse
from worker.adapters.postgres.case_reader import CaseReader
from worker.adapters.postgres.group_commit import REPETITIONS, GroupCommit
from worker.adapters.postgres.inbox import Inbox
from worker.adapters.postgres.migrator import migrate
from worker.adapters.postgres.outbox import Publisher
from worker.adapters.postgres.pool import DatabaseUnreachable, Pool, make_pool
from worker.application.unit_of_work import CaseQuery, Commit
from worker.translation.outbound import Announcer

REFUSING = """
create sequence refusals;
create function refuse() returns trigger language plpgsql as $$
begin
    if {condition} then
        raise exception using errcode = {code}, message = 'refused for a test';
    end if;
    return null;
end $$;
create constraint trigger refuse after insert on {table}
deferrable initially deferred for each row execute function refuse();
"""


def refuse(database: str, table: str, code: str, condition: str) -> None:
    """A commit that inserts into the table is refused where the condition holds of the new row."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            sql.SQL(REFUSING).format(
                table=sql.Identifier(table),
                code=sql.Literal(code),
                condition=sql.SQL(condition),
            )
        )


def times(number: int) -> str:
    return f"nextval('refusals') <= {number}"


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database)
    pool = make_pool(database, size=4)
    await pool.open(wait=True)
    yield pool
    await pool.close()


def committing(pool: Pool) -> GroupCommit:
    ids = numbered_ids()
    return GroupCommit(pool, Announcer(lambda: next(ids)), Publisher(pool, NoBroker()), lease=LEASE)


@pytest.mark.parametrize("code", ["40P01", "40001"])
async def test_a_commit_that_the_database_wants_again_is_repeated(pool: Pool, database: str, code: str) -> None:
    refuse(database, "cases", code, times(2))
    now = (await CaseReader(pool).view(CaseQuery(exception_id="EXC-1"))).now
    unit = opening_unit(an_unopened_case(now, an_exception("EXC-1")), now)
    assert await committing(pool).commit(unit) is Commit.DONE


@pytest.mark.parametrize("code", ["40P01", "25006", "53100", "55P03"])
async def test_a_commit_that_is_refused_for_long_is_no_fault_of_its_unit(pool: Pool, database: str, code: str) -> None:
    refuse(database, "cases", code, times(REPETITIONS + 1))
    now = (await CaseReader(pool).view(CaseQuery(exception_id="EXC-1"))).now
    unit = opening_unit(an_unopened_case(now, an_exception("EXC-1")), now)
    with pytest.raises(DatabaseUnreachable):
        await committing(pool).commit(unit)


@pytest.mark.parametrize("code", ["40P01", "40001", "25006", "55P03", "53100"])
async def test_a_batch_that_is_refused_for_now_is_left_to_whoever_tries_again(
    pool: Pool, database: str, code: str
) -> None:
    refuse(database, "inbox", code, times(1))
    queues = PostgresHouse(pool).queues("w1")
    records = [a_record(refund_event(f"EXC-{number}")) for number in range(3)]
    with pytest.raises(DatabaseUnreachable):
        await queues.receive(records)
    assert [work.correlation for work in await queues.receive(records)] == ["EXC-0", "EXC-1", "EXC-2"]


async def test_a_record_that_the_database_never_takes_is_a_dead_letter_and_its_neighbours_are_messages(
    pool: Pool, database: str
) -> None:
    refuse(database, "inbox", "22001", "new.correlation = 'EXC-2'")
    ids = numbered_ids()
    publisher = Publisher(pool, NoBroker())
    queues = Inbox(pool, Announcer(lambda: next(ids)), publisher, worker="w1", lease=timedelta(seconds=30))
    records = [a_record(refund_event(f"EXC-{number}")) for number in range(5)]

    work = await queues.receive(records)

    assert [each.correlation for each in work] == ["EXC-0", "EXC-1", "EXC-3", "EXC-4"]
    with psycopg.connect(database) as connection:
        letters = connection.execute("select reason, detail from dead_letters").fetchall()
    assert letters == [
        (
            RejectionReason.PROCESSING_FAILED,
            "could not be stored (StringDataRightTruncation); mend the cause and replay it",
        )
    ]
