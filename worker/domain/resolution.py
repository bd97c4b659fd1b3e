"""What is done about an exception: first proposed, then perhaps changed by a reviewer, then frozen as an intent."""

from schemas.values import (
    Alternative,
    Changes,
    ExceptionKind,
    Money,
    PayoutMethod,
    Proposal,
    Verdict,
)
from worker.domain.errors import InvalidChanges
from worker.domain.order_exception import Facts
from worker.domain.tool_calls import changed_actions

MOVES_MONEY = frozenset({ExceptionKind.REFUND, ExceptionKind.CANCELLATION, ExceptionKind.PRICE_ADJUSTMENT})


def propose(facts: Facts) -> Proposal:
    """What the requester asks for, in the form in which it would be executed; nothing is said to the customer yet."""
    exception = facts.exception
    if exception.kind not in MOVES_MONEY:
        return Proposal(
            action=exception.kind,
            changes=exception.changes or None,
            actions=(exception.actions if facts.remaining is None else facts.remaining) or None,
        )
    amount = exception.amount
    if exception.kind is ExceptionKind.CANCELLATION:
        # A cancellation gives back what the customer paid, whatever the event says.
        amount = facts.order.captured if facts.order else exception.amount
    return Proposal(action=exception.kind, amount=amount, method=PayoutMethod.ORIGINAL)


def draft(verdict: Verdict, proposal: Proposal, facts: Facts) -> str | None:
    """What the customer is told where the policy has no template of its own."""
    if facts.exception.kind not in MOVES_MONEY:
        return None
    if verdict is Verdict.REJECT:
        return f"We cannot grant your {facts.exception.kind.replace('_', ' ')} request."
    subject = {
        ExceptionKind.REFUND: "Your refund",
        ExceptionKind.CANCELLATION: "Your order is cancelled and your refund",
        ExceptionKind.PRICE_ADJUSTMENT: "Your price adjustment",
    }[facts.exception.kind]
    if proposal.action != facts.exception.kind:
        return f"Your request is granted: {proposal.action.replace('_', ' ')}."
    return f"{subject} of {proposal.amount} is on its way." if proposal.amount else f"{subject} is on its way."


def modify(proposal: Proposal, changes: Changes) -> Proposal:
    """The proposal as a reviewer changed it.

    Raises InvalidChanges when nothing is changed, when money is given to a proposal that moves none, when the amount
    is zero, in another currency, or above what was proposed (a reviewer may lower an amount, never raise it), and
    when an action is kept or edited that was not proposed.
    """
    if not changes.model_dump(exclude_none=True):
        raise InvalidChanges("a modify verdict needs `changes`; send approve to sign it as it stands")
    if changes.amount is not None:
        _check_amount(proposal.amount, changes.amount, "changes.amount")
    if changes.method is not None and proposal.method is None:
        raise InvalidChanges(f"`changes.method`: a {proposal.action} pays nothing out")
    changed = {
        name: value
        for name in ("amount", "method", "customer_message")
        if (value := getattr(changes, name)) is not None
    }
    if changes.approved_actions is not None or changes.edited_actions is not None:
        changed["actions"] = changed_actions(proposal, changes)
    return proposal.model_copy(update=changed)


def choose(proposal: Proposal, alternatives: tuple[Alternative, ...], choice: int | str | None) -> Proposal:
    """The proposal paid by another method (`choice` is its name), or the alternative of that index in its place.

    Raises InvalidChanges for a choice that was not offered, and for an alternative that pays more than was proposed.
    """
    if isinstance(choice, str) and choice.isdecimal():
        choice = int(choice)
    if isinstance(choice, int):
        return _taken(proposal, alternatives, choice)
    if proposal.method is None:
        raise InvalidChanges(f"`choice`: a {proposal.action} pays nothing out; give the index of an alternative")
    if choice not in list(PayoutMethod):
        offered = ", ".join(PayoutMethod)
        raise InvalidChanges(f"`choice`: choose among {offered}, or the index of an alternative")
    return proposal.model_copy(update={"method": PayoutMethod(choice)})


def _taken(proposal: Proposal, alternatives: tuple[Alternative, ...], index: int) -> Proposal:
    if index >= len(alternatives):
        raise InvalidChanges(f"`choice`: there are {len(alternatives)} alternatives, counted from 0")
    taken = alternatives[index]
    if taken.action not in MOVES_MONEY:
        # Nothing is paid out: whoever consumes the outcome does what its action says.
        return Proposal(action=taken.action)
    if taken.amount is not None:
        _check_amount(proposal.amount, taken.amount, "choice")
    if proposal.amount is None:
        raise InvalidChanges("`choice`: this alternative moves money, and the proposal moves none")
    return proposal.model_copy(
        update={"amount": taken.amount or proposal.amount, "method": taken.method or proposal.method}
    )


def _check_amount(proposed: Money | None, changed: Money, where: str) -> None:
    if proposed is None:
        raise InvalidChanges(f"`{where}`: the proposal moves no money")
    if changed.currency != proposed.currency:
        raise InvalidChanges(f"`{where}.currency`: the proposal is in {proposed.currency}, not {changed.currency}")
    if not 0 < changed.amount_minor <= proposed.amount_minor:
        raise InvalidChanges(f"`{where}`: must be above zero and not above {proposed}")
