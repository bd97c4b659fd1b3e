"""`signoff audit`: who did what to a case, the proof that nobody rewrote it, and what people decided in a period."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from worker.adapters.postgres.audit_trail import Verification, verify
from worker.cli.audit_export import export
from worker.cli.audit_report import report
from worker.cli.case_page import print_timeline
from worker.cli.cases import load_case
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures
from worker.cli.output import AsJson, note, print_json, print_line
from worker.settings import Settings

SHOWN = 20
"""Broken cases named one by one; after so many it is the database that is the case."""

audit = typer.Typer(no_args_is_help=True, help="Who did what to a case, and the proof that nobody rewrote it.")
audit.command("report")(report)
audit.command("export")(export)


@audit.command("show")
def show(
    case: Annotated[str, typer.Argument(metavar="CASE", help="An exception id, a case id or an approval id.")],
    as_json: AsJson = False,
) -> None:
    """Show the audit entries of one case, oldest first."""
    file = asyncio.run(load_case(settings_for_command(), case))
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in file.entries])
    else:
        print_timeline(file.entries)


@audit.command("verify")
def check(
    case: Annotated[str | None, typer.Option(help="Only this case: an exception id, case id or approval id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the hash of every entry, and check that the chain of each case is whole. Exit code 1 if one is not."""
    verification = asyncio.run(_verify(settings_for_command(), case))
    if as_json:
        print_json(asdict(verification))
        if verification.broken:
            raise typer.Exit(1)
        return
    if verification.broken:
        raise Failure(_told(verification))
    print_line(f"the audit trail holds: {verification.entries} entries of {verification.cases} cases")


async def _verify(settings: Settings, case: str | None) -> Verification:
    case_id = (await load_case(settings, case)).case.case_id if case is not None else None
    with named_failures(settings):
        async with connected(settings) as connection:
            return await verify(connection, case_id)


def _told(verification: Verification) -> str:
    broken = verification.broken
    for one in broken[1:SHOWN]:
        note(f"also broken: case {one.case_id} ({one.exception_id}), {_where(one.number)}: {one.problem}")
    first = broken[0]
    return (
        f"the audit trail is broken in {len(broken)} of {verification.cases} cases; the first is case {first.case_id} "
        f"({first.exception_id}), {_where(first.number)}: {first.problem}; compare it with a backup and with the topics"
    )


def _where(number: int | None) -> str:
    return f"entry {number}" if number is not None else "at its end"
