"""What a reviewer typed, and the decision that it makes of a case."""

from dataclasses import dataclass
from typing import Any

import typer

from schemas.values import PayoutMethod, Reviewer, Verdict
from worker.adapters.postgres.case_listing import CaseFile
from worker.cli.amounts import AmountProblem, parse_amount
from worker.cli.failure import Failure
from worker.domain.approval import ApprovalRequest, Decision


@dataclass(frozen=True, slots=True)
class Wish:
    """`amount` is still text: its currency is the case's. `edited_actions` are as the event has them."""

    verdict: Verdict
    reviewer: Reviewer
    decision_id: str
    amount: str | None = None
    method: PayoutMethod | None = None
    message: str | None = None
    approved_actions: tuple[int, ...] = ()
    edited_actions: tuple[dict[str, Any], ...] = ()
    choice: str | None = None
    escalate_to: str | None = None
    comment: str | None = None
    review_hash: str | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The options that change the proposal, by name, as far as they were given."""
        given = {
            "--amount": self.amount,
            "--method": self.method,
            "--message": self.message,
            "--approved-action": self.approved_actions or None,
            "--edit-action": self.edited_actions or None,
        }
        return {option: value for option, value in given.items() if value is not None}


def check_usage(wish: Wish) -> None:
    """Raises BadParameter, which is exit code 2, for options that do not go with the verdict."""
    changes = wish.changes.keys()
    if wish.verdict is Verdict.MODIFY and not changes:
        raise _misused("modify needs --amount, --method, --message, --approved-action or --edit-action")
    if wish.verdict is Verdict.REJECT and changes - {"--message"}:
        raise _misused("with reject goes --message only, which is what the customer is told")
    if wish.verdict not in (Verdict.MODIFY, Verdict.REJECT) and changes:
        raise _misused(f"{' and '.join(changes)} go with modify, not with {wish.verdict}")
    if (wish.verdict is Verdict.CHOOSE) != (wish.choice is not None):
        raise _misused("choose and --choice go together")
    if wish.escalate_to is not None and wish.verdict is not Verdict.ESCALATE:
        raise _misused(f"--escalate-to goes with escalate, not with {wish.verdict}")
    if wish.verdict is Verdict.REQUEST_CHANGES and not wish.comment:
        raise _misused("request_changes needs --comment")


def decision_of(wish: Wish, file: CaseFile, approval: ApprovalRequest | None) -> Decision:
    """Raises Failure for an amount that cannot be read.

    Without an approval request, the worker is asked by the business key: it knows why there is none.
    """
    return Decision(
        decision_id=wish.decision_id,
        approval_id=str(approval.approval_id) if approval else None,
        exception_id=None if approval else file.case.exception.exception_id,
        verdict=wish.verdict,
        reviewer=wish.reviewer,
        changes=_changes(wish, file) or None,
        choice=int(wish.choice) if wish.choice and wish.choice.isdecimal() else wish.choice,
        escalate_to=wish.escalate_to,
        comment=wish.comment,
        review_hash=wish.review_hash,
    )


def _changes(wish: Wish, file: CaseFile) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if wish.amount is not None:
        proposed = file.case.proposal.amount
        if proposed is None:
            raise Failure(f"--amount: the proposal of {file.case.exception.exception_id} moves no money")
        try:
            changes["amount"] = parse_amount(wish.amount, proposed.currency).model_dump()
        except AmountProblem as problem:
            raise Failure(f"--amount: {problem}") from problem
    if wish.method is not None:
        changes["method"] = wish.method.value
    if wish.message is not None:
        changes["customer_message"] = wish.message
    if wish.approved_actions:
        changes["approved_actions"] = list(wish.approved_actions)
    if wish.edited_actions:
        changes["edited_actions"] = list(wish.edited_actions)
    return changes


def _misused(problem: str) -> typer.BadParameter:
    return typer.BadParameter(problem, param_hint="VERDICT")
