"""What `signoff up` may be asked for, and how it is told to stop."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.adapters.policy.loading import load_policy
from worker.cli.connection import DEFAULT_DATA
from worker.cli.failure import Failure
from worker.cli.up.session import Wish, run_session
from worker.settings import read_settings


def up(
    demo: Annotated[bool, typer.Option("--demo", help="Play demo traffic; some cases wait for you then.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="When ready, print one line of JSON for programs.")] = False,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Where the data live between runs.")] = DEFAULT_DATA,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many worker processes.")] = 1,
    partitions: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Of each topic, when it is created; 6 if nothing else is set.")
    ] = None,
) -> None:
    """Start Kafka, PostgreSQL and the worker on this machine, and show what happens until Ctrl-C."""
    given = {} if partitions is None else {"topic_partitions": partitions}
    settings = read_settings(**given)
    load_policy(settings.policy_file)
    wish = Wish(demo=demo, as_json=as_json, data=data, workers=workers)
    try:
        asyncio.run(_until_signalled(run_session(settings, wish)))
    except BaseExceptionGroup as several:
        raise _named(several) or several from None


async def _until_signalled(session: Coroutine[Any, Any, None]) -> None:
    """The first SIGTERM or SIGINT cancels the session; what it starts to put away then, it puts away in whole."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(session)
    signalled = False

    def stop() -> None:
        nonlocal signalled
        if not signalled:
            signalled = True
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not signalled:
            raise


def _named(several: BaseExceptionGroup[BaseException]) -> Failure | None:
    """The failure that a person is told; what it broke on its way is not news."""
    for error in several.exceptions:
        found = _named(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, Failure):
            return found
    return None
