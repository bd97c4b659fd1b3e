"""`signoff doctor`: everything the worker needs, and everything unfinished that looks wrong, one line each."""

import asyncio
from dataclasses import asdict

import typer
from rich.console import Console
from rich.text import Text

from worker.cli.connection import settings_for_command
from worker.cli.examinations import (
    Finding,
    examine_database,
    examine_kafka,
    examine_policy,
)
from worker.cli.output import AsJson, print_json, printable
from worker.cli.provider_examinations import (
    examine_analyst,
    examine_executors,
    examine_notifications,
    examine_payments,
)
from worker.settings import Settings, SettingsError


def doctor(as_json: AsJson = False) -> None:
    """Check settings, policy, broker, topics, database and unfinished work. Exit code 1 when something is wrong."""
    findings = examine()
    healthy = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": healthy, "checks": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if not healthy:
        raise typer.Exit(1)


def examine() -> list[Finding]:
    """All findings; those that need what is missing are left out."""
    try:
        settings = settings_for_command()
    except SettingsError as error:
        return [
            Finding("settings", ok=False, says=line, mend="correct it in the environment; docs/settings.md lists all")
            for line in str(error).splitlines()
        ]
    return [Finding("settings", ok=True, says="readable"), *asyncio.run(_examine(settings))]


async def _examine(settings: Settings) -> list[Finding]:
    kafka, database = await asyncio.gather(examine_kafka(settings), examine_database(settings))
    return [
        examine_policy(settings),
        *await examine_payments(settings),
        *await examine_executors(settings),
        *examine_analyst(settings),
        *examine_notifications(settings),
        *kafka,
        *database,
    ]


def _print(findings: list[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        mark = Text("ok      ", "green") if finding.ok else Text("problem ", "bold red")
        console.print(mark + Text(printable(f"{finding.check}: {finding.says}")))
        if finding.mend:
            console.print(Text(f"        → {printable(finding.mend)}"))
