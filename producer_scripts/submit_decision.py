"""Send decisions, and commands to claim or hand over a question: one by flags, many from a file, or in a dialogue."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

if not __package__:  # run as a file: the folder above holds the packages
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from producer_scripts import deciding, interview
from producer_scripts.command_line import (
    DEFAULT_PREFIX,
    DEFAULT_SERVERS,
    SENDING,
    AsJson,
    Plain,
    Prefix,
    Servers,
    Structured,
    mode_of,
    program,
    refuse_others,
    start,
)
from producer_scripts.envelopes import Mode, Outgoing
from producer_scripts.kafka import Kafka
from producer_scripts.open_approvals import open_approvals
from producer_scripts.receipts import send_and_wait
from producer_scripts.rendering import console, receipt_line
from schemas.values import Command, PayoutMethod, Verdict

COMMANDING = frozenset(
    {"command", "to", "approval", "exception", "level", "reviewer", "roles", "comment", "command_id", "order"}
)
"""The parameters that go with --command."""

Submit = Callable[[Sequence[Outgoing], Sequence[str]], bool]
Text = Annotated[str | None, typer.Option(metavar="TEXT", show_default=False)]
Id = Annotated[str | None, typer.Option(metavar="ID", show_default=False)]


def submit_decision(
    context: typer.Context,
    *,
    approval: Id = None,
    exception: Annotated[str | None, typer.Option(metavar="ID", help="In place of --approval.")] = None,
    level: Annotated[str | None, typer.Option(metavar="NAME", help="With --exception: only if it is asked.")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="What was decided.")] = None,
    reviewer: Annotated[str | None, typer.Option(metavar="WHO", help="As in user:maria.")] = None,
    roles: Annotated[list[str] | None, typer.Option("--role", metavar="NAME", help="Repeatable.")] = None,
    amount: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Instead of the proposed one: 120.00")] = None,
    currency: Annotated[str, typer.Option(metavar="ISO", help="Of --amount.")] = "USD",
    method: Annotated[PayoutMethod | None, typer.Option(help="Instead of the proposed one.")] = None,
    message: Annotated[str | None, typer.Option(metavar="TEXT", help="To the customer.")] = None,
    approved_actions: Annotated[
        list[int] | None, typer.Option("--approved-action", metavar="INDEX", help="Of several. Repeatable.")
    ] = None,
    edited_actions: Annotated[
        list[str] | None,
        typer.Option("--edit-action", metavar="INDEX=JSON", help="All arguments of this action. Repeatable."),
    ] = None,
    choice: Annotated[str | None, typer.Option(metavar="METHOD|INDEX", help="With the verdict choose.")] = None,
    escalate_to: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="With escalate, instead of the next.")
    ] = None,
    command: Annotated[Command | None, typer.Option(help="In place of --verdict.")] = None,
    to: Annotated[str | None, typer.Option(metavar="WHO", help="With reassign and delegate: who gets it.")] = None,
    comment: Text = None,
    review_hash: Annotated[str | None, typer.Option(metavar="HASH", help="Of what was shown.")] = None,
    decision_id: Annotated[str | None, typer.Option(metavar="ID", help="Generated when left out.")] = None,
    command_id: Annotated[str | None, typer.Option(metavar="ID", help="Generated when left out.")] = None,
    order: Annotated[str | None, typer.Option(metavar="ID", help="The record's key, when it is known.")] = None,
    file: Annotated[str | None, typer.Option(metavar="FILE", help="JSON or JSON Lines; - is standard input.")] = None,
    as_one_event: Annotated[bool, typer.Option("--as-one-event", help="Send a file as one batch.")] = False,
    interactive: Annotated[bool, typer.Option("--interactive", help="Show what waits, and ask.")] = False,
    wait: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="For receipts; 0 does not wait.")] = 15.0,
    plain: Plain = False,
    structured: Structured = False,
    as_json: AsJson = False,
    kafka: Servers = DEFAULT_SERVERS,
    topic_prefix: Prefix = DEFAULT_PREFIX,
) -> None:
    """Send decisions or commands, wait for their receipts, and fail when one is refused or stays unanswered."""
    mode = mode_of(plain=plain, structured=structured)
    broker = Kafka(kafka, topic_prefix)
    sending = {"wait", *SENDING}
    if interactive:
        refuse_others(context, "--interactive", {"interactive", "reviewer", "roles", *sending})
        all_accepted = _converse(broker, reviewer, roles, partial(_submit, broker, wait=wait, as_json=as_json), mode)
        raise typer.Exit(0 if all_accepted else 1)
    if as_one_event and file is None:
        raise typer.BadParameter("--as-one-event needs --file")
    if file is not None:
        refuse_others(context, "--file", {"file", "as_one_event", *sending})
        said = deciding.read_said(file)
    elif command is not None:
        refuse_others(context, "--command", COMMANDING | sending)
        said = [deciding.checked(deciding.command_of(context.params))]
    elif to is not None or command_id is not None:
        raise typer.BadParameter("--to and --command-id go with --command")
    else:
        said = [deciding.checked(deciding.decision_of(context.params))]
    if as_one_event:
        records = [deciding.batch_of(said, mode=mode, order_id=order)]
    else:
        records = deciding.records_of(said, mode=mode, order_id=order)
    if not _submit(broker, records, [deciding.id_of(one) for one in said], wait=wait, as_json=as_json):
        raise typer.Exit(1)


def _converse(kafka: Kafka, reviewer: str | None, roles: list[str] | None, submit: Submit, mode: Mode) -> bool:
    """Until nothing waits, or the person quits (Ctrl-C does, too). False when a decision was not accepted.

    What was refused is offered again; what was decided or left undecided is not.
    """
    done: set[str] = set()
    all_accepted = True
    with suppress(typer.Abort, KeyboardInterrupt):
        who = interview.identify(reviewer, roles)
        while waiting := [one for one in asyncio.run(open_approvals(kafka)) if one.approval_id not in done]:
            approval = interview.choose(waiting)
            if approval is None:
                return all_accepted
            decision = interview.ask(approval, who)
            accepted = decision is None
            if decision is not None:
                records = deciding.records_of([decision], mode=mode, order_id=approval.order_id)
                accepted = submit(records, [decision["decision_id"]])
            if accepted:
                done.add(approval.approval_id)
            all_accepted = all_accepted and accepted
        typer.echo("nothing waits for a decision")
    return all_accepted


def _submit(
    kafka: Kafka, records: Sequence[Outgoing], decision_ids: Sequence[str], *, wait: float, as_json: bool
) -> bool:
    """True when every decision was accepted, or when nobody asked to wait for that."""
    places, receipts = asyncio.run(send_and_wait(kafka, records, decision_ids, wait))
    if not as_json:
        for place in places:
            typer.echo(f"sent to {place}", err=True)
    for receipt in receipts:
        if as_json:
            typer.echo(receipt.model_dump_json())
        else:
            console().print(receipt_line(receipt))
    if wait == 0:
        return True
    missing = Counter(decision_ids) - Counter(receipt.decision_id for receipt in receipts)
    for decision_id in missing:
        typer.echo(
            f"no receipt for {decision_id} within {wait:g} s: no worker runs, or none knows this approval yet "
            "(it keeps an early decision for a while); send the same decision_id again to ask",
            err=True,
        )
    return not missing and all(receipt.accepted for receipt in receipts)


app = program(submit_decision)

if __name__ == "__main__":
    start(app)
