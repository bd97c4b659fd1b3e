"""What the person at the terminal sees: colours and columns there, plain lines anywhere else."""

import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.events import ApprovalNeeded, Event
from worker.adapters.postgres.case_listing import CaseLine
from worker.cli.output import PIPE_WIDTH, in_words, printable
from worker.cli.up.narration import Told, tell

CROWD = 100
"""More events at once than a person can read: they are counted instead."""

REMEMBERED = 10_000
"""Approvals, the latest: a session may run for weeks."""

ABOUT_WIDTH, WHAT_WIDTH = 22, 11

COLOURS = {
    "raised": "cyan",
    "waits": "yellow",
    "decision": "magenta",
    "receipt": "magenta",
    "executed": "green",
    "rejected": "red",
    "refused": "red",
    "dead letter": "red",
    "failed": "red",
    "expired": "red",
}


class View:
    """`titles` names exceptions that have a name of their own, such as the demo's scenarios."""

    def __init__(self, *, on_stderr: bool) -> None:
        stream = sys.stderr if on_stderr else sys.stdout
        self._console = Console(
            file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=not stream.isatty()
        )
        self._exception_of_approval: dict[str, str] = {}
        self.titles: dict[str, str] = {}

    def say(self, line: str) -> None:
        """A remark of ours, not an event."""
        self._console.print(Text(line, style="dim"))

    def headline(self, line: str) -> None:
        self._console.print(Text(line, style="bold"))

    def show(self, events: Sequence[Event]) -> None:
        """One line for each, or one for all when they are a crowd."""
        for event in events:
            self._remember(event)
        told = [line for event in events if (line := tell(event)) is not None]
        if len(told) <= CROWD:
            for line in told:
                self._line(line)
        else:
            counts = Counter(line.what for line in told)
            shown = ", ".join(f"{count} {what}" for what, count in counts.most_common())
            self._line(Told("many at once", "events", shown))

    def waiting(self, cases: Sequence[CaseLine], *, more: bool, environment: Mapping[str, str]) -> None:
        """Which cases wait, why, and the line to type for each."""
        signoff = command_name()
        count = f"More than {len(cases)} cases wait" if more else f"{len(cases)} cases wait"
        self.headline(f"\n{count if len(cases) != 1 else '1 case waits'} for a person. In another terminal, type:")
        if environment:
            shown = " ".join(f"{name}={value}" for name, value in environment.items())
            self._command(f"export {shown}")
        for case in cases:
            self._file(str(case.approval_id), case.exception_id)
            title = self.titles.get(case.exception_id, case.exception_id)
            why = "; ".join(rule.says for rule in case.rules)
            amount = f" of {case.proposed.amount}" if case.proposed.amount else ""
            due = f", due in {in_words(case.due_at - case.now)}" if case.due_at else ""
            kind = case.kind.replace("_", " ")
            self._console.print(Text(f"\n  {printable(f'{title}: {kind}{amount}, because {why}{due}')}"))
            self._command(
                f"{signoff} decide {printable(case.exception_id)} approve --reviewer user:you --role {case.role}"
            )
        self.say("\n  Instead of approve: reject, or modify with --amount 20.00. Why a case waits, and who did what:")
        self.say(f"  {signoff} cases list, {signoff} cases show ID")

    def _remember(self, event: Event) -> None:
        """Receipts name the approval only; its exception says more to a person."""
        if isinstance(event, ApprovalNeeded):
            self._file(event.approval_id, event.exception_id)

    def _file(self, approval_id: str, exception_id: str) -> None:
        self._exception_of_approval[approval_id] = exception_id
        if len(self._exception_of_approval) > REMEMBERED:
            del self._exception_of_approval[next(iter(self._exception_of_approval))]

    def _command(self, line: str) -> None:
        self._console.print(Text(f"    {line}", style="bold green"), soft_wrap=True)

    def _line(self, told: Told) -> None:
        about = self._exception_of_approval.get(told.about, told.about)
        about = printable(self.titles.get(about, about))
        says, now = printable(told.says), f"{datetime.now().astimezone():%H:%M:%S}"
        if not self._console.is_terminal:
            self._console.print(Text(f"{now}  {about:<{ABOUT_WIDTH}}  {told.what:<{WHAT_WIDTH}}  {says}"))
            return
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=8, style="dim")
        grid.add_column(width=ABOUT_WIDTH, no_wrap=True, overflow="ellipsis")
        grid.add_column(width=WHAT_WIDTH, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(now, Text(about), Text(told.what, style=COLOURS.get(told.what, "")), Text(says))
        self._console.print(grid)


def command_name() -> str:
    """How to call us again: by name when the shell finds us, else by the path that was typed."""
    typed = Path(sys.argv[0])
    if typed.name == "__main__.py":
        return f"{sys.executable} -m worker"
    found = shutil.which("signoff")
    return "signoff" if found and Path(found).resolve() == typed.resolve() else str(typed)
