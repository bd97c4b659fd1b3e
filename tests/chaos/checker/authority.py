"""5. Who decided had the authority then, is not the requester, and signed at one level only; each decision is answered
as it counted, and questions are closed by decisions alone or by the clock, never approved by it."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checker.consent import amount_after
from tests.chaos.checker.events import Question
from tests.chaos.checker.run import Run
from tests.chaos.checker.tables import Approval, Case, Decision
from tests.chaos.checker.violation import Violation

_CLOSES_AS = {
    "approve": {"approved"},
    # What another product's screen sends back unchanged is no change.
    "modify": {"modified", "approved"},
    "choose": {"modified", "approved"},
    "reject": {"rejected"},
    "escalate": {"escalated"},
    "request_changes": {"changes_requested"},
}

TAKES_AT_MOST_S = 40.0
"""From a worker's look at the database's clock to the beginning of its commit. Wrong clocks are 45 s off and more."""

COMMITS_LATER_S = 1.0
_BY_THE_CLOCK = frozenset({"expired", "escalated", "outdated"})


def check(run: Run) -> Iterator[Violation]:
    for decision in run.decisions.values():
        yield from _is_answered_as_it_counted(run, decision)
        yield from _was_sent(run, decision)
        if decision.is_effective:
            yield from _had_the_authority(run, decision)
    yield from _each_person_has_one_key(run)
    for case in run.cases.values():
        yield from _levels_are_different_people(run, case)
        yield from _outcome_names_who_decided(run, case)
    yield from _one_decision_closes_a_question(run)
    yield from _questions_live_by_the_clock_of_the_database(run)
    yield from _accepted_receipts_are_on_record(run)


def _is_answered_as_it_counted(run: Run, decision: Decision) -> Iterator[Violation]:
    if (decision.receipt_code, decision.receipt_accepted) != (decision.code, decision.code in ("ACCEPTED", "RECORDED")):
        yield Violation(5, f"counts as {decision.code}, its receipt says {decision.receipt_code}", _of(decision))
    told = [each for each in run.published.receipts.get(decision.decision_id, ()) if each.code != "DUPLICATE"]
    if not any(receipt.code == decision.code for receipt in told):
        codes = ", ".join(receipt.code for receipt in told) or "nothing"
        yield Violation(5, f"counts as {decision.code}, its sender was told {codes}", _of(decision))
    for receipt in told:
        if receipt.code == decision.code and receipt.approval_id != decision.approval_id:
            yield Violation(5, f"its receipt is about another question: {receipt.approval_id}", _of(decision))


def _was_sent(run: Run, decision: Decision) -> Iterator[Violation]:
    """What counts is what somebody sent under this id, word for word."""
    rows = run.answered_rows.get(decision.decision_id, [])
    if not rows:
        yield Violation(5, "a decision that nobody sent", _of(decision))
        return
    if decision.received_at < run.came_at(decision.decision_id):
        yield Violation(5, "a decision that counted before it came", _of(decision))
    if not decision.columns_agree:
        yield Violation(5, "a decision that is filed as another", _of(decision))
    if decision.is_translated or decision.verdict is None:
        return
    said = [message for row in rows if (message := run.message(row.part)) is not None]
    if all(message.decision not in (None, decision.content) for message in said):
        yield Violation(5, "what counts is not what was sent", _of(decision))


def _had_the_authority(run: Run, decision: Decision) -> Iterator[Violation]:
    approval = run.approvals.get(decision.approval_id or "")
    question = run.published.questions.get(decision.approval_id or "")
    if approval is None or question is None:
        yield Violation(5, "decided what nobody was asked", _of(decision))
        return
    if approval.case_id != decision.case_id:
        yield Violation(5, "counts for another case than it is about", _of(decision))
    role = run.levels[question.level]["role"] if question.level in run.levels else None
    if role not in _roles(run, decision):
        yield Violation(5, f"{decision.reviewer} has not the role that level {question.level} asks", _of(decision))
    requester = _requester(run, decision, question)
    if run.people.person(decision.reviewer) == run.people.person(requester):
        yield Violation(5, f"{decision.reviewer} asked for it", _of(decision))
    if decision.verdict not in question.verdicts:
        yield Violation(5, f"the question does not allow {decision.verdict}", _of(decision))
    if decision.review_hash not in (None, question.review_hash):
        yield Violation(5, "signed something else than was shown", _of(decision))
    if decision.agrees and decision.signed_for not in (None, amount_after(decision, question)):
        yield Violation(5, f"on record as having signed for {decision.signed_for}", _of(decision))
    late = run.came_at(decision.decision_id) - approval.due_at
    if late > 0:
        yield Violation(5, f"came {late:.3f} s after the deadline", _of(decision))


def _roles(run: Run, decision: Decision) -> set[str]:
    """Their own, and those of whoever delegated this question to them."""
    person = run.people.person(decision.reviewer)
    roles = set(run.people.roles(decision.reviewer))
    for command in run.commands_of.get(decision.approval_id or "", ()):
        if command.command == "delegate" and command.to and run.people.person(command.to) == person:
            roles |= run.people.roles(command.reviewer)
    return roles


def _requester(run: Run, decision: Decision, question: Question) -> str:
    case = run.cases.get(decision.case_id or "")
    demand = run.demand(case) if case else None
    return (demand and demand.requested_by) or (case.requested_by if case else question.requested_by)


def _each_person_has_one_key(run: Run) -> Iterator[Violation]:
    """The key is how the database tells people apart."""
    key_of: dict[str, str] = {}
    person_of: dict[str, str] = {}
    for decision in run.decisions.values():
        person, key = run.people.person(decision.reviewer), decision.reviewer_key
        if key_of.setdefault(person, key) != key:
            yield Violation(5, f"{person} goes for two people, as {decision.reviewer}", _of(decision))
        if person_of.setdefault(key, person) != person:
            yield Violation(5, f"{person} and {person_of[key]} go for one", _of(decision))


def _levels_are_different_people(run: Run, case: Case) -> Iterator[Violation]:
    level_of: dict[str, str] = {}
    for decision in run.decisions_of.get(case.case_id, ()):
        approval = run.approvals.get(decision.approval_id or "")
        if approval is None:
            continue
        person = run.people.person(decision.reviewer)
        before = level_of.setdefault(person, approval.level)
        if before != approval.level:
            yield Violation(5, f"{person} decided levels {before} and {approval.level}", _of(decision))


def _outcome_names_who_decided(run: Run, case: Case) -> Iterator[Violation]:
    decided = {
        (run.approvals[each.approval_id].level, each.reviewer)
        for each in run.decisions_of.get(case.case_id, ())
        if each.approval_id in run.approvals
    }
    for outcome in run.published.outcomes.get(case.case_id, ()):
        for level, reviewer in sorted(set(outcome.signed_by) - decided):
            what = f"the outcome names {reviewer} at level {level}, who did not decide there"
            yield Violation(5, what, {"case": case.case_id, "event": outcome.event_id})


def _one_decision_closes_a_question(run: Run) -> Iterator[Violation]:
    by_approval: dict[str, list[Decision]] = defaultdict(list)
    for decision in run.decisions.values():
        if decision.is_effective:
            by_approval[decision.approval_id or ""].append(decision)
    for approval in run.approvals.values():
        decisions = by_approval.get(approval.approval_id, [])
        yield from _each_person_once(run, decisions)
        yield from _is_closed_rightly(run, approval, [each for each in decisions if each.code == "ACCEPTED"])


def _each_person_once(run: Run, decisions: list[Decision]) -> Iterator[Violation]:
    seen: set[str] = set()
    for decision in decisions:
        person = run.people.person(decision.reviewer)
        if person in seen:
            yield Violation(5, f"{person} counts twice for one question", _of(decision))
        seen.add(person)


def _is_closed_rightly(run: Run, approval: Approval, accepted: list[Decision]) -> Iterator[Violation]:
    where = {"case": approval.case_id, "approval": approval.approval_id, "level": approval.level}
    if len(accepted) > 1:
        yield Violation(5, f"{len(accepted)} decisions were accepted for one question", where)
        return
    if accepted:
        decision = accepted[0]
        if approval.closed_as not in _CLOSES_AS[decision.verdict or ""]:
            yield Violation(5, f"{decision.verdict} was accepted, the question is {approval.closed_as}", where)
        elif approval.closed_by != decision.reviewer:
            yield Violation(5, f"closed by {approval.closed_by}, decided by {decision.reviewer}", where)
        return
    if approval.closed_as is None or approval.closed_as == "withdrawn":
        return
    if approval.closed_as not in _BY_THE_CLOCK:
        yield Violation(5, f"{approval.closed_as} by {approval.closed_by}, and nobody decided", where)
    elif approval.closed_as != "outdated" and (approval.closed_at or 0.0) < approval.due_at:
        early = approval.due_at - (approval.closed_at or 0.0)
        yield Violation(5, f"{approval.closed_as} {early:.3f} s before its deadline", where)


def _questions_live_by_the_clock_of_the_database(run: Run) -> Iterator[Violation]:
    """Deadlines count by it: a worker whose own clock is wrong must neither set nor judge them by that."""
    asked = [
        (each.approval_id, each.case_id, each.requested_at, each.event_id) for each in run.published.questions.values()
    ]
    over = [(each.approval_id, each.case_id, each.at, each.event_id) for each in run.published.closings.values()]
    for what, moments in (("asked", asked), ("closed", over)):
        for approval_id, case_id, at, event_id in moments:
            committed = run.committed_at.get(event_id, at)
            if not -TAKES_AT_MOST_S < at - committed < COMMITS_LATER_S:
                where = {"case": case_id, "approval": approval_id}
                yield Violation(5, f"{what} {at - committed:+.0f} s off the database's clock", where)


def _accepted_receipts_are_on_record(run: Run) -> Iterator[Violation]:
    recoveries = {answer_id for answer_id, rows in run.answered_rows.items() if rows[0].type.endswith("recovery.v1")}
    for decision_id, receipts in run.published.receipts.items():
        if decision_id in run.decisions or decision_id in recoveries:
            continue
        if any(receipt.accepted for receipt in receipts):
            yield Violation(5, "its sender was told that it counts, and it is not on record", {"decision": decision_id})


def _of(decision: Decision) -> dict[str, object]:
    return {"case": decision.case_id, "approval": decision.approval_id, "decision": decision.decision_id}
