"""Publish order exceptions: from flags, from a file of JSON or JSON Lines, or from standard input."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

if not __package__:  # run as a file: the folder above holds the packages
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from producer_scripts import raising
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
    wrong_usage,
)
from producer_scripts.envelopes import Mode, Outgoing, outgoing
from producer_scripts.json_input import STANDARD_INPUT, raw_records, read_values
from producer_scripts.kafka import Kafka, open_sender
from producer_scripts.validation import validated
from schemas.catalogue import ORDER_EXCEPTIONS
from schemas.events import ExceptionRaised, ExceptionWithdrawn
from schemas.values import CustomerTier, ExceptionKind, OrderStatus

Labelled = tuple[str, Outgoing]
"""What to call a record when telling that it was sent, and the record."""

Text = Annotated[str | None, typer.Option(metavar="TEXT", show_default=False)]
Id = Annotated[str | None, typer.Option(metavar="ID", show_default=False)]
Amount = Annotated[str | None, typer.Option(metavar="AMOUNT", show_default=False, help="In major units: 150.00")]


def raise_exception(
    context: typer.Context,
    *,
    kind: Annotated[ExceptionKind | None, typer.Option(help="What is asked for.")] = None,
    order: Id = None,
    customer: Id = None,
    exception_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="Generated when left out.")] = None,
    requested_by: Annotated[str, typer.Option(metavar="WHO")] = "script:raise_exception",
    amount: Amount = None,
    currency: Annotated[str, typer.Option(metavar="ISO", help="Of every amount here.")] = "USD",
    reason: Text = None,
    reason_code: Text = None,
    confidence: Annotated[float | None, typer.Option(help="From 0 to 1.")] = None,
    items: Annotated[list[str] | None, typer.Option("--item", metavar="SKU:QTY", help="Repeatable.")] = None,
    customer_requests_human: Annotated[bool, typer.Option("--customer-requests-human")] = False,
    failed_attempts: Annotated[int | None, typer.Option(metavar="N")] = None,
    irreversible: Annotated[bool, typer.Option("--irreversible")] = False,
    flags: Annotated[list[str] | None, typer.Option("--compliance-flag", metavar="WORD", help="Repeatable.")] = None,
    alternatives: Annotated[
        list[str] | None,
        typer.Option("--alternative", metavar="ACTION[:METHOD[:AMOUNT]]", help="Repeatable."),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--change", metavar="FIELD=VALUE", help="Of an account. Repeatable.")
    ] = None,
    actions: Annotated[
        list[str] | None, typer.Option("--action", metavar="NAME[=JSON]", help="A tool call. Repeatable.")
    ] = None,
    captured: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="What was paid: sends a snapshot of the order along.")
    ] = None,
    refunded: Amount = None,
    status: Annotated[OrderStatus | None, typer.Option(help="Of the order, with --captured.")] = None,
    payment_method: Text = None,
    vip: Annotated[bool, typer.Option("--vip", help="Sends along that the customer is a VIP.")] = False,
    customer_name: Text = None,
    account: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="What the account says now. Repeatable.")
    ] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="To write to the customer in: de, pt-BR.")] = None,
    file: Annotated[str | None, typer.Option(metavar="FILE", help="JSON or JSON Lines; - is standard input.")] = None,
    withdraw: Annotated[str | None, typer.Option(metavar="ID", help="Withdraw this exception instead.")] = None,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Send the bytes of the file as they are.")] = False,
    plain: Plain = False,
    structured: Structured = False,
    as_json: AsJson = False,
    kafka: Servers = DEFAULT_SERVERS,
    topic_prefix: Prefix = DEFAULT_PREFIX,
) -> None:
    """Publish order exceptions: by flags, from a file of JSON or JSON Lines, or from standard input."""
    mode = mode_of(plain=plain, structured=structured)
    source = file or (STANDARD_INPUT if kind is None and withdraw is None and not sys.stdin.isatty() else None)
    if sum(way is not None for way in (kind, withdraw, source)) != 1:
        raise typer.BadParameter("say either --kind and what belongs to it, or --file, or --withdraw")
    if no_validate and source is None:
        raise typer.BadParameter("--no-validate needs --file or standard input")
    if withdraw is not None:
        refuse_others(context, "--withdraw", {"withdraw", "order", "requested_by", "reason", *SENDING})
        records = [_withdrawal(withdraw, order, requested_by, reason, mode)]
    elif source is not None:
        refuse_others(context, "--file", {"file", "no_validate", *SENDING})
        records = _untouched(source) if no_validate else _from_file(source, mode)
    else:
        with wrong_usage():
            draft = raising.given(
                {
                    "exception_id": exception_id or raising.new_exception_id(),
                    "kind": kind,
                    "order_id": order,
                    "customer_id": customer,
                    "requested_by": requested_by,
                    "reason": reason,
                    "reason_code": reason_code,
                    "amount": raising.money(amount, currency),
                    "items": [raising.item(text) for text in items or ()],
                    "confidence": confidence,
                    "customer_requests_human": customer_requests_human,
                    "failed_attempts": failed_attempts,
                    "irreversible": irreversible,
                    "compliance_flags": flags,
                    "alternatives": [raising.alternative(text, currency) for text in alternatives or ()],
                    "changes": raising.changes(changes or ()),
                    "actions": [raising.action(text) for text in actions or ()],
                    "order": raising.order_snapshot(captured, refunded, currency, status, payment_method),
                    "customer": raising.given(
                        {
                            "tier": CustomerTier.VIP if vip else None,
                            "name": customer_name,
                            "language": language,
                            "account": raising.changes(account or ()),
                        }
                    ),
                }
            )
            records = [_labelled(ExceptionRaised.model_validate(draft), draft, mode)]
    asyncio.run(_send(Kafka(kafka, topic_prefix), records, as_json=as_json))


def _labelled(event: ExceptionRaised, data: Mapping[str, Any], mode: Mode) -> Labelled:
    return event.exception_id, outgoing(event.TYPE, data, key=event.record_key, mode=mode)


def _from_file(source: str, mode: Mode) -> list[Labelled]:
    values = read_values(source)
    events = validated(values, ExceptionRaised)
    return [_labelled(event, value.data, mode) for event, value in zip(events, values, strict=True)]


def _untouched(source: str) -> list[Labelled]:
    return [(f"{len(raw)} bytes", Outgoing(None, raw)) for raw in raw_records(source)]


def _withdrawal(exception_id: str, order: str | None, requested_by: str, reason: str | None, mode: Mode) -> Labelled:
    """With the order's id as its key it cannot overtake the exception that it withdraws."""
    if mode is Mode.PLAIN:
        raise typer.BadParameter("a withdrawal needs its CloudEvents type: leave out --plain")
    with wrong_usage():
        draft = raising.given({"exception_id": exception_id, "requested_by": requested_by, "reason": reason})
        event = ExceptionWithdrawn.model_validate(draft)
    return exception_id, outgoing(event.TYPE, draft, key=order or event.exception_id, mode=mode)


async def _send(kafka: Kafka, records: Sequence[Labelled], *, as_json: bool) -> None:
    async with open_sender(kafka, ORDER_EXCEPTIONS) as sender:
        delivered = await sender.send(ORDER_EXCEPTIONS, [record for _, record in records])
    for (label, _), place in zip(records, delivered, strict=True):
        sent = {"id": label, **asdict(place)}
        typer.echo(json.dumps(sent) if as_json else f"sent {label} to {place}")


app = program(raise_exception)

if __name__ == "__main__":
    start(app)
