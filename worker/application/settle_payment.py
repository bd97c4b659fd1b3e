"""An intent is committed: move the money, or find out that it moved already, and conclude the case.

Between the commit of the intent (T1) and the commit of its result (T2) anything may die. Whoever takes the intent
up again asks the provider first, and pays only when it knows of no such payment.
"""

from dataclasses import replace

from worker.application import failpoints
from worker.application.follow_run import ask, available_with, concluded, freed, parked
from worker.application.ports import Ports
from worker.application.ports.payments import (
    Payment,
    PaymentDeclined,
    PaymentPending,
    PaymentUnavailable,
    PaymentUncertain,
)
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Paused, StuckThread
from worker.application.transition import SYSTEM
from worker.application.unit_of_work import NOTHING, CaseQuery, Postponement, UnitOfWork
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import IntentState, PaymentIntent
from worker.domain.order_exception import Facts

MAX_DELAY_S = 300.0


def query(intent: PaymentIntent) -> CaseQuery:
    return CaseQuery(case_id=intent.case_id)


async def move_money(intent: PaymentIntent, ports: Ports) -> Payment | PaymentDeclined | Postponement:
    """The payment, the provider's final no, or how long to wait before asking again."""
    try:
        if intent.attempts > 0:
            found = await ports.payments.look_up(intent)
            if found is not None:
                return found
        failpoints.reach("payment.before-call", [CaseState.EXECUTING])
        payment = await ports.payments.pay(intent)
        failpoints.reach("payment.after-call", [CaseState.EXECUTING])
        return payment
    except PaymentDeclined as declined:
        return declined
    except PaymentPending as pending:
        return Postponement(_delay(intent), f"not settled yet: {pending}")
    except PaymentUncertain as uncertain:
        return Postponement(_delay(intent), f"unknown result: {uncertain}")
    except PaymentUnavailable as unavailable:
        return Postponement(_delay(intent), f"not done: {unavailable}")


def _delay(intent: PaymentIntent) -> float:
    return float(min(MAX_DELAY_S, 2**intent.attempts))


async def conclude_case(
    intent: PaymentIntent,
    result: Payment | PaymentDeclined | Postponement,
    view: CaseView,
    ports: Ports,
) -> UnitOfWork:
    """T2: the result is on record, and the case has its outcome or is put before a person."""
    case = view.case
    if case is None or case.state is not CaseState.EXECUTING:
        return NOTHING
    if case.idempotency_key != intent.idempotency_key:
        return NOTHING
    if isinstance(result, Payment):
        return _executed(case, intent, result, view, ports)
    if isinstance(result, PaymentDeclined):
        return await _failed(case, intent, str(result), view, ports)
    tried = intent.model_copy(update={"state": IntentState.UNKNOWN, "attempts": intent.attempts + 1})
    return UnitOfWork(intent=tried, postponed=result)


def _executed(case: Case, intent: PaymentIntent, payment: Payment, view: CaseView, ports: Ports) -> UnitOfWork:
    record = {
        "actor": SYSTEM,
        "action": "paid",
        "at": view.now,
        "detail": {"idempotency_key": intent.idempotency_key, "reference": payment.reference},
    }
    unit = concluded(case, CaseState.EXECUTED, None, ports, record, {"payment_reference": payment.reference})
    done = intent.model_copy(update={"state": IntentState.SUCCEEDED})
    return replace(unit, intent=done, payment_reference=payment.reference)


async def _failed(case: Case, intent: PaymentIntent, problem: str, view: CaseView, ports: Ports) -> UnitOfWork:
    """What was reserved is free again. The money did not move, so a person may decide anew, three times at most."""
    done = intent.model_copy(update={"state": IntentState.FAILED})
    released = freed(intent, case.facts, view)
    if case.facts.failures < ports.patience.execution_attempts:
        facts = _facts_after_failure(case, intent, problem, view)
        again = case.model_copy(update={"facts": facts})
        try:
            run = await ports.workflow.start(str(case.case_id), facts.model_dump(mode="json"))
        except StuckThread as stuck:
            return UnitOfWork(**parked(again, view, str(stuck)), intent=done, reservation=released)
        if isinstance(run, Paused):
            unit = ask(again, run, ports, at=view.now, actor=SYSTEM, action="payment declined")
            return replace(unit, intent=done, reservation=released)
    record = {
        "actor": SYSTEM,
        "action": "payment declined",
        "at": view.now,
        "detail": {"idempotency_key": intent.idempotency_key},
    }
    unit = concluded(case, CaseState.FAILED, None, ports, record, {"reason": problem})
    return replace(unit, intent=done, reservation=released)


def _facts_after_failure(case: Case, intent: PaymentIntent, problem: str, view: CaseView) -> Facts:
    """What the next round is judged by: what was reserved for this one is there to refund again."""
    return case.facts.model_copy(
        update={
            "failure": problem,
            "failures": case.facts.failures + 1,
            "round": case.round + 1,
            "available": available_with(intent, case.facts, view),
        }
    )
