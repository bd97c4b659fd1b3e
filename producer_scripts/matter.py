"""What an approval or an outcome is about besides money, each as a label and a text: an agent's actions, the fields
of an account, an analyst's opinion."""

import json
from collections.abc import Iterator
from typing import Any

from schemas.events import ApprovalNeeded, ResolutionOutcome
from schemas.values import Action, ActionResult

Row = tuple[str, str]


def actions_of(approval: ApprovalNeeded) -> Iterator[Row]:
    """Each action by the number that a decision names it by, with what its executor found out, and those that run
    without a signature."""
    found = {finding["id"]: finding for finding in approval.context.get("actions") or ()}
    for number, action in enumerate(approval.proposal.actions or ()):
        yield f"action {number}", call(action)
        yield from _found(found.get(action.id) or {})
    for action in approval.proposal.passing or ():
        yield "runs as well", f"{call(action)}, which wants no signature"
    for result in approval.context.get("results") or ():
        yield "tried already", told(ActionResult.model_validate(result))


def changes_of(approval: ApprovalNeeded) -> Iterator[Row]:
    """An account change field by field; without what the account says now, what it shall say."""
    differences = approval.context.get("changes")
    if differences is None:
        for field, value in (approval.proposal.changes or {}).items():
            yield "changes", f"{field} → {plain(value)}"
        return
    for one in differences:
        now = f"{plain(one['from'])} " if "from" in one else ""
        yield "changes", f"{one['field']}: {now}→ {plain(one['to'])}"


def advice_of(approval: ApprovalNeeded) -> Iterator[Row]:
    advice = dict(approval.context.get("analysis") or {})
    by = advice.pop("by", "an analyst")
    for name, value in advice.items():
        yield "advice", f"{by}: {name.replace('_', ' ')} {plain(value)}"


def results_of(outcome: ResolutionOutcome) -> Iterator[Row]:
    """What became of each action, and what was changed of an account."""
    for result in outcome.results or ():
        yield "action", told(result)
    for field, value in (outcome.changes or {}).items():
        yield "changes", f"{field} → {plain(value)}"


def call(action: Action) -> str:
    return f"{action.name} {plain(action.args)}" if action.args else action.name


def told(result: ActionResult) -> str:
    """`send_email executed, <id@example.org>`"""
    reference = f", {result.reference}" if result.reference else ""
    problem = f": {result.problem}" if result.problem else ""
    return f"{result.name} {result.status}{reference}{problem}"


def plain(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _found(finding: dict[str, Any]) -> Iterator[Row]:
    shown = {**({"kind": finding["kind"]} if finding.get("kind") else {}), **(finding.get("shown") or {})}
    if shown:
        yield "found", ", ".join(f"{name.replace('_', ' ')} {plain(value)}" for name, value in shown.items())
