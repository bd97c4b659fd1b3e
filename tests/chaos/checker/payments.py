"""3. No money moves, and no action runs, without all required approvals on record before it; at most once a case; never
more than was approved or captured; for the order and in the currency that it is about."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.chaos.checker.consent import captured_of, consent_of, missing, most
from tests.chaos.checker.ledger import Effect, Movement, action_id_of, round_of
from tests.chaos.checker.outcomes import FROM_PROVIDER
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import Action, Case, Money
from tests.chaos.checker.violation import Violation


def check(run: Run) -> Iterator[Violation]:
    for movement in run.books.movements:
        yield from _was_approved(run, movement)
    yield from _looked_before_it_tried_again(run)
    yield from _at_most_once(run)
    yield from _never_more_than_captured(run)
    for effect in run.effects:
        yield from _was_agreed_to(run, effect)
    yield from _ran_at_most_once(run)
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


def _was_agreed_to(run: Run, effect: Effect) -> Iterator[Violation]:
    case, round_, id_ = run.cases.get(effect.case_id), round_of(effect.key), action_id_of(effect.key)
    if case is None or round_ is None or id_ is None:
        yield Violation(3, "an action ran for a case that does not exist", effect.where)
        return
    demand = run.demand(case)
    if demand is None:
        yield Violation(3, "an action ran that nobody asked for", effect.where)
        return
    intent = run.intents.get(effect.key.removesuffix(f":{id_}"))
    if intent is None:
        yield Violation(3, "an action ran without an intent on record", effect.where)
        return
    if run.workers_knew_the_time and intent.created_at >= effect.at:
        yield Violation(3, "an action ran before its intent was on record", effect.where)
    consent = consent_of(run, case.case_id, round_, intent.created_at)
    for problem in missing(run, consent, demand, round_):
        yield Violation(3, f"an action ran without its approval: {problem}", effect.where)
    allowed = consent.actions if consent.last is not None else _asked_for(run, case)
    if id_ not in allowed:
        yield Violation(3, f"an action ran that was not approved: {effect.action.name}", effect.where)
    elif not _is_the_same(allowed[id_], effect.action, lenient=consent.last is not None and consent.last.is_translated):
        yield Violation(3, "an action ran in another form than was approved", effect.where)


def _is_the_same(approved: Action, ran: Action, *, lenient: bool) -> bool:
    """Another product's screen sends numbers as texts, which are read as the action means them."""
    if approved.name != ran.name:
        return False
    return bool(_as_text(approved.args) == _as_text(ran.args) if lenient else approved.args == ran.args)


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(held) for name, held in value.items()}
    return str(value).lower()


def _asked_for(run: Run, case: Case) -> dict[str, Action]:
    """The actions of the request itself, where no person had to sign: one without an id is known by its place."""
    for row in run.opened_by(case):
        payload = row.payload or {}
        listed = payload.get("actions") or [payload.get("action")]
        return {
            str(each.get("id") or index): Action(each["name"], each.get("args") or {})
            for index, each in enumerate(listed)
            if each
        }
    return {}


def _ran_at_most_once(run: Run) -> Iterator[Violation]:
    for key, times in Counter(effect.key for effect in run.effects).items():
        if times > 1:
            yield Violation(3, f"an action ran {times} times", {"idempotency_key": key})


def _was_signed(run: Run, case: Case) -> Iterator[Violation]:
    """What moves no money is done by others, on the word of the outcome."""
    demand = run.demand(case)
    if case.state != "executed" or demand is None or case.case_id in run.movements_of:
        return
    for problem in missing(run, consent_of(run, case.case_id, case.round), demand, case.round):
        yield Violation(3, f"executed without its approval: {problem}", {"case": case.case_id})
