"""One `signoff up` from start to stop: services, workers, traffic, and the words about them."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from worker.adapters.embedded.stack import PATIENCE_SECONDS
from worker.adapters.postgres.case_listing import CaseLine, list_cases
from worker.cli.connection import ADDRESSES, DEFAULT_DATA, RunningStack
from worker.cli.database import connected
from worker.cli.readiness import readiness_reports
from worker.cli.up.crew import Crew
from worker.cli.up.demo import Demo
from worker.cli.up.services import running_services
from worker.cli.up.traffic import traffic_from_now
from worker.cli.up.view import View
from worker.cli.up.watch import Watch
from worker.domain.exception_case import CaseState
from worker.settings import Settings

SHOWN = 20
"""Waiting cases that are listed; `signoff cases list` has the others."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    demo: bool
    as_json: bool
    data: Path
    workers: int


async def run_session(settings: Settings, wish: Wish) -> None:
    """Until it is cancelled; then everything that it started ends. Raises Failure."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    view = View(on_stderr=wish.as_json)
    async with running_services(settings, wish.data, view.say) as stack:
        settings = settings.model_copy(update={"kafka_bootstrap_servers": stack.kafka, "database_url": stack.database})
        with readiness_reports() as reports:
            crew = Crew(wish.workers, wish.data.absolute(), stack.environment, reports, view.say)
            try:
                await _work(settings, wish, stack, crew, view)
            finally:
                view.say("stopping …")
                await crew.stop()


async def _work(settings: Settings, wish: Wish, stack: RunningStack, crew: Crew, view: View) -> None:
    async with (
        traffic_from_now(settings.kafka_bootstrap_servers, settings.topic_prefix) as traffic,
        asyncio.TaskGroup() as tasks,
    ):
        for member in crew.members:
            tasks.create_task(member.keep())
        async with _saying_when_slow(view, "starting the workers …"):
            await crew.ready()
        _introduce(wish, stack, crew, view)
        watch = Watch(traffic, view)
        tasks.create_task(watch.run())
        if wish.demo:
            await Demo(settings, watch, view.titles, view.say).play()
        await _show_waiting(settings, wish, stack, view)


@asynccontextmanager
async def _saying_when_slow(view: View, line: str) -> AsyncIterator[None]:
    slow = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, view.say, line)
    try:
        yield
    finally:
        slow.cancel()


def _introduce(wish: Wish, stack: RunningStack, crew: Crew, view: View) -> None:
    if wish.as_json:
        ready = {"ready": True, "kafka": stack.kafka, "database": stack.database}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
    view.headline("signoff is up")
    view.say(f"  Kafka       {stack.kafka}")
    view.say(f"  PostgreSQL  {stack.database}")
    for member in crew.members:
        view.say(f"  worker      {member.name}, process {member.pid}, log {shown(member.log)}")
    view.say(
        f"  logs        {shown(wish.data / 'kafka' / 'broker.log')}, {shown(wish.data / 'postgres' / 'postgres.log')}"
    )
    view.say("  Ctrl-C ends it all; what waits is there at the next start. Kill the worker with -9: it comes back.\n")


async def _show_waiting(settings: Settings, wish: Wish, stack: RunningStack, view: View) -> None:
    async with connected(settings) as connection:
        cases: list[CaseLine] = await list_cases(
            connection, state=CaseState.WAITING, order_id=None, customer_id=None, finished=False, limit=SHOWN + 1
        )
    if cases:
        found_by_itself = wish.data.resolve() == DEFAULT_DATA.resolve() and not any(
            name in os.environ for name in ADDRESSES
        )
        environment = {} if found_by_itself else stack.environment
        view.waiting(cases[:SHOWN], more=len(cases) > SHOWN, environment=environment)
    view.say("\nWatching: what anybody sends to these topics is shown here.")


def shown(path: Path) -> str:
    """Relative to where the person stands, when it is below."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
