"""Puts the commands together, and turns every failure that has a name into a sentence and exit code 1."""

from typing import Any

import typer
from typer.core import TyperGroup

from worker.adapters.notifications.problems import NotificationsError
from worker.adapters.policy.problems import PolicyError
from worker.cli.analyse import analyse
from worker.cli.approvals import approvals
from worker.cli.audit import audit
from worker.cli.cases import cases
from worker.cli.dead_letters import dead_letters
from worker.cli.decide import decide
from worker.cli.doctor import doctor
from worker.cli.failure import Failure
from worker.cli.migrate import migrate
from worker.cli.notifications import notifications
from worker.cli.policy import policy
from worker.cli.recover import recover
from worker.cli.reviewers import reviewers
from worker.cli.run import run
from worker.cli.simulate import simulate
from worker.cli.up import up
from worker.cli.webhooks import webhooks
from worker.settings import NotReady, SettingsError

NAMED = (Failure, NotificationsError, NotReady, PolicyError, SettingsError)
"""Failures whose message tells a person what to do; anything else is a defect and shows its traceback."""


class NamedFailures(TyperGroup):
    """Says a named failure in one sentence on standard error."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except NAMED as failure:
            typer.echo(f"signoff: {failure}", err=True)
            raise typer.Exit(1) from failure


HELP = """Resolve order exceptions with people in the loop.

Settings come from the environment, as SIGNOFF_…; docs/settings.md lists them. Exit codes: 0 done, 1 a failure that is
named on standard error, 2 wrong usage.
"""

app = typer.Typer(
    cls=NamedFailures, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP
)
app.command()(up)
app.command()(run)
app.command()(webhooks)
app.command()(migrate)
app.command()(doctor)
cases.command("recover")(recover)
app.add_typer(cases, name="cases")
app.add_typer(approvals, name="approvals")
app.command()(decide)
app.command()(simulate)
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(notifications, name="notifications")
app.add_typer(policy, name="policy")
app.add_typer(reviewers, name="reviewers")
app.add_typer(audit, name="audit")
app.add_typer(analyse, name="analyse")


def main() -> None:
    app()
