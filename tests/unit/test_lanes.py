"""Many cases at once, one case in order."""

import asyncio

import pytest

from worker.application import reachable
from worker.entrypoints.lanes import Job, Lanes


class Clerk:
    """Jobs that note when they start, and end when they are told to."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.finish: dict[str, asyncio.Event] = {}

    def job(self, name: str) -> Job:
        self.finish[name] = asyncio.Event()

        async def work() -> None:
            self.started.append(name)
            await self.finish[name].wait()

        return work


async def settled() -> None:
    """Every task that can go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_case_is_worked_on_in_order_and_another_beside_it() -> None:
    clerk, work = Clerk(), Lanes(limit=10)
    for name, lane in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        work.submit(lane, name, clerk.job(name))
    await settled()
    assert clerk.started == ["a1", "b1"]

    clerk.finish["a1"].set()
    await settled()
    assert clerk.started == ["a1", "b1", "a2"]
    await work.cancel()


async def test_work_that_is_held_already_is_not_taken_twice() -> None:
    clerk, work = Clerk(), Lanes(limit=10)
    assert work.submit("a", "a1", clerk.job("a1"))
    assert not work.submit("a", "a1", clerk.job("a1"))
    await work.cancel()


async def test_whoever_brings_more_than_the_limit_waits_for_room() -> None:
    clerk, work = Clerk(), Lanes(limit=2)
    for name in ("a", "b"):
        work.submit(name, name, clerk.job(name))
    waiting = asyncio.create_task(work.room())
    await settled()
    assert not waiting.done()

    clerk.finish["a"].set()
    await waiting
    assert work.held == 1
    await work.cancel()


async def test_a_job_that_fails_leaves_its_lane_to_the_next(caplog: pytest.LogCaptureFixture) -> None:
    clerk, work = Clerk(), Lanes(limit=10)

    async def fail() -> None:
        raise RuntimeError("planted")

    work.submit("a", "bad", fail)
    work.submit("a", "good", clerk.job("good"))
    await settled()
    assert clerk.started == ["good"]
    assert "work failed" in caplog.text
    await work.cancel()


async def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachable, "FIRST_PAUSE_S", 0.001)
    work = Lanes(limit=10)
    tries = []

    async def reach() -> None:
        tries.append("try")
        if len(tries) < 4:
            raise ConnectionError("away")

    work.submit("a", "a1", reach)
    async with asyncio.timeout(5):
        await work.idle()
    assert len(tries) == 4


async def test_letting_go_forgets_everything_that_was_held() -> None:
    clerk, work = Clerk(), Lanes(limit=10)
    for name in ("a1", "a2"):
        work.submit("a", name, clerk.job(name))
    await settled()
    await work.cancel()
    assert work.held == 0
    async with asyncio.timeout(1):
        await work.idle()
