"""Publish many made-up exceptions at a steady rate, and count what becomes of them."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if not __package__:  # run as a file: the folder above holds the packages
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from producer_scripts.command_line import (
    DEFAULT_PREFIX,
    DEFAULT_SERVERS,
    AsJson,
    Prefix,
    Servers,
    program,
    start,
    wrong_usage,
)
from producer_scripts.deciding import new_decision_id
from producer_scripts.envelopes import Outgoing, outgoing
from producer_scripts.kafka import Delivered, Kafka, Reader, Sender, open_reader, open_sender
from producer_scripts.received import received
from producer_scripts.tally import Summary, Tally
from producer_scripts.traffic import Traffic, parse_mix
from schemas.catalogue import (
    APPROVALS,
    DEAD_LETTERS,
    DECISION_RECEIPTS,
    ORDER_EXCEPTIONS,
    ORDER_OUTCOMES,
    REVIEW_DECISIONS,
)
from schemas.events import ApprovalNeeded, ExceptionRaised, ReviewDecided
from schemas.values import Verdict

DEFAULT_MIX = "refund=70,cancellation=10,price_adjustment=10,account_change=10"


def flood(
    rate: Annotated[float, typer.Option(metavar="N", min=0.001, help="Exceptions a second.")] = 200.0,
    count: Annotated[int, typer.Option(metavar="N", min=1, max=1_000_000, help="How many in all.")] = 1000,
    mix: Annotated[str, typer.Option(metavar="KIND=WEIGHT,…")] = DEFAULT_MIX,
    over_limit: Annotated[float, typer.Option(min=0, max=1, help="The share that needs a person.")] = 0.3,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed makes the same traffic.")] = 1,
    decide: Annotated[bool, typer.Option("--decide", help="Approve each approval as it comes.")] = False,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Give up when nothing comes for so long; 0 only sends.")
    ] = 15.0,
    as_json: AsJson = False,
    kafka: Servers = DEFAULT_SERVERS,
    topic_prefix: Prefix = DEFAULT_PREFIX,
) -> None:
    """Publish many made-up exceptions at a steady rate, and count what becomes of them.

    Fails when something stays unanswered.
    """
    if decide and not wait:
        raise typer.BadParameter("--decide has to wait for approvals: leave out --wait 0")
    with wrong_usage():
        traffic = Traffic(run=uuid4().hex[:12], count=count, mix=parse_mix(mix), over_limit=over_limit, seed=seed)
    summary = asyncio.run(_flood(Kafka(kafka, topic_prefix), traffic, rate, decide=decide, wait_s=wait))
    typer.echo(json.dumps(asdict(summary)) if as_json else _sentences(summary))
    if wait and summary.unanswered:
        raise typer.Exit(1)


async def _flood(kafka: Kafka, traffic: Traffic, rate: float, *, decide: bool, wait_s: float) -> Summary:
    exceptions = list(traffic.exceptions())
    tally = Tally(
        frozenset(exception["exception_id"] for exception in exceptions), decide, kafka.name(ORDER_EXCEPTIONS)
    )
    heard_of = (APPROVALS, DECISION_RECEIPTS, ORDER_OUTCOMES, DEAD_LETTERS)
    async with (
        open_reader(kafka, *heard_of) as reader,
        open_sender(kafka, ORDER_EXCEPTIONS, REVIEW_DECISIONS) as sender,
    ):
        listening = asyncio.create_task(_listen(reader, sender, tally, decide=decide))
        try:
            with _progress() as progress:
                sent = progress.add_task("sent", total=len(exceptions))
                seconds = await _send(sender, exceptions, rate, tally, lambda: progress.advance(sent))
                settled = progress.add_task("settled", total=len(exceptions), visible=wait_s > 0)
                if wait_s:
                    await _settle(
                        tally, listening, wait_s, lambda: progress.update(settled, completed=len(tally.settled))
                    )
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    return tally.summary(traffic.run, len(exceptions), seconds)


async def _send(
    sender: Sender, exceptions: list[dict[str, Any]], rate: float, tally: Tally, advance: Callable[[], None]
) -> float:
    """Keeps to a timetable, so that a slow moment is caught up; ends at the first failure.

    Returns the seconds until the broker had all.
    """
    began = time.perf_counter()
    try:
        async with asyncio.TaskGroup() as arrivals:
            for number, exception in enumerate(exceptions):
                ahead = began + number / rate - time.perf_counter()
                await asyncio.sleep(max(ahead, 0))
                record = outgoing(ExceptionRaised.TYPE, exception, key=exception["order_id"])
                posted = await sender.post(ORDER_EXCEPTIONS, record)
                arrivals.create_task(_arrival(posted, exception["exception_id"], tally))
                advance()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return time.perf_counter() - began


async def _arrival(posted: "asyncio.Future[Delivered]", exception_id: str, tally: Tally) -> None:
    tally.delivered(exception_id, await posted)


async def _listen(reader: Reader, sender: Sender, tally: Tally, *, decide: bool) -> None:
    """Counts what comes; with `decide`, approves what is asked, once for each approval."""
    answered: set[str] = set()
    async with aclosing(reader.records()) as records:
        async for topic, record in records:
            event = received(topic, record)
            tally.saw(event, time.perf_counter())
            asked = event.event
            if (
                decide
                and isinstance(asked, ApprovalNeeded)
                and asked.exception_id in tally.awaited
                and asked.approval_id not in answered
            ):
                answered.add(asked.approval_id)
                decision_id = new_decision_id()
                tally.decided(decision_id, asked.exception_id, time.perf_counter())
                await sender.post(REVIEW_DECISIONS, _approval_of(asked, decision_id))


def _approval_of(asked: ApprovalNeeded, decision_id: str) -> Outgoing:
    decision = {
        "decision_id": decision_id,
        "approval_id": asked.approval_id,
        "verdict": Verdict.APPROVE,
        # Nobody signs two levels of a case.
        "reviewer": {"id": f"user:flood-{asked.level.name}", "roles": [asked.role or asked.level.name]},
        "review_hash": asked.review_hash,
    }
    return outgoing(ReviewDecided.TYPE, decision, key=asked.order_id or asked.exception_id)


async def _settle(tally: Tally, listening: "asyncio.Task[None]", patience_s: float, show: Callable[[], None]) -> None:
    """Until everything is settled, or nothing was for `patience_s`. Raises what ended the listening."""
    complete = asyncio.create_task(tally.complete.wait())
    settled, changed_at = -1, time.perf_counter()
    while not complete.done() and time.perf_counter() - changed_at < patience_s:
        await asyncio.wait({complete, listening}, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
        if len(tally.settled) != settled:
            settled, changed_at = len(tally.settled), time.perf_counter()
        show()
    complete.cancel()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _sentences(summary: Summary) -> str:
    lines = [
        f"run {summary.run}: {summary.sent} exceptions sent, {summary.sent_per_s} a second",
        f"{summary.approvals} approvals asked for, {summary.decided} decisions sent, {summary.outcomes} outcomes",
        f"{summary.refused} refused, {summary.unanswered} unanswered",
    ]
    if summary.latency_ms:
        lines.append(f"decision to outcome: p50 {summary.latency_ms.p50} ms, p99 {summary.latency_ms.p99} ms")
    return "\n".join(lines)


app = program(flood)

if __name__ == "__main__":
    start(app)
