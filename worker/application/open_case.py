"""An exception is raised: open its case, and let the graph say whether a person must sign."""

from dataclasses import replace
from typing import Any

from schemas.values import Money, Order, RejectionReason, Risk
from worker.application.announcements import MessageRefused
from worker.application.assess_case import analysed
from worker.application.examine_actions import findings_of
from worker.application.follow_run import ask, available_of, concluded, execute, parked
from worker.application.messages import Raised
from worker.application.ports import Ports
from worker.application.ports.executors import ActionRefused
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Paused, StuckThread
from worker.application.transition import SYSTEM
from worker.application.unit_of_work import NOTHING, CaseQuery, OthersQuery, UnitOfWork
from worker.domain.exception_case import Case, CaseState
from worker.domain.exposure import Exposure
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose


def query(raised: Raised, ports: Ports) -> CaseQuery:
    exception, window = raised.exception, ports.policy.exposure
    others = None
    if window is not None:
        others = OthersQuery(
            exception_id=exception.exception_id,
            kind=exception.kind,
            window=window,
            order_id=exception.order_id,
            customer_id=exception.customer_id,
            amount=exception.amount,
        )
    return CaseQuery(exception_id=exception.exception_id, order_id=exception.order_id, others=others)


async def open_case(raised: Raised, inbox_id: int, view: CaseView, ports: Ports) -> UnitOfWork:
    """Raises OrdersUnavailable when the shop must be asked about the order and does not answer, and ActionUnavailable
    when an executor must be asked about an action."""
    if view.case is not None:
        return _seen_before(raised, inbox_id, view.case)
    facts = await gather_facts(raised, view, ports)
    problem = amount_problem(facts)
    if problem is not None:
        reason, detail = problem
        return UnitOfWork(refusal=MessageRefused(inbox_id, reason, detail))
    case = new_case(raised, facts, view, ports)
    try:
        findings = await findings_of(facts.exception.actions, ports)
    except ActionRefused as refused:
        return _not_runnable(case, str(refused), view, ports)
    facts = await analysed(facts.model_copy(update={"findings": findings}), ports)
    return await start_case(case.model_copy(update={"facts": facts}), view, ports)


async def start_case(case: Case, view: CaseView, ports: Ports, **detail: Any) -> UnitOfWork:
    """A case in the making goes as far as it can by itself: to its first question, or to its execution."""
    try:
        run = await ports.workflow.start(str(case.case_id), case.facts.model_dump(mode="json"))
    except StuckThread as stuck:
        return UnitOfWork(**parked(case, view, str(stuck)))
    if isinstance(run, Paused):
        requester = case.exception.requested_by
        unit = ask(case, run, ports, at=view.now, actor=requester, action="opened", detail=detail)
    else:
        unit = execute(case, run, view, ports, actor=SYSTEM, action="approved automatically", detail=detail)
    return replace(unit, watched=view.watched)


def _not_runnable(case: Case, problem: str, view: CaseView, ports: Ports) -> UnitOfWork:
    """Nobody is asked about what could not be run as it stands; a request that can takes a new id."""
    record: dict[str, Any] = {"actor": SYSTEM, "action": "refused", "at": view.now}
    return concluded(case, CaseState.FAILED, None, ports, record, {"reason": problem})


def _seen_before(raised: Raised, inbox_id: int, case: Case) -> UnitOfWork:
    if case.content_hash == raised.content_hash:
        return NOTHING
    detail = (
        "exception_id: a case with this id and other content exists, and was left as it is; "
        "send a changed request under a new id, or withdraw the first"
    )
    return UnitOfWork(refusal=MessageRefused(inbox_id, RejectionReason.CONFLICTING_DUPLICATE, detail))


def new_case(raised: Raised, facts: Facts, view: CaseView, ports: Ports) -> Case:
    return Case(
        case_id=ports.new_id(),
        version=0,
        state=CaseState.OPENED,
        content_hash=raised.content_hash,
        facts=facts,
        policy=ports.policy.reference,
        graph_version=ports.graph_version,
        risk=Risk.LOW,
        proposal=propose(facts),
        automatic=True,
        opened_at=view.now,
    )


async def gather_facts(raised: Raised, view: CaseView, ports: Ports) -> Facts:
    """What the sender left out is asked of the shop."""
    exception, order, customer = raised.exception, raised.order, raised.customer
    if order is None and exception.order_id is not None:
        order = await ports.orders.find_order(exception.order_id)
    elif order is not None and order.payment_reference and exception.order_id is not None and ports.books is None:
        order = await _with_the_shops_payment(order, exception.order_id, ports)
    if customer is None and exception.customer_id is not None:
        customer = await ports.orders.find_customer(exception.customer_id)
    facts = Facts(exception=exception, order=order, customer=customer, exposure=view.exposure or Exposure())
    return facts.model_copy(update={"available": available_of(facts, view)})


async def _with_the_shops_payment(order: Order, order_id: str, ports: Ports) -> Order:
    """Where a provider gives money back, the shop says which payment that is: a sender could name somebody else's.
    Where the shop does not know the order, the sender's word counts, as it does for all the rest of it."""
    known = await ports.orders.find_order(order_id)
    if known is None or known.payment_reference is None:
        return order
    return order.model_copy(update={"payment_reference": known.payment_reference})


def amount_problem(facts: Facts) -> tuple[RejectionReason, str] | None:
    """A request that no person could approve as it stands is refused at once, with the reason."""
    asked: Money | None = facts.exception.amount
    if asked is None or facts.order is None:
        return None
    captured = facts.order.captured
    if asked.currency != captured.currency:
        detail = f"amount.currency: the order was paid in {captured.currency}; ask in that currency"
        return RejectionReason.CURRENCY_MISMATCH, detail
    if asked.amount_minor > captured.amount_minor:
        detail = "amount: more than the order's captured total; ask for that or less"
        return RejectionReason.OVER_CAPTURED, detail
    return None
