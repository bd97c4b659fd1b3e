"""A row that this release cannot read, of a later one or damaged, is the trouble of its own case alone."""

import asyncio
from dataclasses import replace

import psycopg
import pytest
from pydantic import ValidationError

from tests.builders import approving_unit
from tests.contracts.conftest import postgres_house
from tests.contracts.houses import House
from tests.contracts.waiting_cases import opened
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery, Commit

__all__ = ["postgres_house"]


DAMAGE = {
    "cases": "update cases set body = jsonb_set(body, '{case_id}', '7') where exception_id = 'EXC-2'",
    "approvals": "update approvals set body = jsonb_set(body, '{case_id}', '7') where exception_id = 'EXC-2'",
    "intents": """
        update intents set body = jsonb_set(body, '{type}', '"later"')
        where idempotency_key = (select min(idempotency_key) from intents)
    """,
}


def damage(database: str, statement: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        assert connection.execute(statement.encode()).rowcount == 1


@pytest.mark.parametrize("table", ["cases", "approvals"])
async def test_a_case_that_cannot_be_read_fails_whoever_asks_for_it_and_nobody_else(
    postgres_house: House, database: str, table: str
) -> None:
    for name in ("EXC-1", "EXC-2", "EXC-3"):
        await opened(postgres_house, name)
    damage(database, DAMAGE[table])

    looks = (postgres_house.store.view(CaseQuery(exception_id=name)) for name in ("EXC-1", "EXC-2", "EXC-3"))
    answers = await asyncio.gather(*looks, return_exceptions=True)

    assert [type(answer) for answer in answers] == [CaseView, ValidationError, CaseView]


async def test_an_intent_that_cannot_be_read_holds_no_other_back(
    postgres_house: House, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("EXC-1", "EXC-2", "EXC-3"):
        view, case, approval = await opened(postgres_house, name)
        unit = replace(approving_unit(case, approval, view.now), reservation=None)
        assert await postgres_house.store.commit(unit) is Commit.DONE
    damage(database, DAMAGE["intents"])
    await postgres_house.passes(60)

    taken = await postgres_house.queues("w2").abandoned_intents(10)

    assert len(taken) == 2
    assert "cannot be read by this release" in caplog.text
