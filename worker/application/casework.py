"""Which use case answers to what, and what happens when its unit of work does not go through.

A unit that lost a race is computed anew from what is there now. A message that fails for no reason of its own is
tried again later, and becomes a dead letter when it has failed too often: it stops nobody else.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from schemas.values import RejectionReason
from worker.application import (
    apply_decision,
    hand_over,
    open_case,
    question_messages,
    recover_case,
    report_failed_payment,
    run_actions,
    settle_payment,
)
from worker.application.act_on_timer import act_on_timer
from worker.application.announcements import MessageRefused
from worker.application.apply_decision import answer_illegible
from worker.application.messages import (
    Commanded,
    Decided,
    Delivery,
    IllegibleDecision,
    Outdated,
    PaymentReported,
    Raised,
    Recovery,
    Withdrawn,
)
from worker.application.ports import Ports
from worker.application.ports.executors import ActionUnavailable
from worker.application.ports.orders import OrdersUnavailable
from worker.application.ports.payments import PaymentUnavailable
from worker.application.ports.store import CaseView, UnitRefused
from worker.application.reachable import until_reachable
from worker.application.receipts import given_up
from worker.application.turns import Turns
from worker.application.unit_of_work import CaseQuery, Commit, Postponement, UnitOfWork
from worker.application.withdraw_case import withdraw_case
from worker.domain.exception_case import CaseState
from worker.domain.intent import ActionsIntent, Intent, PaymentIntent

log = logging.getLogger(__name__)

MAX_RACES = 100

LONGEST_WAIT_S = 60.0

Compute = Callable[[CaseView], Awaitable[UnitOfWork]]


@dataclass(frozen=True, slots=True)
class Done:
    """A committed unit, and the look at the case that it was computed from. By `Casework.moment`, `seen` is when that
    look was there, and `since` right before the commit was asked for: a lease that it began runs from then at the
    earliest."""

    unit: UnitOfWork
    view: CaseView
    seen: float
    since: float

    def view_at(self, moment: float) -> CaseView:
        """The case as it stands now, by the database's time, which is never ahead of it."""
        return CaseView(now=self.view.now + timedelta(seconds=moment - self.seen), case=self.unit.case)


class Casework:
    """Everything that is done about a case comes through here, one call at a time for one case."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._turns = Turns()

    async def deliver(self, delivery: Delivery) -> None:
        """Acts on a message from the inbox. Raises only what the store raises when it cannot be reached."""
        query, compute = self._use_case(delivery)

        async def finishing(view: CaseView) -> UnitOfWork:
            return (await compute(view)).finishing(delivery.inbox_id)

        try:
            done = await self._commit(query, finishing)
        except UnitRefused as refused:
            await self._give_up(delivery, str(refused))
        except ConnectionError:
            raise
        except (OrdersUnavailable, ActionUnavailable, PaymentUnavailable) as away:
            await self._wait_for_others(delivery, away)
        except Exception as error:
            log.exception("message failed", extra={"inbox_id": delivery.inbox_id})
            await self._try_later(delivery, error)
        else:
            if done is not None and done.unit.intent is not None:
                await self.settle(done.unit.intent, done.view_at(self.moment()), since=done.since)

    async def act_on_timer(self, approval_id: UUID) -> None:
        """Does what is due about an approval request: a reminder, the end of a claim, its deadline."""
        query = CaseQuery(approval_id=str(approval_id))
        await self._commit(query, lambda view: act_on_timer(view, self._ports))

    def moment(self) -> float:
        """Now, in seconds by a clock that only this process knows: for `since` of `settle`."""
        return self._ports.monotonic()

    async def settle(self, intent: Intent, known: CaseView | None = None, *, since: float) -> None:
        """Does what a committed intent says, or finds out that it was done, and concludes its case.

        `known` is the case as it was committed with the intent a moment ago, which saves the first look at it.
        `since` is a moment before the intent was committed or taken up: its lease runs from then at the earliest.
        """
        if isinstance(intent, PaymentIntent):
            await self._move_money(intent, known)
        else:
            await self._run_actions(intent, known, since)

    async def _move_money(self, intent: PaymentIntent, known: CaseView | None) -> None:
        result = await settle_payment.move_money(intent, self._ports)
        await self._record(
            settle_payment.query(intent),
            lambda view: settle_payment.conclude_case(intent, result, view, self._ports),
            known,
        )

    async def _run_actions(self, intent: ActionsIntent, known: CaseView | None, since: float) -> None:
        lease_s = self._ports.patience.lease.total_seconds()
        done = await self._run_next(intent, known, until=since + lease_s)
        while done is not None and (going_on := run_actions.goes_on(done.unit)) is not None:
            done = await self._run_next(going_on, None, until=done.since + lease_s)

    async def _run_next(self, intent: ActionsIntent, known: CaseView | None, *, until: float) -> Done | None:
        """The next action of the intent, and its result on record."""
        attempt = await run_actions.run_next(intent, self._ports, until=until)
        return await self._record(
            run_actions.query(intent), lambda view: run_actions.record(intent, attempt, view, self._ports), known
        )

    async def _record(self, query: CaseQuery, compute: Compute, known: CaseView | None) -> Done | None:
        """What came of a call is committed as soon as the database is there. Whoever calls this calls nobody again
        meanwhile; when it takes longer than the lease, somebody else has asked what came of it, and this is dropped."""

        async def commit() -> Done | None:
            nonlocal known
            seen, known = known, None
            return await self._commit(query, compute, seen)

        return await until_reachable(commit)

    async def _commit(self, query: CaseQuery, compute: Compute, known: CaseView | None = None) -> Done | None:
        """What was committed, or None when another worker had finished the message.

        Cases that look at the same figures of others take turns once they have met, or each would lose to all before
        it.
        """
        async with AsyncExitStack() as turn:
            has_turn = False
            for _ in range(MAX_RACES):
                view = known or await self._ports.store.view(query)
                known, seen = None, self.moment()
                figures = [watch.key for watch in view.watched]
                if not has_turn and self._turns.contended(figures):
                    await turn.enter_async_context(self._turns.take(figures))
                    has_turn = True
                    continue
                unit = await compute(view)
                since = self.moment()
                match await self._ports.store.commit(unit):
                    case Commit.DONE:
                        _alert_if_stuck(unit, view)
                        return Done(unit, view, seen, since)
                    case Commit.GONE:
                        return None
                    case Commit.CONFLICT if figures and not has_turn:
                        await turn.enter_async_context(self._turns.take(figures))
                        has_turn = True
        raise RuntimeError(f"lost {MAX_RACES} races for one case; its version never stood still")

    def _use_case(self, delivery: Delivery) -> tuple[CaseQuery, Compute]:
        ports, inbox_id = self._ports, delivery.inbox_id
        match delivery.message:
            case Raised() as raised:
                return open_case.query(raised, ports), lambda view: open_case.open_case(raised, inbox_id, view, ports)
            case Decided(decision):
                return question_messages.query(decision), lambda view: apply_decision.apply_decision(
                    decision, delivery, view, ports
                )
            case Commanded(command):
                return question_messages.query(command), lambda view: hand_over.hand_over(
                    command, delivery, view, ports
                )
            case Withdrawn(exception_id, requested_by):
                return CaseQuery(exception_id=exception_id), lambda view: withdraw_case(
                    requested_by, delivery.waited_s, view, ports
                )
            case PaymentReported() as report:
                return report_failed_payment.query(report), lambda view: report_failed_payment.report_failed_payment(
                    report, inbox_id, view, ports
                )
            case Recovery() as recovery:
                return recover_case.query(recovery), lambda view: recover_case.recover_case(recovery, view, ports)
            case IllegibleDecision() | Outdated() as unreadable:
                return _refusal_of(unreadable, inbox_id)

    async def _wait_for_others(self, delivery: Delivery, away: Exception) -> None:
        """An outage of the shop or of an executor is no fault of the message: it waits for hours before it becomes a
        dead letter."""
        if delivery.waited_s > self._ports.patience.shop.total_seconds():
            await self._give_up(delivery, str(away))
            return
        log.warning("a message waits for others: %s", away)
        await self._postpone(delivery, min(LONGEST_WAIT_S, float(2**delivery.attempts)), str(away))

    async def _try_later(self, delivery: Delivery, error: Exception) -> None:
        if delivery.attempts + 1 >= self._ports.patience.attempts:
            await self._give_up(delivery, type(error).__name__)
            return
        await self._postpone(delivery, float(2**delivery.attempts), type(error).__name__)

    async def _postpone(self, delivery: Delivery, seconds: float, problem: str) -> None:
        later = Postponement(seconds=seconds, problem=problem)
        await self._ports.store.commit(UnitOfWork(finishes=delivery.inbox_id, postponed=later))

    async def _give_up(self, delivery: Delivery, problem: str) -> None:
        refusal = MessageRefused(
            delivery.inbox_id,
            RejectionReason.PROCESSING_FAILED,
            f"could not be processed ({problem}); mend the cause and replay it",
        )
        answers = given_up(delivery.message)
        await self._ports.store.commit(UnitOfWork(finishes=delivery.inbox_id, refusal=refusal, announcements=answers))


def _alert_if_stuck(unit: UnitOfWork, view: CaseView) -> None:
    """Once it is committed: a unit that loses a race may have seen a thread that was further than its case."""
    case = unit.case
    was_stuck = view.case is not None and view.case.state is CaseState.STUCK
    if case is not None and case.state is CaseState.STUCK and not was_stuck:
        log.error("case %s is stuck and waits for an operator: %s", case.case_id, case.reason)


def _refusal_of(message: IllegibleDecision | Outdated, inbox_id: int) -> tuple[CaseQuery, Compute]:
    """What cannot be read is answered where its id could be, and is a dead letter otherwise."""
    if isinstance(message, Outdated):
        refused = UnitOfWork(refusal=MessageRefused(inbox_id, RejectionReason.SCHEMA_INVALID, message.problem))

        async def refuse(view: CaseView) -> UnitOfWork:
            return refused

        return CaseQuery(), refuse

    async def answer(view: CaseView) -> UnitOfWork:
        return answer_illegible(message, view)

    return CaseQuery(decision_id=message.decision_id), answer
