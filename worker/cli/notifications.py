"""`signoff notifications`: what people were told, what did not arrive, and sending that again once it is mended."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from worker.adapters.postgres.notification_desk import (
    STATES,
    ListedNotification,
    TroubledEndpoint,
    enable_endpoint,
    list_notifications,
    retry_failed,
    troubled_endpoints,
)
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures
from worker.cli.output import AsJson, in_utc, instant, note, print_json, print_line, print_table
from worker.settings import Settings

notifications = typer.Typer(no_args_is_help=True, help="What people were told: list, enable an endpoint, send again.")

Endpoint = Annotated[str | None, typer.Option("--endpoint", metavar="NAME", help="Only those for this endpoint.")]


@notifications.command("list")
def show_list(
    endpoint: Endpoint = None,
    state: Annotated[
        str | None, typer.Option(help=f"Only those that are {', '.join(STATES[:-1])} or {STATES[-1]}.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List notifications, newest first, and the endpoints that fail or are disabled."""
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"can be {', '.join(STATES)}", param_hint="--state")
    listed, troubled = asyncio.run(_list(settings_for_command(), endpoint, state, limit))
    if as_json:
        print_json(
            {"endpoints": [_document(one) for one in troubled], "notifications": [_document(one) for one in listed]}
        )
        return
    for one in troubled:
        note(_trouble(one))
    if listed:
        print_table(
            ("id", "endpoint", "about", "case", "state", "tries", "next", "problem"),
            [_row(one) for one in listed],
            long=("problem",),
        )
    else:
        note("no notifications")
    if len(listed) == limit:
        note(f"the newest {limit}; there may be more, see --limit")


@notifications.command("enable")
def enable(
    endpoint: Annotated[str, typer.Argument(metavar="NAME", help="An endpoint that was disabled.")],
    as_json: AsJson = False,
) -> None:
    """Send to a disabled endpoint again, what was held for it first."""
    freed = asyncio.run(_enable(settings_for_command(), endpoint))
    if freed is None:
        raise Failure(f"{endpoint}: no such endpoint is disabled; `signoff notifications list` names those that are")
    if as_json:
        print_json({"endpoint": endpoint, "freed": freed})
    else:
        print_line(f"{endpoint} is enabled; {_counted(freed)} held for it {'goes' if freed == 1 else 'go'} out now")


@notifications.command("retry")
def retry(endpoint: Endpoint = None, as_json: AsJson = False) -> None:
    """Try those anew that were given up, for one endpoint or for all."""
    tried = asyncio.run(_retry(settings_for_command(), endpoint))
    if as_json:
        print_json({"retried": tried})
    else:
        print_line(f"{_counted(tried)} tried anew")


async def _list(
    settings: Settings, endpoint: str | None, state: str | None, limit: int
) -> tuple[list[ListedNotification], list[TroubledEndpoint]]:
    with named_failures(settings):
        async with connected(settings) as connection:
            listed = await list_notifications(connection, endpoint=endpoint, state=state, limit=limit)
            return list(listed), list(await troubled_endpoints(connection))


async def _enable(settings: Settings, endpoint: str) -> int | None:
    with named_failures(settings):
        async with connected(settings, read_only=False) as connection:
            return await enable_endpoint(connection, endpoint)


async def _retry(settings: Settings, endpoint: str | None) -> int:
    with named_failures(settings):
        async with connected(settings, read_only=False) as connection:
            return await retry_failed(connection, endpoint)


def _row(one: ListedNotification) -> tuple[str, ...]:
    number, case = str(one.notification_id), str(one.case_id)
    return number, one.endpoint, one.kind, case, one.state, str(one.attempts), in_utc(one.next_at), one.problem or ""


def _document(one: ListedNotification | TroubledEndpoint) -> dict[str, Any]:
    times = {"created_at", "next_at", "failing_since", "disabled_at"}
    return {name: instant(value) if name in times else value for name, value in asdict(one).items()}


def _trouble(one: TroubledEndpoint) -> str:
    if one.disabled_at is not None:
        return f"{one.name} is disabled since {in_utc(one.disabled_at)}: {one.disabled_because}"
    return f"{one.name} fails since {in_utc(one.failing_since)}: {one.problem}"


def _counted(count: int) -> str:
    return f"{count} notification{'' if count == 1 else 's'}"
