"""Approved actions are run one after the other, each under its own idempotency key and at most once by default.

The intent with all of them is committed before the first is called, and the result of each before the next. So when
a worker dies, at most one action may have run without a word: it is looked up, repeated where that has no second
effect, or put before a person.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.values import Action, ActionResult, ActionStatus
from worker.application import failpoints
from worker.application.examine_actions import findings_of
from worker.application.follow_run import ask, concluded, parked
from worker.application.ports import Ports
from worker.application.ports.executors import (
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    OnUnknown,
    Ran,
)
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Paused, StuckThread
from worker.application.transition import SYSTEM, note
from worker.application.unit_of_work import NOTHING, CaseQuery, Postponement, UnitOfWork
from worker.domain.exception_case import Case, CaseState
from worker.domain.intent import ActionsIntent, IntentState
from worker.domain.order_exception import Facts
from worker.domain.tool_calls import identity, noted

MAX_DELAY_S = 300.0

MAX_RESULTS = 256 * 1024
"""Bytes of all results of a case together. Brokers take records of 1 MiB by default."""

_CAME_TO_NOTHING = frozenset({ActionStatus.FAILED, ActionStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Later:
    """The action is tried again. `deferred`: it was not run, for certain."""

    problem: str
    deferred: bool


Attempt = ActionResult | Later


def query(intent: ActionsIntent) -> CaseQuery:
    return CaseQuery(case_id=intent.case_id)


def goes_on(unit: UnitOfWork) -> ActionsIntent | None:
    """The intent whose next action is run at once, after this unit was committed."""
    intent = unit.intent
    return intent if isinstance(intent, ActionsIntent) and intent.state is IntentState.PENDING else None


async def run_next(intent: ActionsIntent, ports: Ports, *, until: float) -> Attempt:
    """Runs the first action without a result, or finds out what came of it. Nothing is raised.

    `until` is when the lease of the intent runs out, by `ports.monotonic`: whoever wakes later than that calls nobody,
    for another worker may have.
    """
    action = intent.next_action
    if action is None:
        raise ValueError(f"{intent.idempotency_key} has no action left to run")
    if not ports.executors.runs(action.name):
        status = ActionStatus.UNKNOWN if intent.may_have_started else ActionStatus.FAILED
        return _result(action, status, problem="its executor is not registered any more")
    return await _try(action, intent, ports, until)


async def _try(action: Action, intent: ActionsIntent, ports: Ports, until: float) -> Attempt:
    if not intent.may_have_started:
        return await _run(action, intent, ports, until, may_have_run=False)
    match ports.executors.on_unknown(action.name):
        case OnUnknown.LOOK_UP:
            return await _look_up_and_run(action, intent, ports, until)
        case OnUnknown.REPEAT:
            return await _run(action, intent, ports, until, may_have_run=True)
        case OnUnknown.ASK:
            return _result(action, ActionStatus.UNKNOWN, problem="no answer came, and it cannot be looked up")


async def _look_up_and_run(action: Action, intent: ActionsIntent, ports: Ports, until: float) -> Attempt:
    try:
        found = await ports.executors.look_up(action, intent.key_of(action))
    except ActionFailed as failed:
        return _result(action, ActionStatus.FAILED, problem=str(failed))
    except ActionUnavailable as unavailable:
        return Later(str(unavailable), deferred=False)
    if found is not None:
        return _executed(action, found)
    return await _run(action, intent, ports, until, may_have_run=False)


async def _run(action: Action, intent: ActionsIntent, ports: Ports, until: float, *, may_have_run: bool) -> Attempt:
    """What a call says that had no effect is no word about one before it: where that may have run, nobody knows."""
    if ports.monotonic() >= until:
        return Later("the worker stalled until its lease ran out", deferred=not may_have_run)
    try:
        failpoints.reach("action.before-call", [CaseState.EXECUTING])
        ran = await ports.executors.run(action, intent.key_of(action))
        failpoints.reach("action.after-call", [CaseState.EXECUTING])
        return _executed(action, ran)
    except (ActionRefused, ActionFailed) as failed:
        status = ActionStatus.UNKNOWN if may_have_run else ActionStatus.FAILED
        return _result(action, status, problem=str(failed))
    except ActionUnavailable as unavailable:
        return Later(str(unavailable), deferred=not may_have_run)
    except ActionUncertain as uncertain:
        if ports.executors.on_unknown(action.name) is OnUnknown.ASK:
            return _result(action, ActionStatus.UNKNOWN, problem=str(uncertain))
        return Later(str(uncertain), deferred=False)


async def record(intent: ActionsIntent, attempt: Attempt, view: CaseView, ports: Ports) -> UnitOfWork:
    """What came of the action is on record; after the last one the case has its outcome, or is put before a person."""
    case = view.case
    if case is None or case.state is not CaseState.EXECUTING or case.idempotency_key != intent.idempotency_key:
        return NOTHING
    action = intent.next_action
    if action is None or not _is_next(action, intent, case):
        return NOTHING
    if isinstance(attempt, Later):
        if view.now - intent.since <= ports.patience.executor:
            return _later(intent, attempt)
        status = ActionStatus.FAILED if attempt.deferred else ActionStatus.UNKNOWN
        attempt = _result(action, status, problem=f"given up: {attempt.problem}")
    attempt = _within_record(attempt, case)
    results = noted(intent.results, attempt)
    after = intent.model_copy(update={"results": results, "attempts": 0, "state": IntentState.PENDING})
    facts = case.facts.model_copy(update={"results": noted(case.facts.results, attempt)})
    done = case.model_copy(update={"facts": facts})
    if after.next_action is not None:
        return _progress(done, after, attempt, view.now, ports)
    return await _ended(done, after, attempt, view, ports)


def _within_record(result: ActionResult, case: Case) -> ActionResult:
    """The outcome holds what all actions answered, and must fit into a record: what comes last is cut short."""
    said = sum(len(json.dumps(other.result)) for other in case.facts.results)
    if said + len(json.dumps(result.result)) <= MAX_RESULTS:
        return result
    return result.model_copy(update={"result": {"truncated": True}})


def _is_next(action: Action, intent: ActionsIntent, case: Case) -> bool:
    """Another worker may have taken the intent up when this one stalled, and have gone on."""
    on_record = {result.id for result in case.facts.results}
    return action.id not in on_record and all(result.id in on_record for result in intent.results)


def _later(intent: ActionsIntent, attempt: Later) -> UnitOfWork:
    state = IntentState.DEFERRED if attempt.deferred else IntentState.UNKNOWN
    tried = intent.model_copy(update={"state": state, "attempts": intent.attempts + 1})
    delay = float(min(MAX_DELAY_S, 2 ** min(intent.attempts, 20)))
    return UnitOfWork(intent=tried, postponed=Postponement(delay, attempt.problem))


def _progress(case: Case, intent: ActionsIntent, result: ActionResult, now: datetime, ports: Ports) -> UnitOfWork:
    """The lease is extended with each result, for the next action has its own time limit."""
    after, entry = note(
        case, actor=SYSTEM, action=_RECORDED[result.status], at=now, detail=_detail(intent, result), facts=case.facts
    )
    lease = Postponement(ports.patience.lease.total_seconds())
    return UnitOfWork(case=after, audit=entry, intent=intent, postponed=lease)


async def _ended(case: Case, intent: ActionsIntent, last: ActionResult, view: CaseView, ports: Ports) -> UnitOfWork:
    record: dict[str, Any] = {
        "actor": SYSTEM,
        "action": _RECORDED[last.status],
        "at": view.now,
        "detail": _detail(intent, last),
    }
    missing = [result for result in intent.results if result.status in _CAME_TO_NOTHING]
    if not missing:
        unit = concluded(case, CaseState.EXECUTED, None, ports, record, {"facts": case.facts})
        return replace(unit, intent=intent.model_copy(update={"state": IntentState.SUCCEEDED}))
    failed = intent.model_copy(update={"state": IntentState.FAILED})
    problem = "; ".join(map(_told, missing))
    if case.facts.failures < ports.patience.execution_attempts:
        facts = await _facts_of_next_round(case, intent, missing, problem, ports)
        again = case.model_copy(update={"facts": facts})
        try:
            run = await ports.workflow.start(str(case.case_id), facts.model_dump(mode="json"))
        except StuckThread as stuck:
            return UnitOfWork(**parked(again, view, str(stuck)), intent=failed)
        if isinstance(run, Paused):
            return replace(ask(again, run, ports, **record), intent=failed)
    unit = concluded(case, CaseState.FAILED, None, ports, record, {"facts": case.facts, "reason": problem})
    return replace(unit, intent=failed)


async def _facts_of_next_round(
    case: Case, intent: ActionsIntent, missing: list[ActionResult], problem: str, ports: Ports
) -> Facts:
    """Only what came to nothing is asked about again, in the form in which it was approved."""
    ids = {result.id for result in missing}
    remaining = tuple(action for action in intent.actions if action.id in ids)
    try:
        findings = await findings_of(remaining, ports)
    except (ActionRefused, ActionUnavailable):
        findings = tuple(finding for finding in case.facts.findings if finding.id in ids)
    return case.facts.model_copy(
        update={
            "failure": problem,
            "failures": case.facts.failures + 1,
            "round": case.round + 1,
            "remaining": remaining,
            "findings": findings,
        }
    )


def _told(result: ActionResult) -> str:
    if result.status is ActionStatus.UNKNOWN:
        return f"{result.name} may have run ({result.problem}), and approving it runs it once more"
    return f"{result.name} did not run: {result.problem}"


_RECORDED = {
    ActionStatus.EXECUTED: "action ran",
    ActionStatus.FAILED: "action failed",
    ActionStatus.UNKNOWN: "action may have run",
}


def _detail(intent: ActionsIntent, result: ActionResult) -> dict[str, Any]:
    """What the audit entry says: nothing that an executor answered but its reference."""
    detail = {"action": result.name, "id": result.id, "idempotency_key": intent.key_of(result)}
    return {**detail, "reference": result.reference} if result.reference else detail


def _executed(action: Action, ran: Ran) -> ActionResult:
    return _result(action, ActionStatus.EXECUTED, reference=ran.reference, result=ran.result)


def _result(
    action: Action,
    status: ActionStatus,
    *,
    reference: str | None = None,
    result: Any = None,
    problem: str | None = None,
) -> ActionResult:
    return ActionResult(
        id=identity(action), name=action.name, status=status, reference=reference, result=result, problem=problem
    )
