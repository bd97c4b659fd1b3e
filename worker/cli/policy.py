"""`signoff policy`: check a policy file before it is used, and ask it about one event.

Neither needs a broker or a database: both belong into the review of a change to the policy.
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from worker.adapters.policy.explanation import (
    ActionExplanation,
    Explanation,
    LevelExplanation,
    RuleExplanation,
    explain,
)
from worker.adapters.policy.loading import load_policy
from worker.adapters.policy.problems import PolicyError
from worker.cli.event_file import facts_in
from worker.cli.failure import Failure
from worker.cli.output import AsJson, note, print_fields, print_json, print_line, print_table
from worker.domain.approval_policy import ApprovalPolicy
from worker.settings import read_settings

_WHY = "why, or the condition that does not hold"

policy = typer.Typer(no_args_is_help=True, help="Check a policy file, or ask what a policy says about an event.")


@policy.command("check")
def check(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: AsJson = False) -> None:
    """Check a policy file. Every problem is told with its line and what to do; exit code 1 if there is one."""
    try:
        checked = load_policy(file)
    except PolicyError as error:
        if not as_json:
            raise
        print_json({"ok": False, "file": str(file), "problems": [asdict(problem) for problem in error.problems]})
        raise typer.Exit(1) from error
    if as_json:
        print_json({"ok": True, "file": str(file), **_summary(checked)})
        return
    print_line(f"{file}: in order")
    print_fields((name.replace("_", " "), value) for name, value in _summary(checked).items())


def _summary(checked: ApprovalPolicy) -> dict[str, str | list[str]]:
    passing = [name for name, terms in checked.actions.items() if terms.passes]
    signed = [name for name in checked.actions if name not in passing]
    return {
        "policy": checked.reference.name,
        "version": checked.reference.version,
        "levels": list(checked.levels),
        "rules": [rule.id for rule in checked.rules if not rule.built_in],
        "built_in": [rule.id for rule in checked.rules if rule.built_in],
        **({"signed_actions": signed, "unsigned_actions": passing} if checked.actions else {}),
    }


@policy.command("explain")
def explain_event(
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="A JSON file with an exception, or - for standard input.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="This policy; else the one in SIGNOFF_POLICY_FILE, else the default."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what the policy would do about an event, which rules fire, and why."""
    facts = facts_in(_bytes_of(event), "standard input" if event == "-" else event)
    asked = load_policy(file or read_settings().policy_file)
    explanation = explain(asked, facts)
    if facts.order is None and facts.exception.order_id is not None:
        note("the event has no `order` snapshot; the worker would ask the shop, here the order counts as unknown")
    if asked.exposure is not None:
        note("other cases of the customer and of the order are not looked at here; the worker would add them up")
    if as_json:
        print_json(asdict(explanation))
    else:
        _print(facts.exception.exception_id, explanation)


def _bytes_of(event: str) -> bytes:
    if event == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(event).read_bytes()
    except OSError as error:
        raise Failure(
            f"{event}: cannot be read: {error.strerror or error}; give a JSON file, or - for standard input"
        ) from error


def _print(exception_id: str, explanation: Explanation) -> None:
    print_line(explanation.what_happens)
    print_line()
    print_fields(
        [
            ("exception", exception_id),
            ("amount", explanation.amount or ""),
            ("asked", " → ".join(map(_level, explanation.levels)) or "nobody"),
            ("actions", [f"{action.name} {_action(action)}" for action in explanation.actions]),
            ("risk", explanation.risk),
            ("policy", f"{explanation.policy} {explanation.version}"),
        ]
    )
    print_line()
    print_table(("rule", "fires", "levels", _WHY), map(_row, explanation.rules), long=(_WHY,))


def _level(level: LevelExplanation) -> str:
    quorum = f" ({level.quorum} people)" if level.quorum > 1 else ""
    return f"{level.name}{f', {level.part}' if level.part else ''}{quorum}"


def _action(action: ActionExplanation) -> str:
    if action.problem is not None:
        return f"has arguments that break the policy's schema: {action.problem}"
    return "waits for a signature" if action.waits else "wants no signature"


def _row(rule: RuleExplanation) -> tuple[str, ...]:
    levels = ", ".join(rule.levels)
    why = rule.says if rule.fired else rule.when or "built in"
    return rule.id, "yes" if rule.fired else "no", f"{levels} if nobody else" if rule.fallback else levels, why
