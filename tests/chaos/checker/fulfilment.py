"""4. What was approved and can be executed ends as paid, or as an explicit failure that a person sees; and what is told
is what happened."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checker.consent import captured_of, consent_of
from tests.chaos.checker.events import Outcome
from tests.chaos.checker.ledger import Movement, action_id_of, round_of
from tests.chaos.checker.records import WITHDRAWN
from tests.chaos.checker.run import Run, grouped
from tests.chaos.checker.tables import Case, Intent
from tests.chaos.checker.violation import Violation

_ENDS_AS = {
    "approved": {"executed", "failed", "executing", "stuck"},
    "modified": {"executed", "failed", "executing", "stuck"},
    "rejected": {"rejected"},
    "expired": {"expired"},
    "withdrawn": {"withdrawn"},
    # The case went on to another question, or it was parked.
    "escalated": {"stuck"},
    "changes_requested": {"stuck"},
    "outdated": {"stuck"},
}
"""The states of a case whose last question was closed so."""

_LEAVES_AN_EFFECT = frozenset({"executed", "unknown"})


def check(run: Run) -> Iterator[Violation]:
    for case in run.cases.values():
        outcome = next(iter(run.published.outcomes.get(case.case_id, ())), None)
        yield from _follows_from_its_answer(run, case)
        if outcome is not None:
            yield from _is_paid_as_told(run, case, outcome)
            yield from _ran_as_told(run, case, outcome)
        if case.state != "executed":
            for movement in run.movements_of.get(case.case_id, ()):
                yield Violation(4, f"paid, and the case is {case.state}", movement.where)
    yield from _intents_know_what_happened(run)
    yield from _withdrawals_were_asked_for(run)
    yield from _balances_are_what_was_paid(run)


def _follows_from_its_answer(run: Run, case: Case) -> Iterator[Violation]:
    asked = run.approvals_of.get(case.case_id)
    last = asked[-1].closed_as if asked else None
    if last is None:
        return
    if case.state not in _ENDS_AS.get(last, {case.state}):
        yield Violation(4, f"its last question is {last}, the case {case.state}", {"case": case.case_id})


def _is_paid_as_told(run: Run, case: Case, outcome: Outcome) -> Iterator[Violation]:
    where = {"case": case.case_id, "order": case.order_id, "event": outcome.event_id}
    if outcome.status == "failed" and not outcome.reason:
        yield Violation(4, "failed, and nobody is told why", where)
    movements = run.movements_of.get(case.case_id, [])
    if outcome.status != "executed":
        return
    if not outcome.amount or not outcome.amount.amount_minor:
        for movement in movements:
            yield Violation(4, f"{movement.money} moved, and the outcome says nothing of it", movement.where)
        return
    if not movements:
        yield Violation(4, f"executed, and the {outcome.amount} were never paid", where)
        return
    told = outcome.amount, outcome.method, outcome.payment_reference
    paid = movements[0].money, movements[0].method, movements[0].reference
    if told != paid:
        yield Violation(4, f"the outcome tells of {_shown(told)}, the payment service of {_shown(paid)}", where)
    agreed = consent_of(run, case.case_id, case.round)
    if agreed.last is not None and agreed.amount != movements[0].money:
        yield Violation(4, f"{agreed.amount} were approved, {movements[0].money} paid", where)


def _shown(facts: tuple[object, ...]) -> str:
    return " / ".join(str(fact) for fact in facts)


def _ran_as_told(run: Run, case: Case, outcome: Outcome) -> Iterator[Violation]:
    """Held against the last round alone: what came to nothing before was put to people again, in these words. Only
    executors that keep a file are seen."""
    ran = {
        action_id_of(effect.key): effect
        for effect in run.effects_of.get(case.case_id, ())
        if round_of(effect.key) == case.round
    }
    ever = {action_id_of(effect.key) for effect in run.effects_of.get(case.case_id, ())}
    for id_, (name, status) in outcome.results.items():
        where = {"case": case.case_id, "event": outcome.event_id, "action": id_}
        if status == "executed" and id_ not in ever and name in run.names_of_effects:
            yield Violation(4, f"{name} is said to have run, and did not", where)
        if id_ in ran and status not in _LEAVES_AN_EFFECT:
            yield Violation(4, f"{name} ran, and is said to be {status}", where)


def _intents_know_what_happened(run: Run) -> Iterator[Violation]:
    by_key: dict[str, list[Movement]] = grouped(run.books.movements, lambda each: each.key)
    for intent in run.intents.values():
        yield from _is_concluded_as_its_case(run, intent)
        if intent.amount is None:
            continue
        movements = by_key.get(intent.key, [])
        effective = [each for each in movements if each.took_effect]
        where = {"case": intent.case_id, "idempotency_key": intent.key}
        if intent.state == "failed" and effective:
            yield Violation(4, "paid, and on record as failed", where)
        if intent.state == "succeeded" and not movements:
            yield Violation(4, "on record as paid, and nothing moved", where)
        if intent.state == "succeeded" and effective and intent.reference != effective[0].reference:
            what = f"on record under reference {intent.reference}, paid under {effective[0].reference}"
            yield Violation(4, what, where)


def _is_concluded_as_its_case(run: Run, intent: Intent) -> Iterator[Violation]:
    case, where = run.cases.get(intent.case_id), {"case": intent.case_id, "idempotency_key": intent.key}
    if case is None:
        yield Violation(4, "an intent of a case that does not exist", where)
    elif intent.is_finished and intent.state not in ("succeeded", "failed"):
        yield Violation(4, f"an intent was concluded as {intent.state}", where)
    elif round_of(intent.key) == case.round and (intent.state == "succeeded") != (case.state == "executed"):
        yield Violation(4, f"its last intent is {intent.state}, the case {case.state}", where)


def _withdrawals_were_asked_for(run: Run) -> Iterator[Violation]:
    withdrawn = {row.refers_to for row in run.inbox.values() if row.type == WITHDRAWN}
    for case in run.cases.values():
        if case.state == "withdrawn" and case.exception_id not in withdrawn:
            yield Violation(4, "withdrawn, and nobody withdrew it", {"case": case.case_id})


def _balances_are_what_was_paid(run: Run) -> Iterator[Violation]:
    """What is set aside for an order was paid: a reservation without a payment keeps money from its customer."""
    paid: dict[str, int] = defaultdict(int)
    for movements in run.movements_of.values():
        for movement in movements:
            paid[movement.order_id] += movement.money.amount_minor
    untold = _orders_with_other_refunds(run)
    for row in run.folder.first.table("order_balances"):
        order_id, set_aside = row["order_id"], row["refunded_minor"]
        known = captured_of(run, order_id)
        if known is None or row["currency"] != known.currency or row["captured_minor"] > known.amount_minor:
            yield Violation(
                4, f"a balance of {row['captured_minor']}, where {known} were captured", {"order": order_id}
            )
        if order_id not in untold and set_aside != paid[order_id]:
            what = f"{set_aside} set aside for the order, {paid[order_id]} paid"
            yield Violation(4, what, {"order": order_id})


def _orders_with_other_refunds(run: Run) -> set[str | None]:
    """Those of which something was refunded before, is not concluded yet, or failed after it counted as paid."""
    untold: set[str | None] = set()
    for rows in run.raised_rows.values():
        for row in rows:
            if ((row.payload or {}).get("order") or {}).get("refunded"):
                untold |= {case.order_id for case in run.cases_of.get(str(row.refers_to), ())}
    late = {each.key for each in run.books.movements if not each.took_effect}
    for intent in run.intents.values():
        if not intent.is_finished or (intent.state == "succeeded" and intent.key in late):
            case = run.cases.get(intent.case_id)
            untold.add(case.order_id if case else None)
    return untold
