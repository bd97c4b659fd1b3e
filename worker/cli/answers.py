"""Sending decisions and commands, and hearing the worker's answer to each.

Nothing is written to the database from here: the worker alone says what they do, in receipts.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Annotated

import typer

from schemas.values import Reviewer
from worker.adapters.kafka.receipts import ReceiptWatch, receipts_from_now
from worker.adapters.kafka.sending import Sender, Sending, sender
from worker.adapters.kafka.topics import missing_topics
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures, patiently
from worker.cli.output import in_utc, note, print_json, print_line
from worker.domain.approval import Receipt
from worker.settings import Settings
from worker.translation.inbound import Record

RECEIPT_WAIT_S = 15.0

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the answer, or only send.")]
Timeout = Annotated[float, typer.Option(min=0.1, max=3600, help="Give up when no answer has come for so many seconds.")]

Heard = Callable[[Receipt], None]


def reviewer_of(reviewer: str, roles: Sequence[str]) -> Reviewer:
    """Raises BadParameter, which is exit code 2, for an empty id or role.

    A role is not demanded: whoever a question was delegated to needs none, and a register knows everybody's.
    """
    return Reviewer(id=filled(reviewer, "--reviewer"), roles=tuple(filled(role, "--role") for role in roles))


def filled(text: str, option: str) -> str:
    if not text.strip():
        raise typer.BadParameter("must not be empty", param_hint=option)
    return text.strip()


async def send_and_hear(
    settings: Settings,
    records: Sequence[Record],
    awaited: Collection[str],
    wait_s: float | None,
    heard: Heard = lambda _: None,
) -> dict[str, Receipt]:
    """The receipts of the `awaited` ids, each told to `heard` as it comes; of those that are missing, none came.

    Gives up when none has come for `wait_s` seconds; with None nothing is waited for. Raises Failure when Kafka is
    away, or lacks a topic.
    """
    servers = settings.kafka_bootstrap_servers
    with named_failures(settings):
        async with patiently():
            missing = await missing_topics(servers, settings.topic_prefix)
        if missing:
            raise Failure(f"Kafka at {servers} lacks the topics {', '.join(missing)}; run `signoff migrate` first")
        async with sender(servers) as producer:
            if wait_s is None:
                await _send(producer, settings, records)
                return {}
            # The watch stands at the end of the receipts before anything is sent: no answer is missed.
            async with receipts_from_now(servers, settings.topic_prefix) as watch:
                await _send(producer, settings, records)
                return await _hear(watch, awaited, wait_s, heard)


async def send_one(settings: Settings, record: Record, sent_id: str, wait_s: float | None, name: str) -> Receipt | None:
    """The receipt of the one decision or command in the record; None when it is not waited for.

    Raises Failure when none came in time; `name` is what the user called the case.
    """
    receipts = await send_and_hear(settings, [record], {sent_id}, wait_s)
    if wait_s is not None and sent_id not in receipts:
        raise Failure(
            f"{sent_id} was sent, and no receipt came in {wait_s:g} s; it is not lost: "
            f"see that a worker runs (`signoff doctor`), then `signoff cases show {name}`"
        )
    return receipts.get(sent_id)


def conclude(receipt: Receipt | None, sent_id: str, as_json: bool) -> None:
    """Shows the answer, or that none is waited for. Raises Exit with 1 when it was no."""
    if receipt is None:
        if as_json:
            print_json({"decision_id": sent_id, "sent": True})
        else:
            print_line(f"sent {sent_id}; its receipt is not waited for")
        return
    if as_json:
        print_json(receipt.model_dump(mode="json"))
    else:
        print_line(f"{receipt.code}: {receipt.message}")
        if receipt.decided_by is not None:
            note(f"decided by {receipt.decided_by} at {in_utc(receipt.decided_at)}")
    if not receipt.accepted:
        raise typer.Exit(1)


async def _send(producer: Sender, settings: Settings, records: Sequence[Record]) -> None:
    for record in records:
        await producer.send(Sending(settings.topic_prefix + record.topic, record.key, record.value, record.headers))


async def _hear(watch: ReceiptWatch, awaited: Collection[str], wait_s: float, heard: Heard) -> dict[str, Receipt]:
    receipts: dict[str, Receipt] = {}
    left = set(awaited)
    while left:
        try:
            receipt = await asyncio.wait_for(watch.receipt_of(left), wait_s)
        except TimeoutError:
            break
        left.discard(receipt.decision_id)
        receipts[receipt.decision_id] = receipt
        heard(receipt)
    return receipts
