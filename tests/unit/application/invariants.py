"""What must hold after anything that can happen to a desk; the numbers are those of the project's list of invariants.

They look at what is stored, announced and paid, and ask none of the code that did it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas.catalogue import ORDER_OUTCOMES
from schemas.values import ExceptionKind, Money, Verdict
from tests.unit.application.desk import Desk
from worker.application.messages import Commanded, Decided, IllegibleDecision, Recovery
from worker.domain.approval import Decision, Receipt
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import IntentState, PaymentIntent

AUTOMATIC_LIMIT_MINOR = 10_000
"""Of the default policy. An order that is not on its way yet is cancelled as a whole, whatever it cost."""

Outcomes = dict[str, str]
"""The outcome of each case by its id, as it was first announced."""


def all_cases(desk: Desk) -> list[Case]:
    return [row.case for row in desk.database.cases.values()]


def payments(desk: Desk) -> Iterator[PaymentIntent]:
    """All money that moved, at the provider or in our own books."""
    yield from desk.payments.entries.values()
    yield from (booking.intent for booking in desk.database.ledger.values())


@dataclass(frozen=True, slots=True)
class Effective:
    """A decision that took effect."""

    decision: Decision
    receipt: Receipt


def with_effect(desk: Desk) -> list[Effective]:
    rows = desk.database.decisions.values()
    return [Effective(row.said, row.receipt) for row in rows if isinstance(row.said, Decision) and row.receipt.accepted]


def a_case_has_one_outcome_or_a_reason_to_have_none(desk: Desk, known: Outcomes) -> None:
    """1: and an outcome never changes."""
    announced = Counter(message.ordering for message in desk.database.outbox if message.topic == ORDER_OUTCOMES.name)
    for case in all_cases(desk):
        case_id = str(case.case_id)
        assert announced[case_id] == (1 if case.state.is_terminal else 0), case
        open_requests = [row for row in desk.database.approvals_of(case.case_id) if row.is_open]
        assert len(open_requests) == (1 if case.state is CaseState.WAITING else 0), case
        if case.state.is_terminal:
            assert known.setdefault(case_id, case.state) == case.state


def no_money_moves_without_its_approval(desk: Desk, _: Outcomes) -> None:
    """3: at most once a case, and the amount that was signed."""
    paid = list(payments(desk))
    assert max(Counter(intent.case_id for intent in paid).values(), default=1) == 1
    effective = with_effect(desk)
    for intent in paid:
        case = desk.database.cases[intent.case_id].case
        assert (intent.order_id, intent.amount) == (case.exception.order_id, case.proposal.amount)
        assert intent.amount.amount_minor <= signed_minor(case, effective), case


def signed_minor(case: Case, effective: Iterable[Effective]) -> int:
    """What may be paid: the amount of the last signature, or what the policy gives without one."""
    cancels = case.exception.kind is ExceptionKind.CANCELLATION
    asked = case.facts.order.captured if cancels and case.facts.order else case.exception.amount
    assert asked is not None
    signed = [row for row in effective if row.receipt.case_id == case.case_id]
    if not signed:
        return asked.amount_minor if cancels else min(asked.amount_minor, AUTOMATIC_LIMIT_MINOR)
    last = signed[-1].decision
    assert last.verdict in {Verdict.APPROVE, Verdict.MODIFY, Verdict.CHOOSE}
    changed = (last.changes or {}).get("amount")
    return Money.model_validate(changed).amount_minor if changed else asked.amount_minor


def an_order_never_gives_back_more_than_it_captured(desk: Desk, _: Outcomes) -> None:
    """3, over all cases of the order; and what is set aside is what was paid or is about to be."""
    unfinished = [row.intent for row in desk.database.intents.values() if not row.is_finished]
    pending = [intent for intent in unfinished if isinstance(intent, PaymentIntent)]
    keys = {intent.idempotency_key for intent in pending}
    settled = [intent for intent in payments(desk) if intent.idempotency_key not in keys]
    for order_id, order in desk.orders.orders.items():
        paid = sum(intent.amount.amount_minor for intent in payments(desk) if intent.order_id == order_id)
        assert paid <= order.captured.amount_minor
        balance = desk.database.balances.get(order_id)
        held = [intent.amount.amount_minor for intent in (*pending, *settled) if intent.order_id == order_id]
        assert (balance.refunded_minor if balance else 0) == sum(held)


def what_was_approved_is_paid_or_in_hand_or_a_failure_that_is_seen(desk: Desk, _: Outcomes) -> None:
    """4"""
    intents = {row.intent.idempotency_key: row for row in desk.database.intents.values()}
    paid = {intent.idempotency_key for intent in payments(desk)}
    for case in all_cases(desk):
        row = intents.get(case.idempotency_key)
        if case.state is CaseState.EXECUTING:
            assert row is not None, case
            assert not row.is_finished, case
        if case.state is CaseState.EXECUTED and case.proposal.amount is not None:
            assert case.idempotency_key in paid, case
        if row is not None and row.intent.state is IntentState.FAILED:
            assert case.state is CaseState.FAILED, case


def a_request_has_one_decision_with_effect_by_somebody_who_may(desk: Desk, _: Outcomes) -> None:
    """5"""
    requests = {str(key): row.approval for key, row in desk.database.approvals.items()}
    effective, first = with_effect(desk), first_received(desk)
    decided = Counter(row.receipt.approval_id for row in effective)
    assert max(decided.values(), default=1) == 1
    for row in effective:
        request = requests[row.receipt.approval_id or ""]
        reviewer = row.decision.reviewer
        assert request.question.role in reviewer.roles
        assert reviewer.id.strip().casefold() != request.requested_by.strip().casefold()
        assert request.closed_by == reviewer.id
        assert first[row.decision.decision_id] <= request.due_at


def first_received(desk: Desk) -> dict[str, datetime]:
    """When each decision first came in: one that came in time is not late because nobody looked at it."""
    first: dict[str, datetime] = {}
    for row in desk.database.inbox.values():
        if isinstance(row.message, Decided):
            name = row.message.decision.decision_id
            first[name] = min(first.get(name, row.received_at), row.received_at)
    return first


def each_decision_is_answered_once(desk: Desk, _: Outcomes) -> None:
    """A decision whose case has not come yet waits for its answer."""
    answered = Counter(receipt["decision_id"] for receipt in desk.receipts())
    done: Counter[str] = Counter()
    for row in desk.database.inbox.values():
        match row.message:
            case Decided(decision) if row.is_finished:
                done[decision.decision_id] += 1
            case Commanded(command) if row.is_finished:
                done[command.command_id] += 1
            case Recovery(recovery_id) if row.is_finished:
                done[recovery_id] += 1
            case IllegibleDecision(decision_id) if row.is_finished:
                done[decision_id] += 1
    assert answered == done


def the_audit_trail_holds(desk: Desk, _: Outcomes) -> None:
    """7: it verifies, and each version of a case has its entry."""
    trails = defaultdict(list)
    for entry in desk.database.audit:
        trails[entry.case_id].append(entry)
    for case in all_cases(desk):
        trail = trails[case.case_id]
        assert [entry.number for entry in trail] == list(range(1, case.version + 1))
        head, state = "", CaseState.OPENED.value
        for entry in trail:
            assert (entry.previous_hash, entry.from_state) == (head, state)
            assert entry.computed_hash() == entry.hash
            head, state = entry.hash, entry.to_state
        assert (case.audit_head, case.state.value) == (head, state)


ALL: tuple[Callable[[Desk, Outcomes], None], ...] = (
    a_case_has_one_outcome_or_a_reason_to_have_none,
    no_money_moves_without_its_approval,
    an_order_never_gives_back_more_than_it_captured,
    what_was_approved_is_paid_or_in_hand_or_a_failure_that_is_seen,
    a_request_has_one_decision_with_effect_by_somebody_who_may,
    each_decision_is_answered_once,
    the_audit_trail_holds,
)
