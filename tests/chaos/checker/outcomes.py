"""1. Every accepted exception ends in one terminal outcome or waits legitimately, and an outcome never changes."""

from collections.abc import Iterator

from tests.chaos.checker.events import Outcome
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import Case, InboxRow
from tests.chaos.checker.violation import Violation

OVERDUE_S = 60.0
"""So much later than its deadline an open question is not waiting any more: its timer was lost."""

GIVEN_UP = "PROCESSING_FAILED"
CONFLICT = "CONFLICTING_DUPLICATE"

FROM_PROVIDER = "payment-failed:"
"""Begins the business key of a case that the worker opens itself, when a payment failed after it was made."""


def check(run: Run) -> Iterator[Violation]:
    for exception_id, rows in run.raised_rows.items():
        yield from _has_its_case(run, exception_id, rows)
    for case in run.cases.values():
        yield from _was_raised(run, case)
        yield from _is_filed_rightly(case)
        yield from _ended_or_waits(run, case)
    yield from _nothing_is_unfinished(run)
    yield from _outcomes_belong_to_cases(run)
    yield from _outcomes_never_change(run)


def _has_its_case(run: Run, exception_id: str, rows: list[InboxRow]) -> Iterator[Violation]:
    where = {"exception": exception_id}
    cases = run.cases_of.get(exception_id, [])
    if len(cases) > 1:
        yield Violation(1, f"{len(cases)} cases for one exception", where)
        return
    refused = {row.part: run.dead_letters[row.part].reason for row in rows if row.part in run.dead_letters}
    if not cases:
        if len(refused) < len(rows):
            yield Violation(1, "accepted, and there is no case", where)
        for part, reason in refused.items():
            if reason in (GIVEN_UP, CONFLICT):
                yield Violation(1, f"accepted, and lost as {reason}", {**where, **_at(part)})
        return
    yield from _others_are_conflicts(run, cases[0], rows, refused)


def _others_are_conflicts(
    run: Run, case: Case, rows: list[InboxRow], refused: dict[tuple[str, int, int, int], str]
) -> Iterator[Violation]:
    where = {"exception": case.exception_id, "case": case.case_id}
    opened_by = run.opened_by(case)
    first = min((row.received_at for row in opened_by), default=None)
    contents = {row.digest for row in rows}
    for row in rows:
        reason = refused.get(row.part)
        if reason is None and row.raised != case.content:
            yield Violation(1, "other content for the same exception was not refused", where | _at(row))
        if reason == CONFLICT and len(contents) == 1:
            yield Violation(1, "the same content again was refused as a conflict", where | _at(row))
        if reason == GIVEN_UP:
            yield Violation(1, "accepted, and lost as PROCESSING_FAILED", where | _at(row))
        came_first = first is not None and row.finished_at is not None and row.finished_at < first
        if reason == CONFLICT and came_first:
            yield Violation(1, "the content that came first lost to one that came later", where | _at(row))


def _was_raised(run: Run, case: Case) -> Iterator[Violation]:
    if not run.opened_by(case) and not case.exception_id.startswith(FROM_PROVIDER):
        yield Violation(1, "nobody raised what this case is about", _of(case))


def _is_filed_rightly(case: Case) -> Iterator[Violation]:
    if not case.columns_agree:
        yield Violation(1, "the case is filed under something else than it is about", _of(case))


def _ended_or_waits(run: Run, case: Case) -> Iterator[Violation]:
    outcomes = run.published.outcomes.get(case.case_id, [])
    open_approvals = [each for each in run.approvals_of.get(case.case_id, ()) if each.closed_as is None]
    if case.is_terminal:
        yield from _has_one_outcome(run, case, outcomes)
        if open_approvals:
            yield Violation(1, f"{case.state}, and a question is still open", _of(case))
        return
    if outcomes:
        yield Violation(1, f"{case.state}, and its outcome was announced", _of(case))
    if case.state == "waiting":
        yield from _waits_legitimately(run, case)
    elif case.state == "stuck":
        if not case.reason:
            yield Violation(1, "stuck, and nobody is told why", _of(case))
        if open_approvals:
            yield Violation(1, "stuck, and a question is still open that nobody can answer", _of(case))
    else:
        yield Violation(1, f"still {case.state} when all is quiet", _of(case))


def _has_one_outcome(run: Run, case: Case, outcomes: list[Outcome]) -> Iterator[Violation]:
    if len(outcomes) != 1:
        yield Violation(1, f"{case.state}, with {len(outcomes)} outcomes", _of(case))
    for outcome in outcomes:
        if outcome.status != case.state:
            yield Violation(1, f"the outcome says {outcome.status}, the case {case.state}", _of(case))
        told = outcome.exception_id, outcome.order_id, outcome.kind
        if told != (case.exception_id, case.order_id, case.kind):
            yield Violation(1, f"the outcome is about another request: {told}", _of(case))
    if not case.is_finished:
        yield Violation(1, f"{case.state}, and without an end", _of(case))


def _waits_legitimately(run: Run, case: Case) -> Iterator[Violation]:
    waiting_for = [each for each in run.approvals_of.get(case.case_id, ()) if each.closed_as is None]
    if len(waiting_for) != 1:
        yield Violation(1, f"waiting, with {len(waiting_for)} open questions", _of(case))
    for approval in waiting_for:
        where = {**_of(case), "approval": approval.approval_id}
        if approval.approval_id not in run.published.questions:
            yield Violation(1, "waiting for people who were never asked", where)
        if approval.due_at + OVERDUE_S < run.rested_at:
            late = run.rested_at - approval.due_at
            yield Violation(1, f"waiting {late:.0f} s past its deadline", where)


def _nothing_is_unfinished(run: Run) -> Iterator[Violation]:
    for row in run.inbox.values():
        if row.finished_at is None:
            yield Violation(1, f"a message was never finished: {row.type}", _at(row))
    for intent in run.intents.values():
        if not intent.is_finished:
            where = {"case": intent.case_id, "idempotency_key": intent.key}
            yield Violation(1, f"an intent was never concluded: {intent.state}", where)


def _outcomes_belong_to_cases(run: Run) -> Iterator[Violation]:
    for outcome in run.published.all_outcomes():
        if outcome.case_id not in run.cases:
            yield Violation(1, "an outcome of a case that does not exist", _about(outcome))


def _outcomes_never_change(run: Run) -> Iterator[Violation]:
    before = {outcome.event_id: outcome for outcome in run.published.all_outcomes()}
    ended = {outcome.case_id for outcome in before.values()}
    for outcome in run.published_after_replay.all_outcomes():
        known = before.get(outcome.event_id)
        if known is None and outcome.case_id in ended:
            yield Violation(1, "a second outcome after the topics were read again", _about(outcome))
        if known is not None and known.seal != outcome.seal:
            yield Violation(1, "the outcome has changed", _about(outcome))


def _about(outcome: Outcome) -> dict[str, object]:
    return {"exception": outcome.exception_id, "case": outcome.case_id, "event": outcome.event_id}


def _of(case: Case) -> dict[str, object]:
    return {"exception": case.exception_id, "case": case.case_id}


def _at(row: InboxRow | tuple[str, int, int, int]) -> dict[str, object]:
    part = row.part if isinstance(row, InboxRow) else row
    return dict(zip(("topic", "partition", "offset", "part"), part, strict=True))
