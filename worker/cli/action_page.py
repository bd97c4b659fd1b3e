"""What a case would do besides paying: an agent's actions with what became of each, and the fields of an account."""

import json
from collections.abc import Iterator
from typing import Any

from schemas.values import Action, ActionResult, Proposal
from worker.adapters.postgres.case_listing import CaseFile
from worker.cli.output import print_line, print_table
from worker.domain.account_changes import difference
from worker.domain.analysis import Opinion
from worker.domain.exception_case import Case, CaseState
from worker.domain.order_exception import ActionFindings
from worker.domain.tool_calls import results_of

LONGEST = 300
"""Characters of one cell; `--json` has all of it."""


def print_actions(file: CaseFile) -> None:
    """One line for each action that was asked for. The number is the one that a decision names it by."""
    if file.case.exception.actions:
        print_table(
            ("no.", "action", "arguments", "run by", "found", "stands", "answer"),
            list(_rows(file)),
            long=("arguments", "found", "answer"),
        )
        print_line()


def print_account_changes(case: Case) -> None:
    account = case.facts.customer.account if case.facts.customer else None
    changes = difference(account, case.exception.changes)
    if changes:
        rows = [(one["field"], _plain(one["from"]) if "from" in one else "?", _plain(one["to"])) for one in changes]
        print_table(("field", "now", "would be" if case.finished_at is None else "asked for"), rows, long=("field",))
        print_line()


def advice(opinion: Opinion | None) -> list[str]:
    """What the analyst makes of it, one thing a line."""
    if opinion is None:
        return []
    said = opinion.model_dump(mode="json", exclude_defaults=True, exclude={"by"})
    return [f"{opinion.by}: {name.replace('_', ' ')} {_plain(value)}" for name, value in said.items()]


def _rows(file: CaseFile) -> Iterator[tuple[str, ...]]:
    case, approval = file.case, file.open_approval
    proposal = approval.question.proposal if approval else case.proposal
    latest = {action.id: action for action in (*(proposal.actions or ()), *(proposal.passing or ()))}
    numbers = {action.id: str(number) for number, action in enumerate(proposal.actions or ())} if approval else {}
    found = {finding.id: finding for finding in case.facts.findings}
    results = {result.id: result for result in (results_of(case) if case.finished_at else case.facts.results)}
    for asked in case.exception.actions:
        action, result = latest.get(asked.id, asked), results.get(asked.id or "")
        yield (
            numbers.get(asked.id, ""),
            action.name,
            _plain(action.args) if action.args else "",
            *_known(found.get(asked.id or "")),
            _standing(action, result, proposal, case.state),
            _answer(result),
        )


def _known(finding: ActionFindings | None) -> tuple[str, str]:
    """Who runs it, and what was found out about it."""
    if finding is None:
        return "", ""
    shown = {**({"kind": finding.kind} if finding.kind else {}), **finding.shown}
    said = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in shown.items())
    return ("this worker" if finding.executed_here else "the agent"), said


def _standing(action: Action, result: ActionResult | None, proposal: Proposal, state: CaseState) -> str:
    tried = [result.status.value] if result else []
    if state not in (CaseState.WAITING, CaseState.EXECUTING):
        return ", ".join(tried)
    ids = {one.id for one in proposal.actions or ()}
    if action.id in {one.id for one in proposal.passing or ()}:
        word = "needs no signature"
    elif action.id not in ids:
        word = "" if tried else "left out"
    else:
        word = "to be signed" if state is CaseState.WAITING else "approved"
    return ", ".join([*tried, *([word] if word and (state is CaseState.WAITING or not tried) else [])])


def _answer(result: ActionResult | None) -> str:
    if result is None:
        return ""
    said = [result.problem, result.reference, None if result.result is None else _plain(result.result)]
    return _cut("; ".join(one for one in said if one))


def _plain(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
