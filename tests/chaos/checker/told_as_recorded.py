"""6, of content: what the world was told of questions, decisions and cases is what the database has on record."""

from collections.abc import Iterator

from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import Approval
from tests.chaos.checker.violation import Violation


def check(run: Run) -> Iterator[Violation]:
    for approval in run.approvals.values():
        yield from _was_asked_so(run, approval)
        yield from _was_closed_so(run, approval)
    for approval_id in run.published.questions.keys() - run.approvals.keys():
        yield Violation(6, "a question was published that is not on record", {"approval": approval_id})
    yield from _was_answered_so(run)
    yield from _ended_so(run)
    yield from _events_are_of_their_case(run)


def _was_asked_so(run: Run, approval: Approval) -> Iterator[Violation]:
    question = run.published.questions.get(approval.approval_id)
    if question is None:
        yield Violation(6, "a question is on record that was never published", _of(approval))
    elif (question.case_id, question.shown) != (approval.case_id, approval.shown):
        yield Violation(6, "another question was published than is on record", _of(approval))


def _was_closed_so(run: Run, approval: Approval) -> Iterator[Violation]:
    closing = run.published.closings.get(approval.approval_id)
    told = None if closing is None else (closing.reason, closing.by, closing.at)
    kept = None if approval.closed_as is None else (approval.closed_as, approval.closed_by, approval.closed_at)
    if told != kept:
        yield Violation(6, f"a question is on record as closed {kept}, and was announced as {told}", _of(approval))


def _was_answered_so(run: Run) -> Iterator[Violation]:
    for decision in run.decisions.values():
        told = run.published.receipts.get(decision.decision_id, ())
        if all(receipt.content != decision.receipt_content for receipt in told):
            where = {"case": decision.case_id, "decision": decision.decision_id}
            yield Violation(6, "a receipt is on record that was never published so", where)


def _ended_so(run: Run) -> Iterator[Violation]:
    for outcome in run.published.all_outcomes():
        case = run.cases.get(outcome.case_id)
        if case is not None and outcome.status == "executed" and outcome.amount != case.amount:
            what = f"the outcome tells of {outcome.amount}, on record is {case.amount}"
            yield Violation(6, what, {"case": case.case_id, "event": outcome.event_id})


def _events_are_of_their_case(run: Run) -> Iterator[Violation]:
    """The order of a case's events is kept by this column."""
    orderings = {row["event_id"]: row["ordering"] for row in run.folder.first.table("outbox")}
    asked = ((each.event_id, each.case_id) for each in run.published.questions.values())
    closed = ((each.event_id, each.case_id) for each in run.published.closings.values())
    ended = ((each.event_id, each.case_id) for each in run.published.all_outcomes())
    for event_id, case_id in (*asked, *closed, *ended):
        if orderings.get(event_id, case_id) != case_id:
            yield Violation(6, "an event is ordered among those of another case", {"case": case_id, "event": event_id})


def _of(approval: Approval) -> dict[str, object]:
    return {"case": approval.case_id, "approval": approval.approval_id}
