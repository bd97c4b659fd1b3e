"""A payment that counted as made has failed after all: the case it belongs to has ended, so a new one asks a person.

The report is believed when the provider confirms it. What was set aside for the payment is free again with the same
commit that opens the new case, and that case always waits for somebody.
"""

import hashlib
from dataclasses import replace
from uuid import UUID

from schemas.values import ExceptionKind, RejectionReason
from worker.application.announcements import MessageRefused
from worker.application.follow_run import available_with, freed
from worker.application.messages import PaymentReported, Raised
from worker.application.open_case import gather_facts, new_case, start_case
from worker.application.open_case import query as opening_query
from worker.application.ports import Ports
from worker.application.ports.payments import PaymentDeclined, PaymentPending
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import NOTHING, CaseQuery, UnitOfWork
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import PaymentIntent, payment_of
from worker.domain.order_exception import OrderException


def query(report: PaymentReported) -> CaseQuery:
    return CaseQuery(case_id=_case_id(report.idempotency_key))


async def report_failed_payment(report: PaymentReported, inbox_id: int, view: CaseView, ports: Ports) -> UnitOfWork:
    """Raises PaymentUnavailable when the provider cannot confirm it now."""
    case = view.case
    if case is None or case.idempotency_key != report.idempotency_key:
        return _refused(inbox_id, "idempotency_key: no case paid under it; see `signoff cases` for those that did")
    if case.state is CaseState.EXECUTING:
        return NOTHING  # it has not counted as made yet: who settles it looks it up
    paid = payment_of(case, case.proposal)
    if paid is None or case.payment_reference != report.payment_reference:
        return _refused(inbox_id, "payment_reference: not the payment that this case made")
    if not await _is_confirmed(paid, ports):
        problem = f"{report.provider} does not say that the payment failed when it is asked; nothing was done"
        return _refused(inbox_id, problem)
    raised = _raised_anew(report, case, paid)
    look = await ports.store.view(opening_query(raised, ports))
    return NOTHING if look.case is not None else await _asked(raised, report, case, paid, look, ports)


async def _is_confirmed(paid: PaymentIntent, ports: Ports) -> bool:
    """Only by a provider that says it was made and then failed: one that knows of no such payment may be another."""
    try:
        await ports.payments.look_up(paid)
    except PaymentDeclined:
        return True
    except PaymentPending:
        return False
    return False


def _raised_anew(report: PaymentReported, case: Case, paid: PaymentIntent) -> Raised:
    """The request to pay once more, under a business key of its own."""
    before = case.exception
    kind = ExceptionKind.REFUND if before.kind is ExceptionKind.CANCELLATION else before.kind
    exception = OrderException(
        exception_id=f"payment-failed:{report.idempotency_key}",
        kind=kind,
        order_id=before.order_id,
        customer_id=before.customer_id,
        requested_by=f"provider:{report.provider}",
        reason=f"the payment of {before.exception_id} failed after it was made",
        amount=paid.amount,
    )
    digest = hashlib.sha256(exception.model_dump_json().encode()).hexdigest()
    return Raised(exception, digest, case.facts.order, case.facts.customer)


async def _asked(
    raised: Raised, report: PaymentReported, before: Case, paid: PaymentIntent, view: CaseView, ports: Ports
) -> UnitOfWork:
    facts = await gather_facts(raised, view, ports)
    facts = facts.model_copy(
        update={
            "failure": f"payment {report.payment_reference} failed after it was made: {report.reason}",
            "available": available_with(paid, facts, view),
        }
    )
    case = new_case(raised, facts, view, ports)
    unit = await start_case(case, view, ports, follows=str(before.case_id), reference=report.payment_reference)
    return replace(unit, reservation=freed(paid, facts, view))


def _refused(inbox_id: int, detail: str) -> UnitOfWork:
    return UnitOfWork(refusal=MessageRefused(inbox_id, RejectionReason.PAYMENT_UNCONFIRMED, detail))


def _case_id(idempotency_key: str) -> UUID | None:
    """The case that a key of ours names; None for a key of somebody else."""
    parts = idempotency_key.split(":")
    try:
        return UUID(parts[1]) if len(parts) == 3 and parts[0] == "signoff" else None
    except ValueError:
        return None
