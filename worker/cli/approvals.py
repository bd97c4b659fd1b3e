"""`signoff approvals`: what waits on whom, and taking a question, giving it back or handing it to somebody."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from schemas.values import Command
from worker.adapters.postgres.case_listing import OpenApproval, open_approvals
from worker.cli.answers import RECEIPT_WAIT_S, Timeout, Wait, conclude, filled, reviewer_of, send_one
from worker.cli.cases import addressed, load_case
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures
from worker.cli.output import AsJson, instant, note, print_json, print_table
from worker.cli.waiting import asked, due_in, votes
from worker.domain.approval import ApprovalCommand, Receipt
from worker.settings import Settings
from worker.translation.deciding import IllegibleDecisionGiven, command_record

approvals = typer.Typer(
    no_args_is_help=True, help="What waits on whom; claim a question, release it, or hand it to somebody."
)

Name = Annotated[str, typer.Argument(metavar="ID", help="An approval id, an exception id or a case id.")]
By = Annotated[str, typer.Option("--reviewer", help="Who says so, such as user:maria.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="A role that they hold; may be given again.")]
To = Annotated[str, typer.Option(help="Who gets it, such as user:jonas.")]
Comment = Annotated[str | None, typer.Option(help="Why; it goes on record.")]
CommandId = Annotated[str | None, typer.Option(help="Your own id of this command; the same one counts once.")]


@approvals.command("list")
def show_list(
    mine: Annotated[str | None, typer.Option(metavar="REVIEWER", help="Only what this person holds.")] = None,
    role: Annotated[str | None, typer.Option(help="Only what is asked of this role.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List open questions, first those with which something happens next: a reminder, a claim's end, the deadline."""
    lines = asyncio.run(_list(settings_for_command(), mine, role, limit))
    if as_json:
        print_json([_document(line) for line in lines])
    elif lines:
        print_table(
            ("approval", "exception", "level", "role", "held by", "votes", "due in"),
            [_row(line) for line in lines],
            long=("level",),
        )
    else:
        note("nobody is asked anything" if mine is None and role is None else "no such question is open")
    if len(lines) == limit:
        note(f"the first {limit}; there may be more, see --limit")


@approvals.command()
def claim(
    name: Name,
    reviewer: By,
    role: Roles = None,
    comment: Comment = None,
    command_id: CommandId = None,
    wait: Wait = True,
    timeout: Timeout = RECEIPT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Hold a question for yourself: nobody else may answer it until you release it, or the claim runs out."""
    command = _command(Command.CLAIM, reviewer, role, None, comment, command_id)
    _run(name, command, timeout if wait else None, as_json)


@approvals.command()
def release(
    name: Name,
    reviewer: By,
    role: Roles = None,
    comment: Comment = None,
    command_id: CommandId = None,
    wait: Wait = True,
    timeout: Timeout = RECEIPT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Give back a question that you hold: whoever has the role may answer it again."""
    command = _command(Command.RELEASE, reviewer, role, None, comment, command_id)
    _run(name, command, timeout if wait else None, as_json)


@approvals.command()
def reassign(
    name: Name,
    reviewer: By,
    to: To,
    role: Roles = None,
    comment: Comment = None,
    command_id: CommandId = None,
    wait: Wait = True,
    timeout: Timeout = RECEIPT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Give a question to somebody who may answer it themselves."""
    command = _command(Command.REASSIGN, reviewer, role, to, comment, command_id)
    _run(name, command, timeout if wait else None, as_json)


@approvals.command()
def delegate(
    name: Name,
    reviewer: By,
    to: To,
    role: Roles = None,
    comment: Comment = None,
    command_id: CommandId = None,
    wait: Wait = True,
    timeout: Timeout = RECEIPT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Let somebody answer a question on your authority. Whoever requested it, or signed before, stays excluded."""
    command = _command(Command.DELEGATE, reviewer, role, to, comment, command_id)
    _run(name, command, timeout if wait else None, as_json)


def _command(
    command: Command,
    reviewer: str,
    roles: list[str] | None,
    to: str | None,
    comment: str | None,
    command_id: str | None,
) -> ApprovalCommand:
    """What was typed; about which question is known once the case is read."""
    return ApprovalCommand(
        command_id=filled(command_id, "--command-id") if command_id is not None else str(uuid4()),
        command=command,
        by=reviewer_of(reviewer, roles or ()),
        to=filled(to, "--to") if to is not None else None,
        comment=comment,
    )


def _run(name: str, command: ApprovalCommand, wait_s: float | None, as_json: bool) -> None:
    receipt = asyncio.run(_send(settings_for_command(), name, command, wait_s))
    conclude(receipt, command.command_id, as_json)


async def _send(settings: Settings, name: str, command: ApprovalCommand, wait_s: float | None) -> Receipt | None:
    """The receipt; None when it is not waited for. Raises Failure when none came in time."""
    file = await load_case(settings, name)
    approval, exception = addressed(file, name), file.case.exception
    about = {"approval_id": str(approval.approval_id)} if approval else {"exception_id": exception.exception_id}
    try:
        record = command_record(
            command.model_copy(update=about), exception.order_id or exception.exception_id, datetime.now(UTC)
        )
    except IllegibleDecisionGiven as problem:
        raise Failure(f"the command would be refused: {problem}") from problem
    return await send_one(settings, record, command.command_id, wait_s, name)


async def _list(settings: Settings, mine: str | None, role: str | None, limit: int) -> list[OpenApproval]:
    with named_failures(settings):
        async with connected(settings) as connection:
            return await open_approvals(connection, assignee=mine, role=role, limit=limit)


def _row(line: OpenApproval) -> tuple[str, ...]:
    return (
        str(line.approval_id),
        line.exception_id,
        asked(line),
        line.role,
        line.assignee or "",
        votes(line),
        due_in(line.due_at, line.now),
    )


def _document(line: OpenApproval) -> dict[str, Any]:
    return {
        "approval_id": str(line.approval_id),
        "case_id": str(line.case_id),
        "exception_id": line.exception_id,
        "order_id": line.order_id,
        "kind": line.kind,
        "level": line.level,
        "part": line.part,
        "round": line.round,
        "role": line.role,
        "assignee": line.assignee,
        "votes": line.votes,
        "quorum": line.quorum,
        "requested_at": instant(line.requested_at),
        "due_at": instant(line.due_at),
        "due_in_s": (line.due_at - line.now).total_seconds(),
        "next_at": instant(line.next_at),
    }
