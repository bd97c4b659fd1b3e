"""`signoff decide`: a reviewer's verdict, or a file of them, sent as the events that any approval screen sends."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from schemas.values import PayoutMethod, Verdict
from worker.cli.answers import RECEIPT_WAIT_S, Timeout, Wait, conclude, filled, reviewer_of, send_one
from worker.cli.cases import addressed, load_case
from worker.cli.connection import settings_for_command
from worker.cli.decision_batch import decide_batch
from worker.cli.edited_arguments import EditProblem, parse_edits
from worker.cli.failure import Failure
from worker.cli.output import AsJson
from worker.cli.wish import Wish, check_usage, decision_of
from worker.domain.approval import Receipt
from worker.settings import Settings
from worker.translation.deciding import IllegibleDecisionGiven, decision_record

_WITH_A_BATCH = frozenset({"batch", "wait", "timeout", "as_json"})


def decide(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="ID", help="An approval id, an exception id or a case id.")
    ] = None,
    verdict: Annotated[Verdict | None, typer.Argument(help="What the reviewer decides.", show_choices=True)] = None,
    reviewer: Annotated[str | None, typer.Option(help="Who decides, such as user:maria.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role that the reviewer holds; may be given again.")] = None,
    amount: Annotated[
        str | None, typer.Option(help="modify: pay this instead, such as 120.00, in the case's currency.")
    ] = None,
    method: Annotated[PayoutMethod | None, typer.Option(help="modify: pay it this way.")] = None,
    message: Annotated[str | None, typer.Option(help="modify, reject: tell the customer this.")] = None,
    approved_action: Annotated[
        list[int] | None, typer.Option(min=0, help="modify: run only this action, counted from 0; may be given again.")
    ] = None,
    edit_action: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N=JSON", help="modify: all arguments of this action, or N=@FILE with them; may be given again."
        ),
    ] = None,
    choice: Annotated[str | None, typer.Option(help="choose: a method, or the number of an alternative.")] = None,
    escalate_to: Annotated[str | None, typer.Option(help="escalate: ask this level, not the next one.")] = None,
    comment: Annotated[str | None, typer.Option(help="Why; it goes on record.")] = None,
    review_hash: Annotated[
        str | None, typer.Option(help="The seal of what was shown; refused if that changed.")
    ] = None,
    decision_id: Annotated[
        str | None, typer.Option(help="Your own id of this decision; the same one counts once.")
    ] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="FILE", help="Send the decisions of this file instead; - is standard input.")
    ] = None,
    wait: Wait = True,
    timeout: Timeout = RECEIPT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Send a decision and wait for its receipt. Exit code 0: accepted (or sent, with --no-wait); 1: refused, or no
    receipt came. With --batch, many: 0 only when all were accepted.
    """
    wait_s = timeout if wait else None
    if batch is not None:
        _refuse_others(context, _WITH_A_BATCH)
        if not asyncio.run(decide_batch(settings_for_command(), batch, wait_s, as_json)):
            raise typer.Exit(1)
        return
    if name is None or verdict is None:
        raise typer.BadParameter("give ID and VERDICT, or --batch FILE", param_hint="ID VERDICT")
    if reviewer is None:
        raise typer.BadParameter("say who decides, such as user:maria", param_hint="--reviewer")
    wish = Wish(
        verdict=verdict,
        reviewer=reviewer_of(reviewer, role or ()),
        decision_id=filled(decision_id, "--decision-id") if decision_id is not None else str(uuid4()),
        amount=amount,
        method=method,
        message=message,
        approved_actions=tuple(approved_action or ()),
        edited_actions=_edits(edit_action or ()),
        choice=choice,
        escalate_to=filled(escalate_to, "--escalate-to") if escalate_to is not None else None,
        comment=comment,
        review_hash=review_hash,
    )
    check_usage(wish)
    receipt = asyncio.run(_decide(settings_for_command(), name, wish, wait_s))
    conclude(receipt, wish.decision_id, as_json)


def _edits(texts: Sequence[str]) -> tuple[dict[str, Any], ...]:
    try:
        return tuple(parse_edits(texts))
    except EditProblem as problem:
        raise typer.BadParameter(str(problem), param_hint="--edit-action") from problem


def _refuse_others(context: typer.Context, allowed: Collection[str]) -> None:
    """A word that would have no effect is a misunderstanding, and is refused."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name not in allowed and source is not None and source.name == "COMMANDLINE":
            what = parameter.opts[0] if parameter.param_type_name == "option" else "an ID or VERDICT"
            raise typer.BadParameter(f"{what} does not go with --batch: the file says it", param_hint="--batch")


async def _decide(settings: Settings, name: str, wish: Wish, wait_s: float | None) -> Receipt | None:
    """The receipt; None when it is not waited for. Raises Failure when none came in time."""
    file = await load_case(settings, name)
    exception = file.case.exception
    decision = decision_of(wish, file, addressed(file, name))
    try:
        record = decision_record(decision, exception.order_id or exception.exception_id, datetime.now(UTC))
    except IllegibleDecisionGiven as problem:
        raise Failure(f"the decision would be refused: {problem}") from problem
    return await send_one(settings, record, wish.decision_id, wait_s, name)
