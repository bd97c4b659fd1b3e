"""`signoff reviewers`: the register of people who sign, from a file into the database, and who decides for whom now.

The worker believes the register when SIGNOFF_REVIEWERS is `register`; else it believes the roles in a decision.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.adapters.policy.loading import load_policy
from worker.adapters.policy.problems import told
from worker.adapters.postgres.reviewer_register import RegisterChanges, RegisterNow, read_register, replace_register
from worker.adapters.reviewers.register_file import RegisterError, RegisterFile, load_register
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures
from worker.cli.output import AsJson, instant, note, print_json, print_line
from worker.cli.reviewer_page import (
    describe,
    describe_change,
    document_of,
    full_document_of,
    print_people,
    print_person,
)
from worker.domain.reviewers import Person, same_person
from worker.settings import Settings, read_settings

reviewers = typer.Typer(no_args_is_help=True, help="The people who sign: load their register, and look at it.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="A YAML file of reviewers; docs/reviewers.md describes it.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help="Check against this policy; else SIGNOFF_POLICY_FILE, else the default."
    ),
]


@reviewers.command("check")
def check(file: File, policy: PolicyFile = None, as_json: AsJson = False) -> None:
    """Check a file of reviewers. Every mistake is told with its line and what to do; exit code 1 if there is one."""
    try:
        register = load_register(file, load_policy(policy or read_settings().policy_file))
    except RegisterError as error:
        if not as_json:
            raise Failure(str(error)) from error
        print_json({"ok": False, "file": str(file), "problems": [asdict(problem) for problem in error.problems]})
        raise typer.Exit(1) from error
    if as_json:
        warnings = [asdict(warning) for warning in register.warnings]
        print_json({"ok": True, "file": str(file), "reviewers": len(register.people), "warnings": warnings})
        return
    _warn(file, register)
    print_line(f"{file}: in order, {_counted(len(register.people))}")


@reviewers.command("load")
def load(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Replace the register by the people in a file, all at once, and say what changed."""
    settings = settings_for_command()
    register = _read(file, policy, settings)
    changes = asyncio.run(_replace(settings, register.people, dry_run))
    if as_json:
        print_json({"dry_run": dry_run, "reviewers": len(register.people), **_changes_document(changes)})
        return
    _warn(file, register)
    _print_changes(changes)
    verb = "would be" if dry_run else "were"
    print_line(
        f"{_counted(len(register.people))}: {len(changes.added)} {verb} added, {len(changes.changed)} changed, "
        f"{len(changes.removed)} removed"
    )


@reviewers.command("list")
def show_list(as_json: AsJson = False) -> None:
    """List the register: what everybody may sign, when they are away, and who decides then."""
    register = _register(settings_for_command())
    if as_json:
        print_json([document_of(person) for person in register.people])
    elif register.people:
        print_people(register.people, register.now)
    else:
        note("the register is empty; `signoff reviewers load FILE` fills it")


@reviewers.command("show")
def show(
    reviewer: Annotated[str, typer.Argument(metavar="ID", help="The id of a reviewer, such as user:maria.")],
    as_json: AsJson = False,
) -> None:
    """Show one reviewer: what they may sign, for whom they decide now, and who decides for them."""
    register = _register(settings_for_command())
    person = next((person for person in register.people if same_person(person.id, reviewer)), None)
    if person is None:
        raise Failure(f"{reviewer}: no such reviewer in the register; `signoff reviewers list` shows who is")
    if as_json:
        document = full_document_of(person, register.people, register.now)
        print_json({**document, "at": instant(register.now)})
    else:
        print_person(person, register.people, register.now)


def _read(file: Path, policy: Path | None, settings: Settings) -> RegisterFile:
    try:
        return load_register(file, load_policy(policy or settings.policy_file))
    except RegisterError as error:
        raise Failure(str(error)) from error


def _warn(file: Path, register: RegisterFile) -> None:
    for warning in register.warnings:
        note(f"warning: {told(str(file), warning)}")


def _register(settings: Settings) -> RegisterNow:
    async def read() -> RegisterNow:
        with named_failures(settings):
            async with connected(settings) as connection:
                return await read_register(connection)

    return asyncio.run(read())


async def _replace(settings: Settings, people: Sequence[Person], dry_run: bool) -> RegisterChanges:
    with named_failures(settings):
        async with connected(settings, read_only=dry_run) as connection:
            return await replace_register(connection, people, dry_run=dry_run)


def _print_changes(changes: RegisterChanges) -> None:
    for person in changes.added:
        print_line(f"added   {person.id}: {describe(person)}")
    for before, after in changes.changed:
        print_line(f"changed {after.id}: {describe_change(before, after)}")
    for person in changes.removed:
        print_line(f"removed {person.id}")


def _changes_document(changes: RegisterChanges) -> dict[str, Any]:
    return {
        "added": [document_of(person) for person in changes.added],
        "changed": [{"before": document_of(before), "after": document_of(after)} for before, after in changes.changed],
        "removed": [person.id for person in changes.removed],
    }


def _counted(people: int) -> str:
    return f"{people} reviewer{'' if people == 1 else 's'}"
