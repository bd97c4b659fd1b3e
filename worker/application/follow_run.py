"""Where a run of the graph leads: to a question, to an execution, or to the end of the case."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from schemas.values import Money, Proposal, Signature
from worker.application.announcements import ApprovalNeeded, OutcomeReached
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Finished, Paused
from worker.application.transition import SYSTEM, transition
from worker.application.unit_of_work import Reservation, UnitOfWork
from worker.domain.approval import ApprovalRequest, Question
from worker.domain.deadlines import timers_of
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import ActionsIntent, PaymentIntent, payment_of
from worker.domain.order_exception import Facts
from worker.domain.resolution import MOVES_MONEY
from worker.domain.tool_calls import about_to_run, to_run


def ask(
    case: Case,
    run: Paused,
    ports: Ports,
    *,
    at: datetime,
    actor: str,
    action: str,
    detail: dict[str, Any] | None = None,
    votes: tuple[Signature, ...] = (),
    **changes: object,
) -> UnitOfWork:
    """The case waits for a person: the interrupt's question becomes an approval request.

    `votes` are signatures that the level has already: those of a reviewer whose change the others must still sign.
    """
    question = Question.model_validate(run.question)
    asked, seal = question.asked, question.review_hash
    timers = timers_of(at, asked.due_in, asked.deadlines, asked.on_timeout, asked.calendar)
    waiting, entry = transition(
        case,
        CaseState.WAITING,
        actor=actor,
        action=action,
        at=at,
        detail={
            "rules": [rule.rule for rule in question.why],
            "asked": asked.name,
            "shown": seal,
            **_related(question),
            **(detail or {}),
        },
        proposal=question.proposal,
        why=question.why,
        risk=question.risk,
        automatic=False,
        interrupt_id=run.interrupt_id,
        **changes,
    )
    approval = ApprovalRequest(
        approval_id=ports.new_id(),
        case_id=case.case_id,
        exception_id=case.exception.exception_id,
        order_id=case.exception.order_id,
        kind=case.exception.kind,
        question=question,
        role=asked.role,
        requested_by=case.exception.requested_by,
        requested_at=at,
        due_at=timers[-1].at,
        timers=timers,
        review_hash=seal,
        policy=case.policy,
        votes=votes,
    )
    return UnitOfWork(
        case=waiting,
        new_approval=approval,
        audit=entry,
        announcements=(ApprovalNeeded(approval),),
        thread=run.writes,
    )


def _related(question: Question) -> dict[str, Any]:
    """The near-duplicates that the reviewer is shown, by their exception ids."""
    shown = question.context.get("near_duplicates", ())
    return {"near_duplicates": [case["exception_id"] for case in shown]} if shown else {}


def execute(
    case: Case,
    run: Finished,
    view: CaseView,
    ports: Ports,
    *,
    actor: str,
    action: str,
    detail: dict[str, Any] | None = None,
    **changes: object,
) -> UnitOfWork:
    """The resolution is approved. Money that a provider moves, and actions that are run here, become an intent for
    after this commit (T1); what our own books hold, and what others do, is done with the commit itself."""
    proposal = Proposal.model_validate(run.resolution["proposal"])
    known: dict[str, Any] = {"proposal": proposal, "interrupt_id": None, **changes}
    record: dict[str, Any] = {"actor": actor, "action": action, "at": view.now, "detail": detail}
    approved = to_run(proposal, case.facts)
    run_here = tuple(action for action in approved if ports.executors.runs(action.name))
    if run_here:
        known["facts"] = about_to_run(case.facts, approved, run_here)
        actions = ActionsIntent(
            idempotency_key=case.idempotency_key, case_id=case.case_id, actions=run_here, since=view.now
        )
        executing, entry = transition(case, CaseState.EXECUTING, **record, **known)
        return _thread_done(UnitOfWork(case=executing, intent=actions, audit=entry), case, run, ports)
    if case.exception.kind not in MOVES_MONEY or proposal.action not in MOVES_MONEY:
        return concluded(case, CaseState.EXECUTED, run, ports, record, known)
    captured, intent = captured_of(case.facts, view), payment_of(case, proposal)
    if captured is None or intent is None:
        known["reason"] = "nobody knows the order, so there is no payment to give back"
        return concluded(case, CaseState.FAILED, run, ports, record, known)
    if intent.amount.amount_minor == 0:
        # An order that cost nothing is cancelled: no provider takes a payment of nothing.
        return concluded(case, CaseState.EXECUTED, run, ports, record, known)
    reservation = Reservation(
        order_id=intent.order_id,
        amount=intent.amount,
        captured=captured,
        already_refunded=refunded_before_us(case.facts),
    )
    if ports.books is not None:
        booking = ports.books.book(intent)
        record["detail"] = {**(detail or {}), "reference": booking.reference}
        known["payment_reference"] = booking.reference
        unit = concluded(case, CaseState.EXECUTED, run, ports, record, known)
        return replace(unit, booking=booking, reservation=reservation)
    executing, entry = transition(case, CaseState.EXECUTING, **record, **known)
    unit = UnitOfWork(case=executing, intent=intent, reservation=reservation, audit=entry)
    return _thread_done(unit, case, run, ports)


def concluded(
    case: Case,
    state: CaseState,
    run: Finished | None,
    ports: Ports,
    record: dict[str, Any],
    changes: dict[str, Any],
) -> UnitOfWork:
    """The case ends here, with its one outcome."""
    ended, entry = transition(case, state, **record, **changes)
    unit = UnitOfWork(case=ended, audit=entry, announcements=(OutcomeReached(ended),))
    return _thread_done(unit, case, run, ports) if run else unit


def parked(case: Case, view: CaseView, problem: str) -> dict[str, Any]:
    """The case and audit entry of a thread that is stuck: an operator must look before anything else happens."""
    stuck, entry = transition(case, CaseState.STUCK, actor=SYSTEM, action="stuck", at=view.now, reason=problem)
    return {"case": stuck, "audit": entry}


def _thread_done(unit: UnitOfWork, case: Case, run: Finished, ports: Ports) -> UnitOfWork:
    """The graph has said all it will; its thread is kept only where the operator wants to read it."""
    if ports.keep_threads:
        return replace(unit, thread=run.writes)
    if case.state is CaseState.OPENED:
        return unit
    return replace(unit, forget_thread=case.case_id)


def freed(intent: PaymentIntent, facts: Facts, view: CaseView) -> Reservation:
    """What was set aside for a payment that did not take effect, given back."""
    return Reservation(
        order_id=intent.order_id,
        amount=intent.amount,
        captured=view.balance.captured if view.balance else intent.amount,
        already_refunded=refunded_before_us(facts),
        release=True,
    )


def available_with(intent: PaymentIntent, facts: Facts, view: CaseView) -> Money | None:
    """What is left to refund of the order once that is given back."""
    left = available_of(facts, view)
    if left is None or view.balance is None:
        return left
    return left.model_copy(update={"amount_minor": left.amount_minor + intent.amount.amount_minor})


def captured_of(facts: Facts, view: CaseView) -> Money | None:
    """What was paid for the order; the lesser figure where the first case of the order and this one were told
    different ones, and nothing where not even the currency is agreed. None when nobody knows the order."""
    told = facts.order.captured if facts.order else None
    if view.balance is None or told is None:
        return view.balance.captured if view.balance else told
    if told.currency != view.balance.captured.currency:
        return view.balance.captured.model_copy(update={"amount_minor": 0})
    return min(told, view.balance.captured, key=lambda money: money.amount_minor)


def refunded_before_us(facts: Facts) -> int:
    """Minor units that went back before this shop's refunds came through here."""
    return facts.order.refunded.amount_minor if facts.order and facts.order.refunded else 0


def available_of(facts: Facts, view: CaseView) -> Money | None:
    """What is left to refund of the order; None when nobody knows it."""
    captured = captured_of(facts, view)
    if captured is None:
        return None
    refunded = view.balance.refunded_minor if view.balance else refunded_before_us(facts)
    return captured.model_copy(update={"amount_minor": max(0, captured.amount_minor - refunded)})
