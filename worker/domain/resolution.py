"""What is done about an exception: first proposed, then perhaps changed by a reviewer, then frozen as an intent."""

from enum import StrEnum
from uuid import UUID

from schemas.values import Changes, ExceptionKind, Money, PayoutMethod, Proposal, Value
from worker.domain.errors import InvalidChanges
from worker.domain.order_exception import Facts

MOVES_MONEY = frozenset({ExceptionKind.REFUND, ExceptionKind.CANCELLATION, ExceptionKind.PRICE_ADJUSTMENT})


def propose(facts: Facts) -> Proposal:
    """What the requester asks for, in the form in which it would be executed."""
    exception = facts.exception
    if exception.kind not in MOVES_MONEY:
        return Proposal(
            action=exception.kind,
            changes=exception.changes or None,
            actions=exception.actions or None,
        )
    amount = exception.amount
    if exception.kind is ExceptionKind.CANCELLATION:
        # A cancellation gives back what the customer paid, whatever the event says.
        amount = facts.order.captured if facts.order else exception.amount
    return Proposal(
        action=exception.kind,
        amount=amount,
        method=PayoutMethod.ORIGINAL,
        customer_message=_message(exception.kind, amount),
    )


def _message(kind: ExceptionKind, amount: Money | None) -> str:
    subject = {
        ExceptionKind.REFUND: "Your refund",
        ExceptionKind.CANCELLATION: "Your order is cancelled and your refund",
        ExceptionKind.PRICE_ADJUSTMENT: "Your price adjustment",
    }[kind]
    return f"{subject} of {amount} is on its way." if amount else f"{subject} is on its way."


def modify(proposal: Proposal, changes: Changes | None) -> Proposal:
    """The proposal as a reviewer changed it.

    Raises InvalidChanges when nothing is changed, when money is given to a proposal that moves none, or when the
    amount is zero, in another currency, or above what was proposed: a reviewer may lower an amount, never raise it.
    """
    if changes is None or not changes.model_dump(exclude_none=True):
        raise InvalidChanges("a modify verdict needs `changes`; send approve to sign it as it stands")
    if changes.approved_actions is not None:
        raise InvalidChanges("`changes.approved_actions` belongs to an action request")
    if changes.amount is not None:
        _check_amount(proposal.amount, changes.amount)
    if changes.method is not None and proposal.method is None:
        raise InvalidChanges(f"`changes.method`: a {proposal.action} pays nothing out")
    changed = proposal.model_copy(
        update={
            name: value
            for name in ("amount", "method", "customer_message")
            if (value := getattr(changes, name)) is not None
        }
    )
    if changes.customer_message is None and proposal.customer_message is not None:
        # The customer must not be told of an amount that nobody pays.
        message = _message(ExceptionKind(proposal.action), changed.amount)
        changed = changed.model_copy(update={"customer_message": message})
    return changed


def _check_amount(proposed: Money | None, changed: Money) -> None:
    if proposed is None:
        raise InvalidChanges("`changes.amount`: the proposal moves no money")
    if changed.currency != proposed.currency:
        raise InvalidChanges(
            f"`changes.amount.currency`: the proposal is in {proposed.currency}, not {changed.currency}"
        )
    if not 0 < changed.amount_minor <= proposed.amount_minor:
        raise InvalidChanges(f"`changes.amount`: must be above zero and not above {proposed}")


class IntentState(StrEnum):
    """PENDING has perhaps not been tried; UNKNOWN was tried, and must be looked up before it is tried again."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Intent(Value):
    """The committed record that money is about to move. It alone says how much; nothing else is asked."""

    idempotency_key: str
    case_id: UUID
    order_id: str
    amount: Money
    method: PayoutMethod
    state: IntentState = IntentState.PENDING
    attempts: int = 0
