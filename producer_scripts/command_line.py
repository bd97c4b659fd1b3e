"""What the four programs have in common: where Kafka is, how a failure is told, how they end.

Exit codes: 0 done, 1 a failure that is named (or an interrupt before the end), 2 wrong usage.
"""

import functools
import logging
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from pydantic import ValidationError

from producer_scripts.envelopes import Mode
from producer_scripts.failure import Failure
from producer_scripts.validation import problem_of

Servers = Annotated[
    str,
    typer.Option(
        "--kafka", metavar="HOST:PORT", envvar="SIGNOFF_KAFKA_BOOTSTRAP_SERVERS", help="Kafka's bootstrap servers."
    ),
]
Prefix = Annotated[
    str,
    typer.Option(
        "--topic-prefix", metavar="TEXT", envvar="SIGNOFF_TOPIC_PREFIX", help="Stands in front of every topic."
    ),
]
Plain = Annotated[bool, typer.Option("--plain", help="Send bare JSON, without CloudEvents attributes.")]
Structured = Annotated[bool, typer.Option("--structured", help="Send CloudEvents in structured mode.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]

DEFAULT_SERVERS = "127.0.0.1:9092"
DEFAULT_PREFIX = ""

SENDING = frozenset({"kafka", "topic_prefix", "plain", "structured", "as_json"})
"""The parameters that go with every way of saying what to send."""


def mode_of(*, plain: bool, structured: bool) -> Mode:
    if plain and structured:
        raise typer.BadParameter("--plain and --structured exclude each other")
    return Mode.PLAIN if plain else Mode.STRUCTURED if structured else Mode.BINARY


@contextmanager
def wrong_usage() -> Iterator[None]:
    """What flags say wrongly is wrong usage, whoever finds it out."""
    try:
        yield
    except ValidationError as error:
        raise typer.BadParameter(problem_of(error)) from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def refuse_others(context: typer.Context, way: str, allowed: Collection[str]) -> None:
    """A flag that would have no effect is a misunderstanding, and is refused."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name not in allowed and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"{parameter.opts[0]} has no meaning with {way}")


def program(command: Callable[..., None]) -> typer.Typer:
    """The command with its errors told in sentences; it is what the tests call, too."""

    @functools.wraps(command)
    def told(*arguments: object, **options: object) -> None:
        try:
            command(*arguments, **options)
        except Failure as failure:
            typer.echo(str(failure), err=True)
            raise typer.Exit(1) from None
        except (KeyboardInterrupt, typer.Abort):
            raise typer.Exit(1) from None

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(told)
    return app


def start(app: typer.Typer) -> None:
    """Runs the program of this process. The Kafka client's own log is silenced: failures are told once, by us."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()
