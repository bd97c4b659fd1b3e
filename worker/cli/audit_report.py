"""`signoff audit report`: what people decided in a period, how long they took, and where they were refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from psycopg import AsyncConnection

from worker.adapters.postgres.audit_report import (
    DecisionOnRecord,
    Period,
    decisions_between,
    questions_between,
    time_of_report,
)
from worker.adapters.postgres.audit_trail import Verification, verify
from worker.cli.audit_figures import Figures
from worker.cli.audit_options import From, Out, To, check_order, destination
from worker.cli.audit_page import BROKEN_SHOWN, render
from worker.cli.audit_rows import CsvRows, row_of
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.named_failures import named_failures
from worker.cli.output import instant, note
from worker.settings import Settings


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Report:
    """What is asked for, of one moment. `verification` is None when nobody asked for it."""

    period: Period
    at: datetime
    connection: AsyncConnection[Any]
    figures: Figures

    async def decisions(self) -> AsyncIterator[DecisionOnRecord]:
        """Each adds to the figures as it passes; commands are counted only."""
        async for decision in decisions_between(self.connection, self.period):
            self.figures.add(decision)
            if decision.command is None:
                yield decision

    async def add_questions(self) -> None:
        self.figures.add_questions(await questions_between(self.connection, self.period))


def report(
    begin: Annotated[datetime, From],
    end: Annotated[datetime | None, To] = None,
    format_: Annotated[
        Format,
        typer.Option("--format", help="csv: a row for each decision. json: these and the figures. html: a page."),
    ] = Format.CSV,
    out: Out = None,
    verified: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify", help="Recompute the whole audit trail for json and html, as `audit verify`."
        ),
    ] = True,
) -> None:
    """Report the decisions of a period: by person, level and verdict, times, overrides, refusals, what was overdue."""
    check_order(begin, end)
    decisions = asyncio.run(_report(settings_for_command(), begin, end, format_, out, verified))
    note(f"{decisions} decisions" + (f", written to {out}" if out else ""))


async def _report(
    settings: Settings, begin: datetime, end: datetime | None, format_: Format, out: Path | None, verified: bool
) -> int:
    with named_failures(settings):
        async with connected(settings) as connection, connection.transaction():
            at = await time_of_report(connection)
            wanted = Report(Period(begin, end or at), at, connection, Figures())
            with destination(out) as file:
                match format_:
                    case Format.CSV:
                        return await _write_csv(wanted, file)
                    case Format.JSON:
                        return await _write_json(wanted, file, verified)
                    case Format.HTML:
                        return await _write_html(wanted, file, verified)


async def _write_csv(wanted: Report, file: TextIO) -> int:
    rows, count = CsvRows(file), 0
    async for decision in wanted.decisions():
        rows.add(decision)
        count += 1
    return count


async def _write_json(wanted: Report, file: TextIO, verified: bool) -> int:
    """One document, its decisions first: the figures are known when they have passed."""
    count = 0
    file.write('{"decisions": [')
    async for decision in wanted.decisions():
        file.write(",\n" if count else "\n")
        json.dump(row_of(decision), file)
        count += 1
    await wanted.add_questions()
    rest = {
        "from": instant(wanted.period.begin),
        "to": instant(wanted.period.end),
        "at": instant(wanted.at),
        **wanted.figures.document(),
        "audit_trail": _trail_document(await verify(wanted.connection)) if verified else None,
    }
    file.write(f"\n],\n{json.dumps(rest, indent=1)[1:]}\n")
    return count


async def _write_html(wanted: Report, file: TextIO, verified: bool) -> int:
    async for _ in wanted.decisions():
        pass
    await wanted.add_questions()
    verification = await verify(wanted.connection) if verified else None
    file.writelines(render(wanted.period, wanted.at, wanted.figures, verification))
    total = wanted.figures.total
    return total.took_effect + total.refused


def _trail_document(verification: Verification) -> dict[str, Any]:
    return {
        "holds": not verification.broken,
        "cases": verification.cases,
        "entries": verification.entries,
        "broken_cases": len(verification.broken),
        "broken": [
            {
                "case_id": str(broken.case_id),
                "exception_id": broken.exception_id,
                "entry": broken.number,
                "problem": broken.problem,
            }
            for broken in verification.broken[:BROKEN_SHOWN]
        ],
    }
