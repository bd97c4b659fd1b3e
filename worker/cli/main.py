"""Puts the commands together, and turns every failure that has a name into a sentence and exit code 1."""

import sys

import typer

from worker.adapters.policy.problems import PolicyError
from worker.bootstrap import NotReady
from worker.cli.failure import Failure
from worker.cli.migrate import migrate
from worker.cli.run import run
from worker.settings import SettingsError

NAMED = (Failure, NotReady, PolicyError, SettingsError)
"""Failures whose message tells a person what to do; anything else is a defect and shows its traceback."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command()(run)
app.command()(migrate)


def main() -> None:
    try:
        app()
    except NAMED as failure:
        sys.stderr.write(f"signoff: {failure}\n")
        sys.exit(1)
