"""3. No money moves without all required approvals on record before it; at most once a case; never more than was
approved or captured; for the order and in the currency that it is about. What moves no money is not executed without
its approvals either."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.checker.consent import captured_of, consent_of, missing, most
from tests.chaos.checker.ledger import Movement, round_of
from tests.chaos.checker.outcomes import FROM_PROVIDER
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import Case, Money
from tests.chaos.checker.violation import Violation


def check(run: Run) -> Iterator[Violation]:
    for movement in run.books.movements:
        yield from _was_approved(run, movement)
    yield from _looked_before_it_tried_again(run)
    yield from _at_most_once(run)
    yield from _never_more_than_captured(run)
    for case in run.cases.values():
        yield from _was_signed(run, case)


def _was_approved(run: Run, movement: Movement) -> Iterator[Violation]:
    case, round_ = run.cases.get(movement.case_id), round_of(movement.key)
    if case is None:
        yield Violation(3, "money moved for a case that does not exist", movement.where)
        return
    yield from _has_its_intent(run, movement)
    demand = run.demand(case)
    if round_ is None or demand is None:
        if not case.exception_id.startswith(FROM_PROVIDER) or round_ is None:
            yield Violation(3, "money moved for what nobody asked for", movement.where)
        return
    consent = consent_of(run, case.case_id, round_, movement.at)
    for problem in missing(run, consent, demand, round_):
        yield Violation(3, f"money moved without its approval: {problem}", movement.where)
    if movement.order_id != demand.order_id:
        yield Violation(3, f"money moved for another order than {demand.order_id}", movement.where)
    limits = {"was asked for": most(run, case, demand), "was captured": captured_of(run, demand.order_id)}
    if consent.last is not None:
        limits["was approved"] = consent.amount
    for what, limit in limits.items():
        yield from _within(movement, limit, what)


def _within(movement: Movement, limit: Money | None, what: str) -> Iterator[Violation]:
    if limit is None:
        yield Violation(3, f"{movement.money} moved, and no payment {what}", movement.where)
    elif movement.money.currency != limit.currency:
        yield Violation(3, f"{movement.money} moved, and {limit} {what}: another currency", movement.where)
    elif movement.money.amount_minor > limit.amount_minor:
        yield Violation(3, f"{movement.money} moved, more than the {limit} that {what}", movement.where)


def _has_its_intent(run: Run, movement: Movement) -> Iterator[Violation]:
    intent = run.intents.get(movement.key)
    if intent is None:
        yield Violation(3, "money moved without an intent on record", movement.where)
    elif (intent.case_id, intent.amount, intent.method) != (movement.case_id, movement.money, movement.method):
        what = f"money moved otherwise than its intent says: {movement.money} in place of {intent.amount}"
        yield Violation(3, what, movement.where)
    elif intent.created_at >= movement.at:
        yield Violation(3, "money moved before its intent was on record", movement.where)


def _looked_before_it_tried_again(run: Run) -> Iterator[Violation]:
    """A service may forget its keys: whoever had no answer asks what became of the first try."""
    for key, times in Counter(run.books.hasty).items():
        what = f"a payment was tried again {times} times without a look whether it had been made"
        yield Violation(3, what, {"idempotency_key": key})


def _at_most_once(run: Run) -> Iterator[Violation]:
    for case_id, movements in run.movements_of.items():
        if len(movements) > 1:
            keys = ", ".join(sorted(each.key for each in movements))
            yield Violation(3, f"money moved {len(movements)} times", {"case": case_id, "idempotency_key": keys})


def _never_more_than_captured(run: Run) -> Iterator[Violation]:
    totals: dict[str, int] = defaultdict(int)
    for movements in run.movements_of.values():
        for movement in movements:
            totals[movement.order_id] += movement.money.amount_minor
    for order_id, total in totals.items():
        captured = captured_of(run, order_id)
        if captured is None:
            yield Violation(3, "money moved for an order that the shop does not know", {"order": order_id})
        elif total > captured.amount_minor:
            yield Violation(3, f"{total} moved of the {captured} that were captured", {"order": order_id})


def _was_signed(run: Run, case: Case) -> Iterator[Violation]:
    """What moves no money is done by others, on the word of the outcome."""
    demand = run.demand(case)
    if case.state != "executed" or demand is None or case.case_id in run.movements_of:
        return
    for problem in missing(run, consent_of(run, case.case_id, case.round), demand, case.round):
        yield Violation(3, f"executed without its approval: {problem}", {"case": case.case_id})
