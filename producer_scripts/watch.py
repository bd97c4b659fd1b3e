"""Watch approvals, receipts, outcomes and dead letters as they come."""

import asyncio
import json
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

if not __package__:  # run as a file: the folder above holds the packages
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from producer_scripts.command_line import DEFAULT_PREFIX, DEFAULT_SERVERS, AsJson, Prefix, Servers, program, start
from producer_scripts.kafka import Kafka, open_reader
from producer_scripts.received import Received, received
from producer_scripts.rendering import console, lines_of
from schemas.catalogue import APPROVALS, DEAD_LETTERS, DECISION_RECEIPTS, ORDER_OUTCOMES, Topic

WATCHED = {
    "approvals": APPROVALS,
    "receipts": DECISION_RECEIPTS,
    "outcomes": ORDER_OUTCOMES,
    "dead-letters": DEAD_LETTERS,
}


def watch(
    only: Annotated[str, typer.Option(metavar="LIST", help="Of these, with commas between them.")] = ",".join(WATCHED),
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Show what is there already.")] = False,
    until: Annotated[int | None, typer.Option(metavar="N", min=1, help="End after so many events.")] = None,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after a time.")] = None,
    as_json: AsJson = False,
    kafka: Servers = DEFAULT_SERVERS,
    topic_prefix: Prefix = DEFAULT_PREFIX,
) -> None:
    """Watch approvals, receipts, outcomes and dead letters as they come, until Ctrl-C.

    With both --until and --for, a time that runs out before the events came is a failure.
    """
    topics = [_watched(name.strip()) for name in only.split(",")]
    try:
        seen = asyncio.run(
            _watch(Kafka(kafka, topic_prefix), topics, from_beginning, until=until, seconds=seconds, as_json=as_json)
        )
    except KeyboardInterrupt:
        return  # the usual way to end it
    if until is not None and seen < until:
        typer.echo(f"{seen} of {until} events came in {seconds:g} s", err=True)
        raise typer.Exit(1)


def _watched(name: str) -> Topic:
    if name not in WATCHED:
        raise typer.BadParameter(f"--only knows {', '.join(WATCHED)}; it says {name!r}")
    return WATCHED[name]


async def _watch(
    kafka: Kafka,
    topics: list[Topic],
    from_beginning: bool,
    *,
    until: int | None,
    seconds: float | None,
    as_json: bool,
) -> int:
    """How many events were shown; the time begins when the broker has answered."""
    out, seen = console(), 0
    async with open_reader(kafka, *topics, from_beginning=from_beginning) as reader:
        typer.echo(f"watching {', '.join(kafka.name(topic) for topic in topics)} at {kafka.servers}", err=True)
        try:
            async with asyncio.timeout(seconds), aclosing(reader.records()) as records:
                async for topic, record in records:
                    event = received(topic, record)
                    if as_json:
                        typer.echo(json_line(event))
                    else:
                        for line in lines_of(event):
                            out.print(line)
                    seen += 1
                    if seen == until:
                        break
        except TimeoutError:
            pass
    return seen


def json_line(event: Received) -> str:
    fields = {"topic": event.topic.name, "type": event.type, "id": event.id, "data": event.data}
    return json.dumps(fields | ({"problem": event.problem} if event.problem else {}), ensure_ascii=False)


app = program(watch)

if __name__ == "__main__":
    start(app)
