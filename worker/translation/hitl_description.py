"""What a reviewer reads above the arguments on another product's screen.

Customers and agents wrote some of it, and screens render it as Markdown, where their text could be a link or fetch an
image. Indented by four spaces it is shown as it was written.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from schemas.values import Action
from worker.domain.approval import ApprovalRequest, Question
from worker.domain.order_exception import ActionFindings

LONGEST_VALUE = 500
"""Characters: a reviewer reads it. What is signed stands on the card, whole."""

Told = Iterator[tuple[str, str]]


Findings = dict[str | None, ActionFindings]
"""What is known of each action, by its id."""


def findings_of(question: Question) -> Findings:
    found = (ActionFindings.model_validate(one) for one in question.context.get("actions", ()))
    return {finding.id: finding for finding in found}


def description(approval: ApprovalRequest, on_the_card: Sequence[Action], found: Findings) -> str:
    """All of the matter; of the actions, what is known of those that stand on this card."""
    return "A person has to decide this.\n\n" + _indented(_matter(approval, on_the_card, found))


def description_of_a_further_action(action: Action, found: Findings, number: int, of: int) -> str:
    """`number` counts from 1, as people do."""
    lines = _indented(_known_of((action,), found))
    return f"Action {number} of {of}; the first one says what they are for." + (f"\n\n{lines}" if lines else "")


def _indented(told: Told) -> str:
    """A label may hold the name of an action, which an agent chose: the whole line is kept in one piece."""
    return "\n".join("    " + " ".join(f"{label}: {text}".split()) for label, text in told)


def _matter(approval: ApprovalRequest, on_the_card: Sequence[Action], found: Findings) -> Told:
    question, proposal = approval.question, approval.question.proposal
    level = question.level
    yield "Proposed", f"{proposal.action} of {proposal.amount}" if proposal.amount else proposal.action
    if approval.order_id:
        yield "Order", approval.order_id
    yield "Exception", approval.exception_id
    yield "Requested by", approval.requested_by
    if question.context.get("reason"):
        yield "Reason", str(question.context["reason"])
    for fired in question.why:
        yield "Why a person is asked", fired.says
    yield from _known_of(on_the_card, found)
    for action in proposal.passing or ():
        yield "Runs as well, without a signature", _call(action)
    yield from _results(question.context)
    yield from _account_changes(question.context)
    yield from _advice(question.context)
    for signature in question.signed_by:
        yield "Signed already", f"{signature.reviewer} as {signature.level}, {signature.verdict}"
    yield "Asked", f"{level.name}, level {level.number} of {level.of}"
    yield "Risk", question.risk
    yield "Answer by", f"{approval.due_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, then: {question.on_timeout}"


def _known_of(actions: Sequence[Action], found: Findings) -> Told:
    """Who runs each action, and what its executor found out about it."""
    for action in actions:
        finding = found.get(action.id)
        if finding is None:
            continue
        name = f" ({action.name})" if len(actions) > 1 else ""
        yield f"Run by{name}", "this worker" if finding.executed_here else "whoever asked, once it is approved"
        shown = {**({"kind": finding.kind} if finding.kind else {}), **finding.shown}
        if shown:
            yield f"Found{name}", _listed(shown)


def _results(context: dict[str, Any]) -> Told:
    """Of actions that were tried before this was asked."""
    for result in context.get("results", ()):
        problem = f": {result['problem']}" if result.get("problem") else ""
        yield "Tried already", f"{result['name']}, {result['status']}{problem}"


def _account_changes(context: dict[str, Any]) -> Told:
    for change in context.get("changes", ()):
        now = f"from {_plain(change['from'])} " if "from" in change else ""
        yield "Change", f"{change['field']} {now}to {_plain(change['to'])}"


def _advice(context: dict[str, Any]) -> Told:
    """An opinion, and no more: it signs nothing."""
    advice = dict(context.get("analysis") or {})
    if advice:
        by = advice.pop("by", "an analyst")
        yield f"Advice of {by}", _listed(advice)


def _listed(shown: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in shown.items())


def _call(action: Action) -> str:
    return f"{action.name} {_plain(action.args)}" if action.args else action.name


def _plain(value: Any) -> str:
    """A text as it is, a list of texts with commas between them, anything else as JSON; cut where it goes on and on."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        text = ", ".join(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
