"""2, of decisions: whoever sent something with a legible id is answered, once for each time, and consistently; and what
is hostile never took effect."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.chaos.checker.events import Receipt
from tests.chaos.checker.history import Answer
from tests.chaos.checker.records import Record
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import EFFECTIVE, Decision
from tests.chaos.checker.violation import Violation

CODES = frozenset(
    {
        "ACCEPTED",
        "RECORDED",
        "DUPLICATE",
        "ALREADY_DECIDED",
        "EXPIRED",
        "STALE",
        "UNKNOWN_APPROVAL",
        "NOT_AUTHORISED",
        "SELF_APPROVAL",
        "SAME_REVIEWER",
        "VERDICT_NOT_ALLOWED",
        "INVALID_CHANGES",
        "INVALID",
        "UNVERIFIED",
    }
)

_NEVER_OF_VALID = frozenset({"INVALID", "INVALID_CHANGES", "SELF_APPROVAL", "UNVERIFIED", "VERDICT_NOT_ALLOWED"})
"""What a valid answer to the question that it names can never be told, whoever was faster."""

SHORTEST_WAIT_S = 2.0
"""A decision about what is not known yet is kept at least so long before it is called unknown."""


def check(run: Run) -> Iterator[Violation]:
    yield from _what_can_be_read_is_answered(run)
    yield from _each_is_answered_once(run)
    for sent in run.answers:
        if sent.is_hostile:
            yield from _has_no_effect(run, sent)
        else:
            yield from _is_answered_fairly(run, sent)


def _what_can_be_read_is_answered(run: Run) -> Iterator[Violation]:
    """Whether the worker could read it or not: the id can be read."""
    for record in run.records.values():
        for part, message in enumerate(record.messages):
            if message.answer_id is None:
                continue
            where = {**_at(record), "part": part, "decision": message.answer_id}
            if (*record.place, part) not in run.inbox:
                yield Violation(2, "a decision with a legible id was not taken in", where)
            elif message.answer_id not in run.published.receipts:
                yield Violation(2, "a decision with a legible id has no receipt", where)


def _each_is_answered_once(run: Run) -> Iterator[Violation]:
    for answer_id, rows in run.answered_rows.items():
        receipts = run.published.receipts.get(answer_id, [])
        finished = sum(row.finished_at is not None for row in rows)
        if len(receipts) != finished:
            what = f"it came {finished} times and was answered {len(receipts)} times"
            yield Violation(2, what, {"decision": answer_id})
        codes = Counter(receipt.code for receipt in receipts)
        if unknown := set(codes) - CODES:
            yield Violation(2, f"answered with a code that nobody knows: {min(unknown)}", {"decision": answer_id})
        if sum(codes[code] for code in EFFECTIVE) > 1:
            yield Violation(2, "one decision took effect twice", {"decision": answer_id})
        if codes["DUPLICATE"] and len(receipts) == 1:
            yield Violation(2, "called a duplicate, and it came once", {"decision": answer_id})
    for answer_id in run.published.receipts.keys() - run.answered_rows.keys():
        yield Violation(2, "a receipt for what nobody sent", {"decision": answer_id})


def _has_no_effect(run: Run, sent: Answer) -> Iterator[Violation]:
    """An adversary may send something under the id of somebody else's decision: then only its own content counts."""
    if sent.decision_id is None or not _took_effect(run.published.receipts.get(sent.decision_id, [])):
        return
    decision = run.decisions.get(sent.decision_id)
    honest = [other for other in _sent_as(run, sent.decision_id) if not other.is_hostile]
    if decision is not None and honest and _says(run, honest, decision):
        return
    yield Violation(2, "a hostile decision took effect", {"decision": sent.decision_id, **sent.where})


def _took_effect(receipts: list[Receipt]) -> bool:
    return any(receipt.code in EFFECTIVE or receipt.accepted for receipt in receipts)


def _sent_as(run: Run, decision_id: str) -> list[Answer]:
    return run.answers_by_id.get(decision_id, [])


def _says(run: Run, answers: list[Answer], decision: Decision) -> bool:
    """Whether the decision on record is what one of these said; believed where its bytes cannot be told."""
    for answer in answers:
        record = run.records.get(answer.place) if answer.place else None
        if record is None or decision.is_translated:
            return True
        if any(message.decision == decision.content for message in record.messages):
            return True
    return False


def _is_answered_fairly(run: Run, sent: Answer) -> Iterator[Violation]:
    if sent.decision_id is None:
        return
    where: dict[str, Any] = {"decision": sent.decision_id, **sent.where}
    if sent.decision_id not in run.published.receipts:
        if sent.place is not None:
            yield Violation(2, "nobody answered it", where)
        return
    decision = run.decisions.get(sent.decision_id)
    if decision is None or any(other.is_hostile for other in _sent_as(run, sent.decision_id)):
        return
    if sent.kind == "valid" and sent.approval_id == decision.approval_id and _is_unfair(run, decision):
        yield Violation(2, f"a valid decision was refused: {decision.code}", where)
    if decision.code == "UNKNOWN_APPROVAL" and _was_not_waited_for(run, decision):
        yield Violation(2, "an early decision was not kept for its case", where)


def _is_unfair(run: Run, decision: Decision) -> bool:
    """Whether a valid answer to the question that it names cannot have been told that, whoever was faster."""
    approval = run.approvals.get(decision.approval_id or "")
    if approval is None or decision.code in _NEVER_OF_VALID:
        return decision.code in {*_NEVER_OF_VALID, "UNKNOWN_APPROVAL"}
    match decision.code:
        case "UNKNOWN_APPROVAL":
            return decision.level is None
        case "NOT_AUTHORISED":
            question = run.published.questions.get(approval.approval_id)
            same_role = question is None or question.role in (None, approval.role)
            return same_role and approval.approval_id not in run.commands_of
        case "SAME_REVIEWER":
            person = run.people.person(decision.reviewer)
            signed = run.decisions_of.get(approval.case_id, ())
            return all(run.people.person(other.reviewer) != person for other in signed)
        case "ALREADY_DECIDED" if decision.level is None:
            return approval.closed_at is None or approval.closed_at > decision.received_at
        case "EXPIRED":
            came = run.came_at(decision.decision_id)
            timed_out = approval.closed_as in ("expired", "escalated")
            return not timed_out and came <= approval.due_at
    return False


def _was_not_waited_for(run: Run, decision: Decision) -> bool:
    """Judged where the question exists now: it came after all, and the decision was refused before there was time."""
    if decision.approval_id is not None and decision.approval_id not in run.approvals:
        return False
    if decision.approval_id is None and decision.exception_id not in run.cases_of:
        return False
    if decision.case_id is not None:
        return False  # the case was there, and does not ask what the decision answers
    return decision.received_at - run.came_at(decision.decision_id) < SHORTEST_WAIT_S


def _at(record: Record) -> dict[str, object]:
    return dict(zip(("topic", "partition", "offset"), record.place, strict=True))
