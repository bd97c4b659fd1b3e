"""`signoff audit export`: decisions as examples from which a model, or a person who tunes a policy, can learn."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from worker.adapters.postgres.audit_labels import answered_between
from worker.adapters.postgres.audit_report import Period, time_of_report
from worker.cli.audit_labels import example_of
from worker.cli.audit_options import From, Out, To, check_order, destination
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.named_failures import named_failures
from worker.cli.output import note
from worker.settings import Settings

THE_BEGINNING = datetime.min.replace(tzinfo=UTC)


def export(
    labels: Annotated[
        bool, typer.Option("--labels", help="What was proposed, and what people made of it: one JSON line a question.")
    ] = False,
    begin: Annotated[datetime | None, From] = None,
    end: Annotated[datetime | None, To] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Add reasons and comments as people wrote them: they may name somebody.")
    ] = False,
    out: Out = None,
) -> None:
    """Export questions that people answered in a period, without names and ids."""
    if not labels:
        raise typer.BadParameter("say what to export: --labels", param_hint="--labels")
    check_order(begin, end)
    count = asyncio.run(_export(settings_for_command(), begin or THE_BEGINNING, end, with_text, out))
    note(f"{count} examples" + (f", written to {out}" if out else ""))


async def _export(settings: Settings, begin: datetime, end: datetime | None, with_text: bool, out: Path | None) -> int:
    count = 0
    with named_failures(settings):
        async with connected(settings) as connection, connection.transaction():
            period = Period(begin, end or await time_of_report(connection))
            with destination(out) as file:
                async for answered in answered_between(connection, period):
                    file.write(json.dumps(example_of(answered, with_text=with_text)) + "\n")
                    count += 1
    return count
