"""Events as lines for people. What others wrote is shown as text: it can neither colour nor move a terminal."""

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TextIO

from rich.console import Console
from rich.text import Text

from producer_scripts.matter import Row, actions_of, changes_of, results_of
from producer_scripts.received import Received
from schemas.events import (
    ApprovalNeeded,
    ApprovalUpdated,
    Event,
    MessageRejected,
    ResolutionOutcome,
    ReviewReceipt,
)
from schemas.values import OutcomeStatus, Proposal, Signature

LONGEST = 300
"""Characters of what goes with an event: arguments of an action may have no end. --json has all of it."""

_STATUS_STYLE = {
    OutcomeStatus.EXECUTED: "green",
    OutcomeStatus.REJECTED: "red",
    OutcomeStatus.EXPIRED: "magenta",
    OutcomeStatus.FAILED: "bold red",
    OutcomeStatus.WITHDRAWN: "dim",
}


def console(file: TextIO | None = None) -> Console:
    """Colours on a terminal, plain text elsewhere; never breaks a line."""
    return Console(file=file or sys.stdout, highlight=False, soft_wrap=True, markup=False, emoji=False)


def printable(text: str) -> str:
    """Without control characters, escape sequences and marks that turn the direction of writing."""
    return "".join(character if character.isprintable() else " " for character in text)


def moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC")


def proposed(proposal: Proposal) -> str:
    parts = [proposal.action.replace("_", " ")]
    if proposal.amount is not None:
        parts.append(str(proposal.amount))
    if proposal.method is not None:
        parts.append(f"by {proposal.method.replace('_', ' ')}")
    if proposal.actions:
        parts.append("of " + ", ".join(action.name for action in proposal.actions))
    if proposal.passing:
        parts.append("with " + ", ".join(action.name for action in proposal.passing))
    return printable(" ".join(parts))


def signed(signature: Signature) -> str:
    """`modify by user:maria (manager)`, and on whose authority where it is not the reviewer's own."""
    whose = f" on behalf of {', '.join(signature.on_behalf_of)}" if signature.on_behalf_of else ""
    return printable(f"{signature.verdict} by {signature.reviewer}{whose} ({signature.level})")


def asked(approval: ApprovalNeeded) -> str:
    """`manager 1 of 2, role deputy, the details, 2 reviewers`: who is asked, and what of the matter."""
    level = approval.level
    return printable(
        ", ".join(
            [
                f"{level.name} {level.number} of {level.of}" if level.of > 1 else level.name,
                *([f"role {approval.role}"] if approval.role not in (None, level.name) else []),
                *([f"the {approval.part}"] if approval.part else []),
                *([f"{approval.quorum} reviewers"] if approval.quorum > 1 else []),
                *([f"round {approval.round}"] if approval.round > 1 else []),
            ]
        )
    )


def lines_of(received: Received) -> list[Text]:
    """One line for the event. Where a person is asked, one for each action and changed field, for each reason and each
    signature that is there; behind an outcome, one for what became of each action."""
    match received.event:
        case ApprovalNeeded() as approval:
            return [_approval(approval), *map(_more, _about(approval))]
        case ApprovalUpdated() as updated:
            return [_updated(updated)]
        case ReviewReceipt() as receipt:
            return [receipt_line(receipt)]
        case ResolutionOutcome() as outcome:
            return [_outcome(outcome), *map(_more, _rows(results_of(outcome)))]
        case MessageRejected() as rejected:
            return [_rejected(rejected)]
        case Event() | None:
            return [_unknown(received)]


def receipt_line(receipt: ReviewReceipt) -> Text:
    """The worker's message names who was first, when somebody was."""
    style = "green" if receipt.accepted else "red"
    return _line("receipt", style, receipt.decision_id, f"{receipt.code}: {receipt.message}")


def _approval(approval: ApprovalNeeded) -> Text:
    about = f"{proposed(approval.proposal)}, {_order(approval.order_id)}"
    until = f"{asked(approval)} until {moment(approval.due_at)}, approval {approval.approval_id}"
    return _line("approval", "yellow", approval.exception_id, about, until)


def _about(approval: ApprovalNeeded) -> Iterator[str]:
    yield from _rows(chain(actions_of(approval), changes_of(approval)))
    yield from (f"because {rule.says}" for rule in approval.why)
    yield from (f"signed: {signed(one)}" for one in approval.signed_by)


def _rows(rows: Iterable[Row]) -> Iterator[str]:
    return (f"{label}: {text}" for label, text in rows)


def _updated(updated: ApprovalUpdated) -> Text:
    reason = f" ({updated.reason})" if updated.reason else ""
    assignee = f", now at {updated.assignee}" if updated.assignee not in (None, updated.by) else ""
    what = f"{updated.change} by {updated.by}{assignee}{reason}"
    return _line("updated", "dim", updated.exception_id or updated.case_id, what, f"approval {updated.approval_id}")


def _outcome(outcome: ResolutionOutcome) -> Text:
    amount = f" {outcome.amount}" if outcome.amount else ""
    done = f"{outcome.status}: {outcome.kind.replace('_', ' ')}{amount}, {_order(outcome.order_id)}"
    by = ", ".join(signed(signature) for signature in outcome.decided_by)
    who = "automatic" if outcome.automatic else by or (outcome.reason or "")
    return _line("outcome", _STATUS_STYLE[outcome.status], outcome.exception_id, done, who)


def _rejected(rejected: MessageRejected) -> Text:
    place = f"{rejected.topic}/{rejected.partition}/{rejected.offset}"
    return _line("dead letter", "bold red", place, f"{rejected.reason}: {rejected.detail}")


def _unknown(received: Received) -> Text:
    place = f"{received.topic.name}/{received.partition}/{received.offset}"
    return _line("unknown", "bold red", place, received.problem or f"{received.type} has no line here")


def _order(order_id: str | None) -> str:
    return f"order {order_id}" if order_id else "no order"


def _more(says: str) -> Text:
    text = printable(says)
    return Text(f"{'':13}{text if len(text) <= LONGEST else f'{text[: LONGEST - 1]}…'}", style="dim")


def _line(word: str, style: str, subject: str, *parts: str) -> Text:
    text = Text(f"{word:<13}", style=style)
    text.append(printable(subject), style="bold")
    for part in parts:
        if part:
            text.append(f"  {printable(part)}", style="default")
    return text
