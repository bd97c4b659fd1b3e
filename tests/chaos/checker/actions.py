"""3, of actions: none runs, here or by the agent on the word of an outcome, that was not approved in this form before;
and none under one key twice."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.checker.consent import Consent, consent_of, missing
from tests.chaos.checker.events import Outcome
from tests.chaos.checker.ledger import Effect, action_id_of, round_of
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import Action, Case
from tests.chaos.checker.violation import Violation


def check(run: Run) -> Iterator[Violation]:
    for effect in run.effects:
        yield from _was_agreed_to(run, effect)
    yield from _ran_at_most_once(run)
    for outcome in run.published.all_outcomes():
        case = run.cases.get(outcome.case_id)
        if case is not None:
            yield from _lets_run_what_was_approved(run, case, outcome)
            yield from _carries_what_was_asked(run, case, outcome)


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
    allowed = _allowed(run, case, consent)
    if id_ not in allowed:
        yield Violation(3, f"an action ran that was not approved: {effect.action.name}", effect.where)
    elif not _is_the_same(allowed[id_], effect.action, lenient=_is_lenient(consent)):
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


def _lets_run_what_was_approved(run: Run, case: Case, outcome: Outcome) -> Iterator[Violation]:
    """The agent runs what the outcome calls approved. An action may have been approved in an earlier round."""
    if not outcome.actions and not outcome.results:
        return
    allowed: dict[str, Action] = {}
    lenient = False
    for round_ in range(1, case.round + 1):
        consent = consent_of(run, case.case_id, round_)
        allowed |= _allowed(run, case, consent)
        lenient |= _is_lenient(consent)
    where = {"case": case.case_id, "event": outcome.event_id}
    for id_, action in outcome.actions.items():
        if id_ not in allowed:
            yield Violation(3, f"the outcome lets run what was not approved: {action.name}", where)
        elif not _is_the_same(allowed[id_], action, lenient=lenient):
            yield Violation(3, f"the outcome lets {action.name} run in another form than was approved", where)
    for id_, (name, status) in outcome.results.items():
        if status == "approved" and id_ not in outcome.actions:
            yield Violation(3, f"the outcome calls {name} approved, and does not name it", where)


def _allowed(run: Run, case: Case, consent: Consent) -> Mapping[str, Action]:
    """Where nobody agreed to a round, its actions are those that want no signature."""
    if consent.last is not None:
        return consent.actions
    demand = run.demand(case)
    return _asked_for(run, case) if demand is not None and not demand.needs else {}


def _is_lenient(consent: Consent) -> bool:
    return consent.last is not None and consent.last.is_translated


def _carries_what_was_asked(run: Run, case: Case, outcome: Outcome) -> Iterator[Violation]:
    """Whoever keeps an account applies what the outcome of its change carries."""
    if outcome.status != "executed" or outcome.kind != "account_change":
        return
    asked = [(row.payload or {}).get("changes") for row in run.opened_by(case)]
    if asked and outcome.changes not in asked:
        where = {"case": case.case_id, "event": outcome.event_id}
        yield Violation(3, "the outcome carries other changes than were approved", where)
