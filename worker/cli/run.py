"""`signoff run`: the worker against your own Kafka and PostgreSQL."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from worker.cli.readiness import report_readiness
from worker.settings import Settings, read_settings

CANCELLATIONS = 50


def run() -> None:
    """Run the worker until SIGTERM or Ctrl-C: then it finishes what it holds, and stops."""
    settings = read_settings()
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    run_until_signalled(_work(settings))


async def _work(settings: Settings) -> None:
    from worker.bootstrap import make_worker  # noqa: PLC0415 - LangGraph and FastStream: no other command needs them

    ready = asyncio.Event()
    reporting = asyncio.create_task(report_readiness(ready))
    try:
        await make_worker(settings).run(ready)
    finally:
        reporting.cancel()


def run_until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine on the fastest loop there is; the first SIGTERM or SIGINT cancels it."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_cancelled_by_signals(work))


async def _cancelled_by_signals(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for signalled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signalled, task.cancel)
    if hasattr(signal, "SIGUSR1"):
        loop.add_signal_handler(signal.SIGUSR1, tell_tasks)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        await _end_the_others()


def tell_tasks() -> None:
    """Where every task of this process waits, on standard error: for a worker that seems to do nothing."""
    for task in sorted(asyncio.all_tasks(), key=asyncio.Task.get_name):
        task.print_stack(limit=8, file=sys.stderr)


async def _end_the_others() -> None:
    """Cancels what our libraries left running until it is gone: one cancellation may get lost.

    `asyncio.wait_for` of Python 3.11 swallows one that comes together with its result; the connection pool's task
    then waits for work again, and the loop, which cancels once, for that task.
    """
    for _ in range(CANCELLATIONS):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if not others:
            return
        for other in others:
            other.cancel()
        await asyncio.wait(others, timeout=0.1)


def _loop_factory() -> Any:
    try:
        import uvloop  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
