"""How commands speak: results on standard output, notes on standard error.

Much of what is shown was written by strangers. On a terminal it must neither move the cursor nor reorder the line,
so everything that is not printable is shown escaped; JSON is plain ASCII for the same reason.
"""

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 1000
"""Columns where there is no terminal: nothing is folded, so that `grep` finds whole ids."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs instead.")]


def print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))


def print_line(text: str = "") -> None:
    typer.echo(printable(text))


def note(text: str) -> None:
    """For the person at the keyboard: never part of a result that a program reads."""
    typer.echo(printable(text), err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, long: Collection[str]) -> None:
    """The `long` columns take the room that is left, over several lines; the others stay in one piece."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        if column in long:
            table.add_column(column, overflow="fold")
        else:
            table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    _console().print(table)


def print_fields(fields: Iterable[tuple[str, str | Sequence[str]]]) -> None:
    """Names, and the value or the values of each; what is empty is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, given in fields:
        values = [given] if isinstance(given, str) else given
        for place, value in enumerate(value for value in values if value):
            grid.add_row("" if place else name, Text(printable(value)))
    _console().print(grid)


def printable(text: str) -> str:
    """The text with control, format and other invisible characters escaped, those that turn its direction too."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def in_utc(time: datetime | None) -> str:
    """`2026-01-31 12:00:00Z`: to the second, always in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if time else ""


def instant(time: datetime | None) -> str | None:
    """RFC 3339 in UTC, for programs."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else None


def in_words(span: timedelta) -> str:
    """The two largest units of a span: `2 d 3 h`, `4 min`, `12 s`."""
    seconds = int(span.total_seconds())
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _console() -> Console:
    on_terminal = sys.stdout.isatty()
    return Console(file=sys.stdout, width=None if on_terminal else PIPE_WIDTH, highlight=False, soft_wrap=False)
