"""Falsified runs: authority, publishing, audit, the replay and personal data (invariants 5 to 9)."""

import json
from pathlib import Path

import pytest

from tests.chaos.falsified import Lie, Lies, assert_seen_through
from tests.chaos.told_files import CANARY, iso, wrapped
from tests.chaos.told_run import Told

lies = Lies()


@pytest.mark.parametrize("lie", lies, ids=str)
def test_the_checker_sees_through(lie: Lie, tmp_path: Path) -> None:
    assert_seen_through(lie, tmp_path)


# 5


@lies.about(5, "user:cleo has not the role")
def a_decision_of_somebody_without_the_role(told: Told) -> None:
    told.of("decisions", 3)[0]["reviewer"] = "user:cleo"


@lies.about(5, "user:omar has not the role")
def a_manager_who_signs_as_a_director(told: Told) -> None:
    told.of("decisions", 12)[0]["reviewer"] = "user:omar"


@lies.about(5, "asked for it")
def a_requester_who_decides_under_another_spelling(told: Told) -> None:
    told.history["traffic"][0]["requested_by"] = "USER:OMAR"
    for line in told.history["traffic"]:
        if line.get("exception_id") == "EXC-8":
            line["requested_by"] = "USER:OMAR"


@lies.about(5, "maria decided levels manager and director")
def one_person_at_two_levels_under_two_spellings(told: Told) -> None:
    told.of("decisions", 3)[1]["reviewer"] = "USER:MARIA"


@lies.about(5, "bea counts twice for one question")
def one_person_who_counts_twice(told: Told) -> None:
    told.of("decisions", 4)[1]["reviewer"] = "user:bea"


@lies.about(5, "2 decisions were accepted for one question")
def two_decisions_that_were_accepted(told: Told) -> None:
    told.of("decisions", 4)[0]["code"] = "ACCEPTED"


@lies.about(5, "approved by system, and nobody decided")
def a_deadline_that_approves(told: Told) -> None:
    told.of("approvals", 6)[0]["body"]["closed_as"] = "approved"


@lies.about(5, "before its deadline")
def a_deadline_that_came_early(told: Told) -> None:
    told.of("approvals", 6)[0]["due_at"] = iso(told.now + 60)


@lies.about(5, "after the deadline")
def a_decision_that_came_too_late_and_counts(told: Told) -> None:
    told.of("approvals", 12)[0]["due_at"] = iso(told.now - 3600)


@lies.about(5, "the question does not allow reject")
def a_verdict_that_was_not_offered(told: Told) -> None:
    told.retell(told.questions(5)[0], allowed_verdicts=["approve"])


@lies.about(5, "signed something else than was shown")
def a_decision_about_what_was_shown_before(told: Told) -> None:
    told.of("decisions", 3)[0]["body"]["review_hash"] = "seal of something else"


@lies.about(5, "decided what nobody was asked")
def a_decision_about_nothing(told: Told) -> None:
    told.of("decisions", 3)[0]["approval_id"] = "no such question"


@lies.about(5, "counts for another case")
def a_decision_that_counts_for_another_case(told: Told) -> None:
    told.of("decisions", 3)[0]["case_id"] = told.case(5)["case_id"]


@lies.about(5, "a decision that nobody sent")
def a_decision_that_was_made_up(told: Told) -> None:
    told.of("decisions", 3)[0]["decision_id"] = "D-99"


@lies.about(5, "what counts is not what was sent")
def a_decision_that_was_turned_into_an_approval(told: Told) -> None:
    told.of("decisions", 5)[0]["body"]["verdict"] = "approve"


@lies.about(5, "its receipt says STALE")
def a_receipt_on_record_that_says_something_else(told: Told) -> None:
    told.of("decisions", 3)[0]["receipt"] = {"code": "STALE", "accepted": False}


@lies.about(5, "its sender was told STALE")
def somebody_who_was_told_something_else(told: Told) -> None:
    told.retell(told.events("decision-receipts", 12)[0], code="STALE", accepted=False)


@lies.about(5, "its receipt is about another question")
def a_receipt_about_another_question(told: Told) -> None:
    told.retell(told.events("decision-receipts", 12)[0], approval_id="no such question")


@lies.about(5, "was told that it counts, and it is not on record")
def an_acceptance_that_is_not_on_record(told: Told) -> None:
    told.first.tables["decisions"].remove(told.of("decisions", 12)[0])


@lies.about(5, "reject was accepted, the question is approved")
def a_rejection_that_approves(told: Told) -> None:
    told.of("approvals", 5)[0]["body"]["closed_as"] = "approved"


@lies.about(5, "closed by user:dora, decided by user:omar")
def a_question_that_somebody_else_closed(told: Told) -> None:
    told.of("approvals", 5)[0]["body"]["closed_by"] = "user:dora"


@lies.about(5, "the outcome names user:bea at level manager")
def an_outcome_that_names_somebody_else(told: Told) -> None:
    told.retell(told.outcome(5), decided_by=[{"level": "manager", "reviewer": "user:bea"}])


@lies.about(5, "asked +3600 s off the database's clock")
def a_question_asked_by_the_clock_of_its_worker(told: Told) -> None:
    question = told.questions(10)[0]
    told.retell(question, requested_at=iso(told.committed(question) + 3600))


@lies.about(5, "closed +86400 s off the database's clock")
def a_deadline_by_the_clock_of_its_worker(told: Told) -> None:
    closing = told.events("approvals", 6)[-1]
    told.retell(closing, at=iso(told.committed(closing) + 86_400))


@lies.about(5, "a decision that counted before it came")
def a_decision_that_counted_before_it_came(told: Told) -> None:
    told.of("decisions", 3)[0]["received_at"] = iso(told.now - 3600)


@lies.about(5, "a decision that is filed as another")
def a_decision_that_is_filed_as_another(told: Told) -> None:
    told.of("decisions", 3)[0]["verdict"] = "escalate"


@lies.about(5, "what counts is not what was sent")
def a_refused_decision_that_was_rewritten(told: Told) -> None:
    told.first.row("decisions", code="NOT_AUTHORISED")["body"]["verdict"] = "reject"


@lies.about(5, "maria goes for two people, as USER:MARIA")
def one_person_under_two_keys(told: Told) -> None:
    told.of("decisions", 7)[0] |= {"reviewer": "USER:MARIA", "reviewer_key": "USER:MARIA"}


@lies.about(5, "go for one")
def two_people_under_one_key(told: Told) -> None:
    told.of("decisions", 12)[0]["reviewer_key"] = "user:maria"


@lies.about(5, "on record as having signed for 15000 USD")
def a_signature_for_another_amount(told: Told) -> None:
    told.first.row("decisions", verdict="modify", case_id=told.case(2)["case_id"]).update(
        amount_minor=15_000, currency="USD"
    )


# 6


@lies.about(6, "committed and never published")
def an_event_that_was_marked_and_never_published(told: Told) -> None:
    told.first.topics["approvals"].remove(told.record_of(told.questions(10)[0]))


@lies.about(6, "never marked as published")
def an_event_that_was_never_marked(told: Told) -> None:
    told.outcome(1)["published_at"] = None


@lies.about(6, "published, and the database lacks it")
def an_event_that_was_published_and_rolled_back(told: Told) -> None:
    told.first.tables["outbox"].remove(told.outcome(1))


@lies.about(6, "published, and the database lacks it")
def a_record_that_is_no_event(told: Told) -> None:
    told.record_of(told.outcome(1))["headers"] = []


@lies.about(6, "published otherwise than it was committed")
def an_event_of_other_bytes(told: Told) -> None:
    told.record_of(told.outcome(5))["value"] = wrapped(told.outcome(6)["payload"].encode())


@lies.about(6, "published otherwise than it was committed")
def a_redelivery_of_other_bytes(told: Told) -> None:
    told.deliver(told.outcome(1))
    told.first.topics["order-outcomes"][-1]["value"] = wrapped(told.outcome(2)["payload"].encode())


@lies.about(6, "published otherwise than it was committed")
def an_event_under_another_key(told: Told) -> None:
    told.record_of(told.outcome(1))["key"] = wrapped(b"another")


@lies.about(6, "published otherwise than it was committed")
def an_event_with_another_header(told: Told) -> None:
    told.record_of(told.outcome(1))["headers"].append(["traceparent", wrapped(b"00")])


@lies.about(6, "published after what was committed later")
def events_of_a_case_in_the_wrong_order(told: Told) -> None:
    first, second = (told.record_of(event) for event in told.events("approvals", 3)[:2])
    for name in ("headers", "value"):
        first[name], second[name] = second[name], first[name]


@lies.about(6, "two outbox rows for one event")
def an_event_that_was_committed_twice(told: Told) -> None:
    told.first.tables["outbox"].append(dict(told.outcome(1)))


@lies.about(6, "a question was published that is not on record")
def a_question_that_is_not_on_record(told: Told) -> None:
    told.of("approvals", 10)[0]["approval_id"] = "another"


@lies.about(6, "a question is on record that was never published")
def a_question_that_nobody_was_asked(told: Told) -> None:
    told.untell(told.questions(10)[0])


@lies.about(6, "another question was published than is on record")
def a_question_that_shows_another_amount_than_is_on_record(told: Told) -> None:
    told.of("approvals", 10)[0]["body"]["question"]["proposal"]["amount"] = {"amount_minor": 1, "currency": "USD"}


@lies.about(6, "was announced as None")
def a_question_whose_end_was_not_announced(told: Told) -> None:
    told.untell(told.events("approvals", 5)[-1])


@lies.about(6, "was announced as ('rejected', 'user:dora'")
def a_question_whose_end_was_announced_of_somebody_else(told: Told) -> None:
    told.retell(told.events("approvals", 5)[-1], by="user:dora")


@lies.about(6, "a receipt is on record that was never published so")
def a_receipt_in_other_words(told: Told) -> None:
    told.retell(told.events("decision-receipts", 12)[0], message="so it is not")


@lies.about(6, "the outcome tells of 12000 USD, on record is 15000 USD")
def an_outcome_of_another_amount_than_is_on_record(told: Told) -> None:
    told.case(2)["amount_minor"] = 15_000


@lies.about(6, "ordered among those of another case")
def an_event_that_is_ordered_among_others(told: Told) -> None:
    told.outcome(1)["ordering"] = told.case(2)["case_id"]


# 7


@lies.about(7, "its hash is not that of its content")
def an_entry_that_was_altered(told: Told) -> None:
    told.of("audit", 3)[1]["actor"] = "user:omar"


@lies.about(7, "entry 2 is missing")
def an_entry_that_was_cut_out(told: Told) -> None:
    told.first.tables["audit"].remove(told.of("audit", 3)[1])


@lies.about(7, "its trail has 3 entries")
def an_entry_that_was_cut_off_at_the_end(told: Told) -> None:
    told.first.tables["audit"].remove(told.of("audit", 3)[-1])


@lies.about(7, "does not continue the entry before it")
def an_entry_that_was_slipped_in(told: Told) -> None:
    told.of("audit", 3)[1]["previous_hash"] = "0" * 64


@lies.about(7, "a transition has no entry")
def a_transition_without_an_entry(told: Told) -> None:
    told.of("audit", 3)[-1]["from_state"] = "waiting"


@lies.about(7, "rejected does not lead to waiting")
def a_case_that_came_back_from_its_end(told: Told) -> None:
    told.step(told.case(5), "waiting", "system", "reopened")


@lies.about(7, "the case names another entry as its last")
def a_case_that_names_another_entry(told: Told) -> None:
    told.case(3)["body"]["audit_head"] = "0" * 64


@lies.about(7, "its trail ends with executed")
def a_state_that_no_entry_knows(told: Told) -> None:
    told.case(1)["state"] = "withdrawn"


@lies.about(7, "of a case that does not exist")
def entries_of_no_case(told: Told) -> None:
    told.first.tables["cases"].remove(told.case(12))


@lies.about(7, "a question was asked without an entry")
def a_question_that_no_entry_knows(told: Told) -> None:
    told.of("approvals", 10)[0]["case_version"] = 9


@lies.about(7, "a decision took effect without an entry")
def a_decision_that_no_entry_knows(told: Told) -> None:
    told.of("audit", 3)[1]["detail"]["decision_id"] = "D-99"


@lies.about(7, "a payment was concluded without an entry")
def a_payment_that_no_entry_knows(told: Told) -> None:
    told.of("audit", 1)[-1]["action"] = "noted"


# 8


@lies.about(8, "a row changed")
def a_case_that_changed_when_all_was_read_again(told: Told) -> None:
    told.read_again().tables["cases"][0]["version"] += 1


@lies.about(8, "a row is new")
def a_decision_that_was_made_again_when_all_was_read_again(told: Told) -> None:
    rows = told.read_again().tables["decisions"]
    rows.append({**rows[0], "decision_id": "D-99"})


@lies.about(8, "a row is gone")
def a_checkpoint_that_was_forgotten_when_all_was_read_again(told: Told) -> None:
    row = {"thread_id": "1", "checkpoint_ns": "", "checkpoint_id": "1", "checkpoint": {}, "metadata": {}}
    told.first.tables["checkpoints"].append(row)
    told.read_again().tables["checkpoints"].clear()


@lies.about(8, "13 rows differ")
def many_rows_that_changed_are_counted(told: Told) -> None:
    for row in told.read_again().tables["decisions"]:
        row["code"] = "DUPLICATE"


@lies.about(8, "a new event after the topics were read again")
def an_event_that_came_of_the_replay(told: Told) -> None:
    again, before = told.read_again(), told.first
    told.first = again
    told.publish("approvals", "signoff.approval.updated.v1", {"change": "reminded"}, "a case")
    told.first = before


@lies.about(8, "a published record is not there any more")
def a_record_that_vanished_in_the_replay(told: Told) -> None:
    del told.read_again().topics["approvals"][0]


@lies.about(8, "money moved because the topics were read again")
def a_payment_that_came_of_the_replay(told: Told) -> None:
    told.payments.append({**told.movement(1), "at": told.now + 60})


@lies.about(8, "an action ran because the topics were read again")
def an_action_that_came_of_the_replay(told: Told) -> None:
    told.effects.append({**told.effects[0], "at": told.now + 60})


# 9


@lies.about(9, f"personal data: {CANARY}")
def personal_data_in_a_log(told: Told) -> None:
    told.log.append(json.dumps({"event": "refused", "detail": f"Ada {CANARY} said so"}))


@lies.about(9, f"personal data: {CANARY}")
def personal_data_in_the_audit_trail(told: Told) -> None:
    told.of("audit", 1)[0]["detail"]["comment"] = f"I spoke with {CANARY}"


@lies.about(9, f"personal data: {CANARY}")
def personal_data_in_the_reason_of_a_dead_letter(told: Told) -> None:
    told.first.row("dead_letters", reason="INVALID_JSON")["detail"] = f"{CANARY} is no object"


@lies.about(9, f"personal data: {CANARY}")
def personal_data_in_an_announced_dead_letter(told: Told) -> None:
    event = next(row for row in told.first.tables["outbox"] if row["topic"] == "dead-letters")
    told.retell(event, detail=f"kanari {CANARY}")


@lies.about(9, f"personal data: {CANARY}")
def personal_data_in_a_receipt(told: Told) -> None:
    told.retell(told.events("decision-receipts", 12)[0], message=f"not {CANARY}")
