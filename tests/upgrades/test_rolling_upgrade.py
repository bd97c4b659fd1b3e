"""Workers of two releases work side by side while one takes the other's place, and the other way round."""

import asyncio
import signal
from asyncio.subprocess import Process
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.house import PATIENCE_S
from tests.upgrades.kept import releases, unpack
from tests.upgrades.load import Load
from tests.upgrades.premises import ROOT, Shop

pytestmark = pytest.mark.slow

LATEST = releases()[-1]

PATIENT = [f"E-patient-{number}" for number in range(5)]
"""Cases that are opened by the first worker and decided under the last one."""

WITNESS = """
create table taken_in (worker text, inbox_id bigint);
create function note_taker() returns trigger language plpgsql as
'begin insert into taken_in values (new.leased_by, new.inbox_id); return null; end';
create trigger note_taker after insert on inbox for each row execute function note_taker();
"""

A_LATER_RELEASE = Path(__file__).with_name("a_later_release.sql")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The code of the latest release that is kept."""
    return unpack(LATEST.folder, tmp_path / "code")


@pytest.fixture
def witnessed(shop: Shop) -> Shop:
    """The database notes which worker takes a record in; the inbox itself forgets it with the end of the work."""
    execute(shop, WITNESS)
    return shop


async def test_workers_are_replaced_one_by_one_by_those_of_the_next_release(witnessed: Shop, kept: Path) -> None:
    """The first is asked to go, the second is killed with work in its hands."""
    ends = {"w1": signal.SIGTERM, "w2": signal.SIGKILL}
    load = await roll(witnessed, began={"w1": kept, "w2": kept}, ends=ends, by=ROOT)
    await assert_all_is_well(witnessed, load)


async def test_workers_of_the_release_before_come_back_after_the_next_one_has_changed_the_tables(
    witnessed: Shop, kept: Path
) -> None:
    """The way back: what the next release has added to tables and to what it stores is left alone."""
    execute(witnessed, A_LATER_RELEASE.read_text())
    load = await roll(witnessed, began={"w1": ROOT, "w2": kept}, ends={"w1": signal.SIGTERM}, by=kept)
    await assert_all_is_well(witnessed, load)


async def test_a_worker_that_is_asked_to_stop_under_load_does_not_wait_for_what_nobody_does(witnessed: Shop) -> None:
    """It has a minute to finish what it holds, and needs a moment."""
    witnessed.runs(ROOT)
    worker = await witnessed.start_worker("w1", shutdown_s="60")
    load = Load(witnessed)
    async with load.flowing():
        await load.ends(20)
        await stop(worker, signal.SIGTERM)
        await witnessed.start_worker("w1")
        await load.ends(20)
    await assert_all_is_well(witnessed, load)


async def roll(shop: Shop, *, began: dict[str, Path], ends: dict[str, signal.Signals], by: Path) -> Load:
    """Under load all the time, workers come to their `ends` one after the other, and others take their places."""
    workers = {}
    for name, code in began.items():
        shop.runs(code)
        workers[name] = await shop.start_worker(name)
    load = Load(shop)
    for exception_id in PATIENT:
        await load.raised(exception_id, 15_000)
    async with load.flowing():
        await both_take_in(shop)
        await load.ends(20)
        shop.runs(by)
        for name, end in ends.items():
            await stop(workers[name], end)
            await shop.start_worker(name)
            await both_take_in(shop)
            await load.ends(20)
    for exception_id in PATIENT:
        await load.approved(exception_id)
        await shop.outcome_of(exception_id)
    return load


async def both_take_in(shop: Shop) -> None:
    """From now on, each of the two workers gets records."""
    execute(shop, "delete from taken_in")
    await shop.holds("select count(distinct worker) from taken_in having count(distinct worker) = 2")


async def stop(worker: Process, end: signal.Signals) -> None:
    worker.send_signal(end)
    async with asyncio.timeout(PATIENCE_S):
        assert await worker.wait() == (0 if end is signal.SIGTERM else -end)


async def assert_all_is_well(shop: Shop, load: Load) -> None:
    for exception_id, amount_minor in load.asked_for.items():
        outcomes = [event for event in shop.events["order-outcomes"] if event["exception_id"] == exception_id]
        assert outcomes
        assert all(event == outcomes[0] for event in outcomes)
        assert (outcomes[0]["status"], shop.paid(exception_id)) == ("executed", [amount_minor])
    for decision_id in load.decided:
        assert (await shop.receipt_of(decision_id))["code"] == "ACCEPTED"
    assert shop.rows("select reason, detail from dead_letters") == []
    assert shop.rows("select exception_id from cases where finished_at is null") == []
    await shop.check_audit_trail()


def execute(shop: Shop, statements: str) -> None:
    with psycopg.connect(shop.database) as connection:
        connection.execute(statements.encode())
