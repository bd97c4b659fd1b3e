"""Builds what tests talk about. Each builder gives something ordinary; a test names only what matters to it.

Events are dictionaries, as somebody would type them; the rest are the domain's own values and the units of work made
of them. Amounts are minor units of USD unless said otherwise.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from schemas.catalogue import ORDER_EXCEPTIONS
from schemas.values import (
    Command,
    Customer,
    CustomerTier,
    ExceptionKind,
    LevelReference,
    Money,
    OnTimeout,
    Order,
    PayoutMethod,
    PolicyReference,
    Proposal,
    ReceiptCode,
    Reviewer,
    Risk,
    Verdict,
)
from worker.application.announcements import ApprovalNeeded, OutcomeReached, ReceiptGiven
from worker.application.transition import transition
from worker.application.unit_of_work import Reservation, UnitOfWork
from worker.domain.approval import ApprovalCommand, ApprovalRequest, Closing, Decision, Question, Receipt
from worker.domain.approval_policy import Level
from worker.domain.deadlines import timers_of
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import PaymentIntent
from worker.domain.order_exception import Facts, OrderException
from worker.domain.reviewers import Person
from worker.translation.inbound import Record

POLICY = PolicyReference(name="test", version="0123456789abcdef")

Event = dict[str, Any]


def numbered_ids(first: int = 1) -> Iterator[UUID]:
    """Ids that count, so that a failure reads the same twice."""
    return (UUID(int=number) for number in count(first))


def usd(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="USD")


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def an_order(captured: Money | None = None, **known: Any) -> Order:
    """An order of 200.00 USD that was paid."""
    return Order(captured=captured or usd(20_000), **known)


def a_vip() -> Customer:
    return Customer(tier=CustomerTier.VIP)


def refund_event(exception_id: str = "EXC-1", amount_minor: int = 15_000, **fields: Any) -> Event:
    """A damaged mug of 150.00 USD, asked for by an agent: over 100.00 USD, so that the default policy asks a person."""
    return {
        "exception_id": exception_id,
        "kind": "refund",
        "order_id": "ORD-1",
        "customer_id": "CUST-1",
        "requested_by": "agent:web-chat",
        "reason": "arrived broken",
        "amount": {"amount_minor": amount_minor, "currency": "USD"},
        "confidence": 0.93,
        **fields,
    }


def decision_event(verdict: str = "approve", exception_id: str | None = "EXC-1", **fields: Any) -> Event:
    """Maria, a manager, decides about a case by its business key."""
    return {
        "decision_id": str(uuid4()),
        "exception_id": exception_id,
        "verdict": verdict,
        "reviewer": {"id": "user:maria", "roles": ["manager"]},
        **fields,
    }


_offsets = count()


def a_record(
    event: Event, topic: str = ORDER_EXCEPTIONS.name, kind: str | None = None, offset: int | None = None
) -> Record:
    """The event as a record, at the next offset unless one is given; in binary mode when its `kind` is named."""
    attributes = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/test", "ce_type": kind} if kind else {}
    headers = [(name, text.encode()) for name, text in attributes.items()]
    place = next(_offsets) if offset is None else offset
    return Record(topic, 0, place, None, json.dumps(event).encode(), headers)


def an_exception(exception_id: str = "EXC-1", amount: Money | None = None, **fields: Any) -> OrderException:
    known: dict[str, Any] = {
        "kind": ExceptionKind.REFUND,
        "order_id": "ORD-1",
        "customer_id": "CUST-1",
        "requested_by": "agent:web-chat",
        "reason": "arrived broken",
        "amount": amount or usd(15_000),
        **fields,
    }
    return OrderException(exception_id=exception_id, **known)


def some_facts(exception: OrderException | None = None, order: Order | None = None) -> Facts:
    return Facts(exception=exception or an_exception(), order=order or an_order(), customer=Customer())


def a_proposal(**fields: Any) -> Proposal:
    known: dict[str, Any] = {
        "action": "refund",
        "amount": usd(15_000),
        "method": PayoutMethod.ORIGINAL,
        "customer_message": "Your refund of 150.00 USD is on its way.",
        **fields,
    }
    return Proposal(**known)


def an_unopened_case(at: datetime, exception: OrderException | None = None, **fields: Any) -> Case:
    known: dict[str, Any] = {
        "case_id": uuid4(),
        "version": 0,
        "state": CaseState.OPENED,
        "content_hash": "c" * 64,
        "facts": some_facts(exception),
        "policy": POLICY,
        "graph_version": "1",
        "risk": Risk.LOW,
        "proposal": a_proposal(),
        "automatic": False,
        "opened_at": at,
        **fields,
    }
    return Case(**known)


def a_level(**fields: Any) -> Level:
    """One manager answers within a day, or the case is rejected."""
    known: dict[str, Any] = {
        "name": "manager",
        "role": "manager",
        "due_in": timedelta(days=1),
        "on_timeout": OnTimeout.REJECT,
        "allowed_verdicts": tuple(Verdict),
        **fields,
    }
    return Level(**known)


def a_person(reviewer_id: str = "user:maria", **fields: Any) -> Person:
    """A manager of the register, who is here and may sign for any amount."""
    known: dict[str, Any] = {"roles": ("manager",), **fields}
    return Person(id=reviewer_id, **known)


def a_question(asked: Level | None = None, **fields: Any) -> Question:
    level = asked or a_level()
    known: dict[str, Any] = {
        "level": LevelReference(name=level.name),
        "asked": level,
        "round": 1,
        "allowed_verdicts": level.allowed_verdicts,
        "proposal": a_proposal(),
        "alternatives": (),
        "why": (),
        "risk": Risk.MEDIUM,
        "confidence": 0.93,
        "context": {"reason": "arrived broken"},
        **fields,
    }
    return Question(**known)


def an_approval(case: Case, at: datetime, question: Question | None = None, **fields: Any) -> ApprovalRequest:
    """The question as it is put at a moment: its timers are those of its level."""
    question = question or a_question()
    asked = question.asked
    timers = timers_of(at, asked.due_in, asked.deadlines, asked.on_timeout, asked.calendar)
    known: dict[str, Any] = {
        "approval_id": uuid4(),
        "case_id": case.case_id,
        "exception_id": case.exception.exception_id,
        "order_id": case.exception.order_id,
        "kind": case.exception.kind,
        "question": question,
        "role": question.role,
        "requested_by": case.exception.requested_by,
        "requested_at": at,
        "due_at": timers[-1].at,
        "timers": timers,
        "review_hash": question.review_hash,
        "policy": case.policy,
        **fields,
    }
    return ApprovalRequest(**known)


def a_decision(approval: ApprovalRequest | None = None, **fields: Any) -> Decision:
    known: dict[str, Any] = {
        "decision_id": str(uuid4()),
        "approval_id": str(approval.approval_id) if approval else None,
        "verdict": Verdict.APPROVE,
        "reviewer": Reviewer(id="user:maria", roles=("manager",)),
        **fields,
    }
    return Decision(**known)


def a_command(approval: ApprovalRequest | None = None, **fields: Any) -> ApprovalCommand:
    """Maria claims a question."""
    known: dict[str, Any] = {
        "command_id": str(uuid4()),
        "approval_id": str(approval.approval_id) if approval else None,
        "command": Command.CLAIM,
        "by": Reviewer(id="user:maria", roles=("manager",)),
        **fields,
    }
    return ApprovalCommand(**known)


def a_receipt(
    decision: Decision | ApprovalCommand,
    approval: ApprovalRequest | None = None,
    code: ReceiptCode = ReceiptCode.ACCEPTED,
) -> Receipt:
    return Receipt(
        decision_id=decision.decision_id,
        accepted=code in (ReceiptCode.ACCEPTED, ReceiptCode.RECORDED),
        code=code,
        message="as the test says",
        approval_id=str(approval.approval_id) if approval else None,
        case_id=approval.case_id if approval else None,
    )


def an_intent(case: Case, **fields: Any) -> PaymentIntent:
    known: dict[str, Any] = {
        "idempotency_key": case.idempotency_key,
        "case_id": case.case_id,
        "order_id": case.exception.order_id,
        "amount": case.proposal.amount,
        "method": case.proposal.method,
        **fields,
    }
    return PaymentIntent(**known)


def a_reservation(amount: Money, captured: Money | None = None, **fields: Any) -> Reservation:
    known: dict[str, Any] = {"order_id": "ORD-1", "already_refunded": 0, **fields}
    return Reservation(amount=amount, captured=captured or usd(20_000), **known)


def opening_unit(case: Case, at: datetime, approval: ApprovalRequest | None = None) -> UnitOfWork:
    """The case waits for a person, with its approval request and its first audit entry."""
    waiting, entry = transition(case, CaseState.WAITING, actor="agent:web-chat", action="opened", at=at)
    asked = approval or an_approval(waiting, at)
    return UnitOfWork(case=waiting, new_approval=asked, audit=entry, announcements=(ApprovalNeeded(asked),))


def approving_unit(case: Case, approval: ApprovalRequest, at: datetime, decision: Decision | None = None) -> UnitOfWork:
    """A manager approved: the case executes, and money is about to move."""
    decision = decision or a_decision(approval)
    reviewer = decision.reviewer.id
    executing, entry = transition(case, CaseState.EXECUTING, actor=reviewer, action="approved", at=at)
    closed = approval.model_copy(update={"closed_as": Closing.APPROVED, "closed_by": reviewer, "closed_at": at})
    receipt = a_receipt(decision, approval)
    return UnitOfWork(
        case=executing,
        changed_approvals=(closed,),
        decision=(decision, receipt),
        signed=approval.question.proposal.amount,
        intent=an_intent(executing),
        reservation=a_reservation(usd(15_000)),
        audit=entry,
        announcements=(ReceiptGiven(receipt, approval.order_id),),
    )


def paying_unit(case: Case, intent: PaymentIntent, at: datetime) -> UnitOfWork:
    """The money moved: the case has its outcome."""
    paid, entry = transition(case, CaseState.EXECUTED, actor="system", action="paid", at=at, payment_reference="ref-1")
    done = intent.model_copy(update={"state": "succeeded"})
    return UnitOfWork(
        case=paid, intent=done, payment_reference="ref-1", audit=entry, announcements=(OutcomeReached(paid),)
    )


def refusing_unit(decision: Decision, code: ReceiptCode = ReceiptCode.NOT_AUTHORISED) -> UnitOfWork:
    """A decision without effect, about a case that nobody knows."""
    receipt = a_receipt(decision, code=code)
    return UnitOfWork(decision=(decision, receipt), announcements=(ReceiptGiven(receipt, None),))


def without_words(unit: UnitOfWork) -> UnitOfWork:
    """The same unit, which announces nothing."""
    return replace(unit, announcements=())
