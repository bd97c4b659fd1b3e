"""The worker and whoever started it agree on when it works, and the worker always ends."""

import asyncio
import os
import subprocess
import sys
import textwrap

import pytest

from worker.cli.readiness import NOTIFY_SOCKET, readiness_reports, report_readiness


async def test_a_worker_that_is_ready_tells_its_starter(monkeypatch: pytest.MonkeyPatch) -> None:
    with readiness_reports() as reports:
        monkeypatch.setenv(NOTIFY_SOCKET, reports.address)
        ready = asyncio.Event()
        reporting = asyncio.create_task(report_readiness(ready))
        heard = asyncio.create_task(reports.of(os.getpid()))
        await asyncio.sleep(0)
        assert not heard.done()

        ready.set()

        await asyncio.wait_for(heard, 10)
        await reporting


async def test_a_starter_that_has_gone_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with readiness_reports() as reports:
        monkeypatch.setenv(NOTIFY_SOCKET, reports.address)
    ready = asyncio.Event()
    ready.set()
    await report_readiness(ready)


def test_a_task_that_loses_one_cancellation_does_not_keep_the_worker_alive() -> None:
    program = """
        import asyncio
        from worker.cli.run import run_until_signalled

        async def stubborn():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.Event().wait()

        async def work():
            global kept
            kept = asyncio.create_task(stubborn())
            await asyncio.sleep(0)

        run_until_signalled(work())
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=30)
