"""Asks a person at a terminal for a verdict: a list of what waits, one card, the questions that the verdict needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from producer_scripts.deciding import choice_of, new_decision_id
from producer_scripts.edits import changed_actions, optional
from producer_scripts.matter import actions_of, advice_of, changes_of
from producer_scripts.money import parse_money
from producer_scripts.rendering import asked, console, moment, printable, proposed, signed
from schemas.events import ApprovalNeeded
from schemas.values import PayoutMethod, Verdict


def identify(reviewer: str | None, roles: Sequence[str] | None) -> dict[str, Any]:
    """Who decides, asked for where the command line did not say."""
    who = reviewer or typer.prompt("Your id, as in user:maria").strip()
    named = roles or [role.strip() for role in typer.prompt("Your roles, with commas between them").split(",")]
    return {"id": who, "roles": list(named)}


def choose(waiting: Sequence[ApprovalNeeded]) -> ApprovalNeeded | None:
    """None when the person has had enough."""
    console().print(_overview(waiting))
    while True:
        answer = typer.prompt("Which one (its number, or q to quit)", default="1").strip()
        if answer == "q":
            return None
        if answer.isascii() and answer.isdecimal() and 1 <= int(answer) <= len(waiting):
            return waiting[int(answer) - 1]
        typer.echo(f"a number from 1 to {len(waiting)}, or q")


def ask(approval: ApprovalNeeded, reviewer: dict[str, Any]) -> dict[str, Any] | None:
    """The decision, bound by its hash to what was shown; None when the person left the card undecided."""
    console().print(card(approval))
    verdict = _verdict(approval)
    if verdict is None:
        return None
    decision: dict[str, Any] = {
        "decision_id": new_decision_id(),
        "approval_id": approval.approval_id,
        "verdict": verdict,
        "reviewer": reviewer,
        "review_hash": approval.review_hash,
    }
    decision |= _details(approval, verdict)
    if comment := _comment(verdict):
        decision["comment"] = comment
    return decision


def _details(approval: ApprovalNeeded, verdict: Verdict) -> dict[str, Any]:
    """What this verdict needs or may say besides a comment."""
    if verdict is Verdict.MODIFY:
        return {"changes": _changes(approval)}
    if verdict is Verdict.CHOOSE:
        return {"choice": choice_of(typer.prompt("Choice (the number of an alternative, or a method)").strip())}
    if verdict is Verdict.ESCALATE and (level := optional("Level to ask (empty: the next one)")):
        return {"escalate_to": level}
    if verdict is Verdict.REJECT and approval.proposal.customer_message is not None:
        message = optional("Message to the customer (empty: as drafted)")
        return {"changes": {"customer_message": message}} if message else {}
    return {}


def card(approval: ApprovalNeeded) -> Table:
    """All that a reviewer needs to decide; nothing that others wrote can pass for one of our own lines."""
    table = Table(show_header=False, box=None, padding=(0, 2), title=Text(proposed(approval.proposal), style="bold"))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows = [
        ("exception", f"{approval.exception_id}  {approval.kind.replace('_', ' ')}"),
        ("order", approval.order_id),
        ("requested by", approval.requested_by),
        ("reason", approval.context.get("reason")),
        *_history(approval.context),
        *(("because", rule.says) for rule in approval.why),
        ("risk", approval.risk),
        ("confidence", None if approval.confidence is None else f"{approval.confidence:g}"),
        ("message", approval.proposal.customer_message),
        *changes_of(approval),
        *actions_of(approval),
        *advice_of(approval),
        *(
            (f"alternative {number}", f"{option.action} {option.method or ''} {option.amount or ''}")
            for number, option in enumerate(approval.alternatives)
        ),
        *(("signed", signed(signature)) for signature in approval.signed_by),
        ("asks", asked(approval)),
        ("due", f"{moment(approval.due_at)}, then {approval.on_timeout}"),
    ]
    for name, value in rows:
        if value:
            table.add_row(name, Text(printable(str(value))))
    return table


def _history(context: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What brought the case back to a person, and other cases that look like the same thing once more."""
    yield "changed since", context.get("difference")
    yield "failed", context.get("failure")
    for sent_back in context.get("history") or ():
        yield "sent back", f"round {sent_back['round']} by {sent_back['reviewer']}: {sent_back['comment']}"
    for other in context.get("near_duplicates") or ():
        yield "looks like", f"{other['exception_id']}, which is {other['state']}"


def _overview(waiting: Sequence[ApprovalNeeded]) -> Table:
    table = Table("", "exception", "proposal", "order", "asks", "due", box=None, padding=(0, 2))
    for number, approval in enumerate(waiting, start=1):
        cells = (
            approval.exception_id,
            proposed(approval.proposal),
            approval.order_id or "",
            asked(approval),
            moment(approval.due_at),
        )
        table.add_row(str(number), *(Text(printable(cell)) for cell in cells))
    return table


def _verdict(approval: ApprovalNeeded) -> Verdict | None:
    allowed = [verdict.value for verdict in approval.allowed_verdicts]
    while True:
        answer = typer.prompt(f"Verdict ({', '.join(allowed)}, or skip)").strip().lower()
        if answer == "skip":
            return None
        if answer in allowed:
            return Verdict(answer)
        typer.echo(f"{printable(answer)!r} is not allowed here")


def _changes(approval: ApprovalNeeded) -> dict[str, Any]:
    """What is left empty stays as proposed; asked again until something differs."""
    while True:
        changes: dict[str, Any] = {}
        if approval.proposal.amount is not None:
            changes |= _amount(approval.proposal.amount.currency)
        methods = ", ".join(PayoutMethod)
        if approval.proposal.method is not None and (method := optional(f"Method ({methods}; empty: as proposed)")):
            changes["method"] = method
        if message := optional("Message to the customer (empty: as proposed)"):
            changes["customer_message"] = message
        changes |= changed_actions(approval)
        if changes:
            return changes
        typer.echo("a modification has to change something")


def _amount(currency: str) -> dict[str, Any]:
    while True:
        answer = optional(f"Amount in {currency} (empty: as proposed)")
        if not answer:
            return {}
        try:
            return {"amount": parse_money(answer, currency).model_dump()}
        except ValueError as error:
            typer.echo(str(error))


def _comment(verdict: Verdict) -> str:
    if verdict is Verdict.REQUEST_CHANGES:
        return str(typer.prompt("What has to change"))
    return optional("Comment (empty: none)")
