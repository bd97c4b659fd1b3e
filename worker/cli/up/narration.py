"""One readable sentence for each event: what happened, and why, in words."""

from dataclasses import dataclass

from pydantic import ValidationError

from schemas.events import (
    ApprovalNeeded,
    ApprovalUpdated,
    Event,
    ExceptionRaised,
    ExceptionWithdrawn,
    MessageRejected,
    RecoveryRequested,
    ResolutionOutcome,
    ReviewDecided,
    ReviewReceipt,
)
from schemas.values import ApprovalChange, ExceptionKind, Money, OutcomeStatus


@dataclass(frozen=True, slots=True)
class Told:
    """`about` is what the line is filed under, an exception id where there is one; `what` is a word or two."""

    about: str
    what: str
    says: str


def tell(event: Event) -> Told | None:
    """None for what other lines say already."""
    match event:
        case ExceptionRaised():
            return Told(event.exception_id, "raised", _request(event))
        case ExceptionWithdrawn():
            return Told(event.exception_id, "withdrawn", f"{event.requested_by} takes it back{_quoted(event.reason)}")
        case RecoveryRequested():
            says = f"{event.requested_by} wants it to go on{_quoted(event.reason)}"
            return Told(event.exception_id, "recovery", says)
        case ApprovalNeeded():
            why = "; ".join(rule.says for rule in event.why)
            return Told(event.exception_id, "waits", f"for the {event.level.name}: {why}")
        case ApprovalUpdated():
            return _update(event)
        case ReviewDecided():
            return Told(event.exception_id or event.approval_id or event.decision_id, "decision", _decision(event))
        case ReviewReceipt():
            what = "receipt" if event.accepted else "refused"
            return Told(event.approval_id or event.decision_id, what, f"{event.code}: {event.message}")
        case ResolutionOutcome():
            return Told(event.exception_id, str(event.status), _outcome(event))
        case MessageRejected():
            place = f"{event.topic}/{event.partition} at offset {event.offset}"
            return Told(place, "dead letter", f"{event.reason}: {event.detail}")
    return None


def _request(event: ExceptionRaised) -> str:
    return f"{event.requested_by} asks for {_asked(event)}{_quoted(event.reason)}"


def _asked(event: ExceptionRaised) -> str:
    match event.kind:
        case ExceptionKind.REFUND:
            what = f"a refund of {event.amount}"
        case ExceptionKind.PRICE_ADJUSTMENT:
            what = f"a price adjustment of {event.amount}"
        case ExceptionKind.CANCELLATION:
            what = "a cancellation"
        case ExceptionKind.ACCOUNT_CHANGE:
            what = f"a change of the account's {', '.join(event.changes or {})}"
        case ExceptionKind.ACTION_REQUEST:
            what = f"leave to {', '.join(action.name for action in event.requested_actions)}"
    return f"{what} on order {event.order_id}" if event.order_id else what


def _update(event: ApprovalUpdated) -> Told | None:
    """That an approval closed is said by the receipt or the outcome."""
    if event.change is ApprovalChange.CLOSED:
        return None
    return Told(event.exception_id or event.approval_id, str(event.change), f"by {event.by}{_quoted(event.reason)}")


def _decision(event: ReviewDecided) -> str:
    verdict = event.verdict or "answers in another shape"
    changes = event.changes or {}
    shown = ", ".join(f"{name} {_value(value)}" for name, value in changes.items())
    return f"{event.reviewer.id} says {verdict}{f' ({shown})' if shown else ''}{_quoted(event.comment)}"


def _value(value: object) -> str:
    """Money as money; what a stranger wrote in its place as it stands."""
    try:
        return str(Money.model_validate(value))
    except ValidationError:
        return str(value)


def _outcome(event: ResolutionOutcome) -> str:
    people = " and ".join(signature.reviewer for signature in event.decided_by)
    match event.status:
        case OutcomeStatus.EXECUTED:
            return f"{_done(event)}, {'no rule asked for a person' if event.automatic else f'signed by {people}'}"
        case OutcomeStatus.REJECTED:
            return f"by {people or 'the policy'}{_quoted(event.reason)}"
        case _:
            return event.reason or "see `signoff cases show`"


def _done(event: ResolutionOutcome) -> str:
    if event.results:
        return ", ".join(f"{result.name} {result.status}" for result in event.results)
    return f"{event.amount} by {event.method}" if event.amount and event.method else str(event.action)


def _quoted(text: str | None) -> str:
    return f': "{text}"' if text else ""
