"""`signoff cases recover`, beside a worker that runs."""

from typing import Any

import psycopg

from tests.commands import Ran, signoff_beside
from tests.records import raise_exceptions, refund, seen
from worker.settings import Settings

BY_INES = ("--by", "user:ines")


async def recover(settings: Settings, *arguments: str) -> Ran:
    return await signoff_beside(settings, "cases", "recover", *arguments)


async def approve(settings: Settings) -> Ran:
    who = ("--reviewer", "user:maria", "--role", "manager")
    return await signoff_beside(settings, "decide", "EXC-1", "approve", *who)


async def is_stuck(settings: Settings) -> None:
    """EXC-1 waited in a thread that is lost by the time that the manager approves."""
    await raise_exceptions(settings, refund("EXC-1"))
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as connection:
        await connection.execute("delete from checkpoints")
    lost = await approve(settings)
    assert (lost.code, lost.out.split(":")[0]) == (1, "STALE")
    assert (await shown(settings))["case"]["state"] == "stuck"


async def shown(settings: Settings) -> Any:
    ran = await signoff_beside(settings, "cases", "show", "EXC-1", "--json")
    assert ran.code == 0, ran.err
    return ran.json


async def test_a_stuck_case_is_recovered_and_executed_after_a_new_approval(running_worker: Settings) -> None:
    await is_stuck(running_worker)
    ran = await recover(running_worker, "EXC-1", *BY_INES, "--reason", "the release is back")
    assert (ran.code, ran.out) == (0, "RECORDED: recovered: manager is asked, and nothing runs before\n")
    page = await shown(running_worker)
    assert page["case"]["state"] == "waiting"
    assert [approval["closed_as"] for approval in page["approvals"]] == ["outdated", None]
    assert (await approve(running_worker)).code == 0
    await seen(running_worker, ("order-outcomes",), "exception_id", {"EXC-1"})
    assert (await signoff_beside(running_worker, "audit", "verify")).code == 0


async def test_a_case_that_waits_is_not_recovered(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    ran = await recover(running_worker, "EXC-1", *BY_INES, "--json")
    assert (ran.code, ran.json["code"], ran.json["accepted"]) == (1, "STALE", False)
    assert "waiting, not stuck" in ran.json["message"]
    assert (await approve(running_worker)).code == 0


async def test_a_case_that_nobody_knows_is_not_asked_about(running_worker: Settings) -> None:
    ran = await recover(running_worker, "EXC-404", *BY_INES)
    assert ran.code == 1
    assert "EXC-404: no case has this" in ran.err


async def test_a_recovery_says_who_wants_it(running_worker: Settings) -> None:
    assert (await recover(running_worker, "EXC-1")).code == 2
    assert (await recover(running_worker, "EXC-1", "--by", " ")).code == 2
    await raise_exceptions(running_worker, refund("EXC-1"))
    ran = await recover(running_worker, "EXC-1", "--by", "x" * 201)
    assert ran.code == 1
    assert "the recovery would be refused: requested_by" in ran.err


async def test_a_recovery_that_nobody_reads_is_sent_and_waits(waiting_without_worker: Settings) -> None:
    ran = await recover(waiting_without_worker, "EXC-1", *BY_INES, "--timeout", "0.5")
    assert ran.code == 1
    assert "no receipt came in 0.5 s; it is not lost" in ran.err
    assert (await recover(waiting_without_worker, "EXC-1", *BY_INES, "--no-wait", "--json")).json["sent"] is True
