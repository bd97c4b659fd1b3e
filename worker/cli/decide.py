"""`signoff decide`: a reviewer's verdict, sent as the event that any approval screen sends.

Nothing is written to the database from here: the worker alone decides what a decision does, and says so in a receipt.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from schemas.values import PayoutMethod, Reviewer, Verdict
from worker.adapters.kafka.receipts import receipts_from_now
from worker.adapters.kafka.sending import Sending, sender
from worker.adapters.kafka.topics import missing_topics
from worker.adapters.postgres.case_listing import CaseFile
from worker.adapters.postgres.identifiers import uuid_or_none
from worker.cli.amounts import AmountProblem, parse_amount
from worker.cli.cases import load_case
from worker.cli.connection import settings_for_command
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures, patiently
from worker.cli.output import AsJson, in_utc, note, print_json, print_line
from worker.domain.approval import ApprovalRequest, Decision, Receipt
from worker.settings import Settings
from worker.translation.deciding import IllegibleDecisionGiven, decision_record
from worker.translation.inbound import Record

RECEIPT_WAIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed. `amount` is still text: its currency is the case's."""

    verdict: Verdict
    reviewer: Reviewer
    amount: str | None
    method: PayoutMethod | None
    message: str | None
    choice: str | None
    comment: str | None
    review_hash: str | None
    decision_id: str

    @property
    def changes_something(self) -> bool:
        return (self.amount, self.method, self.message) != (None, None, None)


def decide(
    name: Annotated[str, typer.Argument(metavar="ID", help="An approval id, an exception id or a case id.")],
    verdict: Annotated[Verdict, typer.Argument(help="What the reviewer decides.", show_choices=True)],
    reviewer: Annotated[str, typer.Option(help="Who decides, such as user:maria.")],
    role: Annotated[list[str], typer.Option(help="A role that the reviewer holds; may be given again.")],
    amount: Annotated[
        str | None, typer.Option(help="modify: pay this instead, such as 120.00, in the case's currency.")
    ] = None,
    method: Annotated[PayoutMethod | None, typer.Option(help="modify: pay it this way.")] = None,
    message: Annotated[str | None, typer.Option(help="modify: tell the customer this.")] = None,
    choice: Annotated[str | None, typer.Option(help="choose: a method, or the number of an alternative.")] = None,
    comment: Annotated[str | None, typer.Option(help="Why; it goes on record.")] = None,
    review_hash: Annotated[
        str | None, typer.Option(help="The seal of what was shown; refused if that changed.")
    ] = None,
    decision_id: Annotated[
        str | None, typer.Option(help="Your own id of this decision; the same one counts once.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the receipt, or only send.")] = True,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Wait so many seconds for it.")] = RECEIPT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Send a decision and wait for its receipt. Exit code 0: accepted (or sent, with --no-wait); 1: refused, or no
    receipt came.
    """
    wish = Wish(
        verdict=verdict,
        reviewer=Reviewer(id=_filled(reviewer, "--reviewer"), roles=tuple(_filled(one, "--role") for one in role)),
        amount=amount,
        method=method,
        message=message,
        choice=choice,
        comment=comment,
        review_hash=review_hash,
        decision_id=_filled(decision_id, "--decision-id") if decision_id is not None else str(uuid4()),
    )
    _check_usage(wish)
    receipt = asyncio.run(_decide(settings_for_command(), name, wish, timeout if wait else None))
    if receipt is None:
        _show_sent(wish, as_json)
        return
    _show(receipt, as_json)
    if not receipt.accepted:
        raise typer.Exit(1)


def _filled(text: str, option: str) -> str:
    if not text.strip():
        raise typer.BadParameter("must not be empty", param_hint=option)
    return text.strip()


def _check_usage(wish: Wish) -> None:
    """Raises BadParameter, which is exit code 2, for options that do not go with the verdict."""
    if wish.verdict is Verdict.MODIFY and not wish.changes_something:
        raise typer.BadParameter("modify needs --amount, --method or --message", param_hint="VERDICT")
    if wish.verdict is not Verdict.MODIFY and wish.changes_something:
        raise typer.BadParameter(
            f"--amount, --method and --message go with modify, not with {wish.verdict}", param_hint="VERDICT"
        )
    if (wish.verdict is Verdict.CHOOSE) != (wish.choice is not None):
        raise typer.BadParameter("choose and --choice go together", param_hint="VERDICT")
    if wish.verdict is Verdict.REQUEST_CHANGES and not wish.comment:
        raise typer.BadParameter("request_changes needs --comment", param_hint="VERDICT")


async def _decide(settings: Settings, name: str, wish: Wish, wait_s: float | None) -> Receipt | None:
    """The receipt; None when it is not waited for. Raises Failure when none came in time."""
    file = await load_case(settings, name)
    record = _record(file, name, wish)
    sending = Sending(settings.topic_prefix + record.topic, record.key, record.value, record.headers)
    servers = settings.kafka_bootstrap_servers
    with named_failures(settings):
        async with patiently():
            missing = await missing_topics(servers, settings.topic_prefix)
        if missing:
            raise Failure(f"Kafka at {servers} lacks the topics {', '.join(missing)}; run `signoff migrate` first")
        async with sender(servers) as producer:
            if wait_s is None:
                await producer.send(sending)
                return None
            async with receipts_from_now(servers, settings.topic_prefix) as receipts:
                await producer.send(sending)
                try:
                    return await asyncio.wait_for(receipts.receipt_of(wish.decision_id), wait_s)
                except TimeoutError as error:
                    raise Failure(
                        f"decision {wish.decision_id} was sent, and no receipt came in {wait_s:g} s; it is not lost: "
                        f"see that a worker runs (`signoff doctor`), then `signoff cases show {name}`"
                    ) from error


def _record(file: CaseFile, name: str, wish: Wish) -> Record:
    """Raises Failure for an amount or a decision that the worker could not read."""
    approval = _addressed(file, name)
    exception = file.case.exception
    decision = Decision(
        decision_id=wish.decision_id,
        approval_id=str(approval.approval_id) if approval else None,
        exception_id=None if approval else exception.exception_id,
        verdict=wish.verdict,
        reviewer=wish.reviewer,
        changes=_changes(file, wish) or None,
        choice=int(wish.choice) if wish.choice and wish.choice.isdecimal() else wish.choice,
        comment=wish.comment,
        review_hash=wish.review_hash,
    )
    try:
        return decision_record(decision, exception.order_id or exception.exception_id, datetime.now(UTC))
    except IllegibleDecisionGiven as problem:
        raise Failure(f"the decision would be refused: {problem}") from problem


def _addressed(file: CaseFile, name: str) -> ApprovalRequest | None:
    """The approval request that is named, else the one that is open, else the last: its receipt names who decided."""
    id_given = uuid_or_none(name)
    named = (request for request in file.approvals if request.approval_id == id_given)
    latest = file.approvals[-1] if file.approvals else None
    return next(named, None) or file.open_approval or latest


def _changes(file: CaseFile, wish: Wish) -> dict[str, Any]:
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
    return changes


def _show(receipt: Receipt, as_json: bool) -> None:
    if as_json:
        print_json(receipt.model_dump(mode="json"))
        return
    print_line(f"{receipt.code}: {receipt.message}")
    if receipt.decided_by is not None:
        note(f"decided by {receipt.decided_by} at {in_utc(receipt.decided_at)}")


def _show_sent(wish: Wish, as_json: bool) -> None:
    if as_json:
        print_json({"decision_id": wish.decision_id, "sent": True})
    else:
        print_line(f"sent decision {wish.decision_id}; its receipt is not waited for")
