"""What the commands of `signoff audit` that write files have in common: a period, and where the result goes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from worker.adapters.reviewers.moments import moment
from worker.cli.failure import Failure


def _moment(text: str | datetime) -> datetime:
    try:
        return text if isinstance(text, datetime) else moment(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} {error}") from error


From = typer.Option("--from", parser=_moment, metavar="DATE", help="From this day or time on.")
To = typer.Option(
    "--to", parser=_moment, metavar="DATE", help="Up to, not including, this day or time; else up to now."
)
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file; else to standard output.")]


def check_order(begin: datetime | None, end: datetime | None) -> None:
    if begin is not None and end is not None and end <= begin:
        raise typer.BadParameter(
            "must be after --from; a day ends with the next one: January is up to 2026-02-01", param_hint="--to"
        )


@contextmanager
def destination(out: Path | None) -> Iterator[TextIO]:
    """The file, which appears when it is whole, or standard output. Raises Failure when it cannot be written."""
    if out is None:
        yield sys.stdout
        return
    half_written = out.with_name(f"{out.name}.part")
    try:
        with half_written.open("w", encoding="utf-8", newline="") as file:
            yield file
        half_written.replace(out)
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:
        raise Failure(f"{out}: cannot be written: {error.strerror or error}; give another --out") from error
    finally:
        half_written.unlink(missing_ok=True)
