"""An intent is the committed record that something is about to be done in the world: it alone says what.

It is committed before the provider or the executor is called, so that whoever finds it after a crash knows what may
have been done, and under which key to look it up.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from schemas.values import Action, ActionResult, Money, PayoutMethod, Proposal, Value
from worker.domain.exception_case import Case


class IntentState(StrEnum):
    """PENDING is being tried, or was when its worker died. UNKNOWN was tried, and must be looked up before it is tried
    again. DEFERRED was not done, for certain: whoever takes it up may try it, and makes it PENDING by taking it."""

    PENDING = "pending"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PaymentIntent(Value):
    """Money is about to move. `payment_reference` is the provider's id of the payment that is given back. `takes` says
    how often it was taken up after its lease ran out: what an earlier holder says of its own try does not count."""

    type: Literal["payment"] = "payment"
    idempotency_key: str
    case_id: UUID
    order_id: str
    amount: Money
    method: PayoutMethod
    payment_reference: str | None = None
    state: IntentState = IntentState.PENDING
    attempts: int = 0
    takes: int = 0


def payment_of(case: Case, proposal: Proposal) -> PaymentIntent | None:
    """What executing the proposal pays; None when it gives no amount, or no order to give it back for."""
    order_id, order = case.exception.order_id, case.facts.order
    if order_id is None or proposal.amount is None:
        return None
    return PaymentIntent(
        idempotency_key=case.idempotency_key,
        case_id=case.case_id,
        order_id=order_id,
        amount=proposal.amount,
        method=proposal.method or PayoutMethod.ORIGINAL,
        payment_reference=order.payment_reference if order else None,
    )


class ActionsIntent(Value):
    """Actions are about to run, one after the other in this order: those without a result among `results` are still to
    come, and only the first of them may have been started. `since` is when they were approved. `attempts` are those
    of the first one without a result, `takes` those of PaymentIntent."""

    type: Literal["actions"] = "actions"
    idempotency_key: str
    case_id: UUID
    actions: tuple[Action, ...]
    since: datetime
    results: tuple[ActionResult, ...] = ()
    state: IntentState = IntentState.PENDING
    attempts: int = 0
    takes: int = 0

    @property
    def may_have_started(self) -> bool:
        """Whether somebody may have begun to run the next action before."""
        return self.attempts > 0 and self.state is not IntentState.DEFERRED

    @property
    def next_action(self) -> Action | None:
        done = {result.id for result in self.results}
        return next((action for action in self.actions if action.id not in done), None)

    def key_of(self, action: Action | ActionResult) -> str:
        """The idempotency key of one action: the same for every attempt, on any machine, for ever."""
        return f"{self.idempotency_key}:{action.id}"


Intent = PaymentIntent | ActionsIntent

_ANY: TypeAdapter[Intent] = TypeAdapter(Annotated[Intent, Field(discriminator="type")])


def intent_from_json(body: str) -> Intent:
    return _ANY.validate_json(body)
