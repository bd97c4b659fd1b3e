"""`signoff cases`: what is waiting on whom, and everything about one case."""

import asyncio
from typing import Annotated, Any

import typer

from worker.adapters.postgres.case_listing import CaseFile, CaseLine, find_case, list_cases
from worker.adapters.postgres.identifiers import uuid_or_none
from worker.cli.case_page import as_document, print_case
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures
from worker.cli.output import AsJson, in_utc, instant, note, print_json, print_table
from worker.cli.waiting import due_in, waits_for
from worker.domain.approval import ApprovalRequest
from worker.domain.exception_case import CaseState
from worker.settings import Settings

cases = typer.Typer(no_args_is_help=True, help="What is waiting on whom, and everything about one case.")


@cases.command("list")
def show_list(
    state: Annotated[CaseState | None, typer.Option(help="Only cases in this state.")] = None,
    order: Annotated[str | None, typer.Option(help="All cases of this order, finished ones too.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only cases of this customer.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Finished cases too, newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List unfinished cases, oldest first: who must act, why, and by when."""
    lines = asyncio.run(_list(settings_for_command(), state, order, customer, everything, limit))
    if as_json:
        print_json([_document(line) for line in lines])
    elif lines:
        print_table(
            ("exception", "order", "what", "state", "who must act", "why", "due in"),
            [_row(line) for line in lines],
            long=("why",),
        )
    else:
        note("no such case" if state or order or customer or everything else "nothing is unfinished")
    if len(lines) == limit:
        note(f"the first {limit}; there may be more, see --limit")


@cases.command("show")
def show_case(
    name: Annotated[str, typer.Argument(metavar="ID", help="An exception id, a case id or an approval id.")],
    as_json: AsJson = False,
) -> None:
    """Show one case: what was asked, why it waits, who decided, what was paid, and when."""
    file = asyncio.run(load_case(settings_for_command(), name))
    if as_json:
        print_json(as_document(file))
    else:
        print_case(file)


async def load_case(settings: Settings, name: str) -> CaseFile:
    """Raises Failure when there is no such case."""
    with named_failures(settings):
        async with connected(settings) as connection:
            file = await find_case(connection, name)
    if file is None:
        raise Failure(
            f"{name}: no case has this exception id, case id or approval id; "
            f"`signoff cases list` shows them, `signoff cases list --order ID` those of an order, "
            f"`signoff dead-letters list` what was refused"
        )
    return file


def addressed(file: CaseFile, name: str) -> ApprovalRequest | None:
    """The approval request that is named, else the one that is open, else the last: its receipt names who decided."""
    id_given = uuid_or_none(name)
    named = (request for request in file.approvals if request.approval_id == id_given)
    latest = file.approvals[-1] if file.approvals else None
    return next(named, None) or file.open_approval or latest


async def _list(
    settings: Settings, state: CaseState | None, order: str | None, customer: str | None, everything: bool, limit: int
) -> list[CaseLine]:
    with named_failures(settings):
        async with connected(settings) as connection:
            return await list_cases(
                connection,
                state=state,
                order_id=order,
                customer_id=customer,
                finished=everything or (state is not None and state.is_terminal),
                limit=limit,
            )


def _row(line: CaseLine) -> tuple[str, ...]:
    proposal = line.proposed
    what = f"{line.kind} {proposal.amount}" if proposal.amount else line.kind
    return (line.exception_id, line.order_id or "", what, line.state, _who(line), _why(line), _due(line))


def _who(line: CaseLine) -> str:
    """Who must act next: a role, the worker, an operator, or nobody any more."""
    if line.state == CaseState.STUCK:
        return "an operator"
    if line.approval is not None:
        return waits_for(line.approval)
    return "" if line.finished_at else "the worker"


def _why(line: CaseLine) -> str:
    if line.state == CaseState.STUCK:
        return line.reason or "the graph ended with neither a question nor an answer"
    return "; ".join(rule.says for rule in line.rules)


def _due(line: CaseLine) -> str:
    return in_utc(line.finished_at) if line.due_at is None else due_in(line.due_at, line.now)


def _document(line: CaseLine) -> dict[str, Any]:
    amount, approval = line.proposed.amount, line.approval
    return {
        "case_id": str(line.case_id),
        "exception_id": line.exception_id,
        "order_id": line.order_id,
        "customer_id": line.customer_id,
        "kind": line.kind,
        "state": line.state,
        "amount": amount and amount.model_dump(mode="json"),
        "approval_id": line.approval_id and str(line.approval_id),
        "level": approval and approval.level["name"],
        "number": approval and approval.level["number"],
        "of": approval and approval.level["of"],
        "part": approval and approval.part,
        "round": approval and approval.round,
        "role": line.role,
        "assignee": approval and approval.assignee,
        "votes": approval and approval.votes,
        "quorum": approval and approval.quorum,
        "who": _who(line),
        "why": line.why,
        "reason": line.reason or None,
        "opened_at": instant(line.opened_at),
        "due_at": instant(line.due_at),
        "due_in_s": (line.due_at - line.now).total_seconds() if line.due_at else None,
        "finished_at": instant(line.finished_at),
    }
