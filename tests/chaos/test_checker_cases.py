"""Falsified runs: cases and their outcomes, records and dead letters, decisions and receipts (invariants 1 and 2)."""

import json
from copy import deepcopy
from hashlib import sha256
from pathlib import Path

import pytest

from tests.chaos.falsified import Lie, Lies, assert_seen_through
from tests.chaos.told_files import PLACE, iso, usd, wrapped
from tests.chaos.told_run import Told

lies = Lies()


@pytest.mark.parametrize("lie", lies, ids=str)
def test_the_checker_sees_through(lie: Lie, tmp_path: Path) -> None:
    assert_seen_through(lie, tmp_path)


# A run of some size


@lies.about(0, "cases were opened")
def a_run_that_raised_less_than_was_planned(told: Told) -> None:
    told.plan["cases"] = 100


@lies.about(0, "cases were executed")
def a_run_in_which_nothing_was_executed(told: Told) -> None:
    for case in told.first.tables["cases"]:
        case["state"] = "failed"


@lies.about(0, "payments were made")
def a_run_in_which_nothing_was_paid(told: Told) -> None:
    told.payments.clear()


@lies.about(0, "decisions were accepted")
def a_run_in_which_nothing_was_approved(told: Told) -> None:
    told.first.tables["decisions"].clear()


@lies.about(0, "hostile decisions were answered")
def a_run_in_which_the_adversary_reached_nobody(told: Told) -> None:
    told.history["adversary"][0]["decision_id"] = None


@lies.about(0, "faults befell it")
def a_run_without_the_faults_of_its_plan(told: Told) -> None:
    told.plan["faults"] = 20


# 1


@lies.about(1, "accepted, and there is no case")
def an_accepted_exception_without_a_case(told: Told) -> None:
    told.first.tables["cases"].remove(told.case(12))


@lies.about(1, "2 cases for one exception")
def two_cases_for_one_exception(told: Told) -> None:
    told.first.tables["cases"].append({**deepcopy(told.case(1)), "case_id": told.case(12)["case_id"][:-1] + "0"})


@lies.about(1, "nobody raised what this case is about")
def a_case_of_which_nobody_asked(told: Told) -> None:
    told.case(1)["body"]["facts"]["exception"]["amount"] = usd(4_999)


@lies.about(1, "filed under something else")
def a_case_that_is_filed_under_another_order(told: Told) -> None:
    told.case(1)["order_id"] = "ORD-2"


@lies.about(1, "with 2 outcomes")
def a_second_outcome(told: Told) -> None:
    outcome = told.outcome(1)
    told.publish("order-outcomes", outcome["headers"]["ce_type"], json.loads(outcome["payload"]), outcome["ordering"])


@lies.about(1, "with 0 outcomes")
def an_outcome_that_was_never_told(told: Told) -> None:
    told.untell(told.outcome(1))


@lies.about(1, "the outcome says rejected, the case executed")
def an_outcome_that_is_not_the_state_of_its_case(told: Told) -> None:
    told.retell(told.outcome(1), status="rejected")


@lies.about(1, "the outcome is about another request")
def an_outcome_about_another_order(told: Told) -> None:
    told.retell(told.outcome(1), order_id="ORD-2")


@lies.about(1, "still executing when all is quiet")
def a_case_that_executes_for_ever(told: Told) -> None:
    told.case(1)["state"] = "executing"


@lies.about(1, "and its outcome was announced")
def a_case_that_waits_after_its_outcome(told: Told) -> None:
    told.case(5)["state"] = "waiting"


@lies.about(1, "a message was never finished")
def a_message_that_nobody_finished(told: Told) -> None:
    told.first.tables["inbox"][-1]["finished_at"] = None


@lies.about(1, "an intent was never concluded: unknown")
def an_intent_in_doubt_for_ever(told: Told) -> None:
    told.of("intents", 1)[0].update(state="unknown", finished_at=None)


@lies.about(1, "waiting for people who were never asked")
def a_question_that_was_never_published(told: Told) -> None:
    told.untell(told.questions(10)[0])


@lies.about(1, "past its deadline")
def a_deadline_that_nobody_acted_on(told: Told) -> None:
    told.of("approvals", 10)[0]["due_at"] = iso(told.now - 3600)


@lies.about(1, "waiting, with 0 open questions")
def a_case_that_waits_for_nothing(told: Told) -> None:
    told.closed(told.of("approvals", 10)[0], "outdated", "system")


@lies.about(1, "executed, and a question is still open")
def a_question_that_is_open_after_the_end(told: Told) -> None:
    told.of("approvals", 2)[0]["body"] |= {"closed_as": None, "closed_by": None}


@lies.about(1, "stuck, and nobody is told why")
def a_case_that_is_stuck_without_a_reason(told: Told) -> None:
    told.case(10)["state"] = "stuck"


@lies.about(1, "stuck, and a question is still open")
def a_question_about_a_case_that_is_stuck(told: Told) -> None:
    told.case(10)["state"] = "stuck"


@lies.about(1, "the outcome has changed")
def an_outcome_that_changed_when_all_was_read_again(told: Told) -> None:
    again, outcome = told.read_again(), told.outcome(1)
    place = told.first.topics["order-outcomes"].index(told.record_of(outcome))
    again.topics["order-outcomes"][place]["value"] = wrapped(outcome["payload"].replace("5000", "5001").encode())


@lies.about(1, "a second outcome after the topics were read again")
def another_outcome_when_all_was_read_again(told: Told) -> None:
    again, before = told.read_again(), told.first
    told.first, outcome = again, told.outcome(1)
    told.publish("order-outcomes", outcome["headers"]["ce_type"], json.loads(outcome["payload"]), outcome["ordering"])
    told.first = before


@lies.about(1, "an outcome of a case that does not exist")
def an_outcome_of_nothing(told: Told) -> None:
    told.retell(told.outcome(1), case_id="no such case")


@lies.about(1, "accepted, and lost as PROCESSING_FAILED")
def an_exception_that_was_given_up(told: Told) -> None:
    event = told.raised(13, amount=usd(1_000))
    row = told.first.tables["inbox"][-1]
    told.refuse({name: row[name] for name in PLACE}, "PROCESSING_FAILED", json.dumps(event).encode())


@lies.about(1, "other content for the same exception was not refused")
def a_contradiction_that_was_swallowed(told: Told) -> None:
    told.first.tables["dead_letters"] = [
        row for row in told.first.tables["dead_letters"] if row["reason"] != "CONFLICTING_DUPLICATE"
    ]


@lies.about(1, "the same content again was refused as a conflict")
def a_repetition_that_was_refused(told: Told) -> None:
    event = told.raised(1, amount=usd(5_000), class_="duplicate")
    row = told.first.tables["inbox"][-1]
    told.refuse({name: row[name] for name in PLACE}, "CONFLICTING_DUPLICATE", json.dumps(event).encode())


@lies.about(1, "the content that came first lost")
def a_contradiction_that_won_though_it_came_later(told: Told) -> None:
    first, *_, last = [row for row in told.first.tables["inbox"] if row["correlation"] == "EXC-2"]
    letter = told.first.row("dead_letters", reason="CONFLICTING_DUPLICATE")
    letter |= {name: first[name] for name in PLACE}
    told.case(2)["body"]["facts"]["exception"] = json.loads(last["payload"])


# 2, records


@lies.about(2, "neither in the inbox nor among the dead letters")
def a_record_that_left_no_trace(told: Told) -> None:
    told.first.tables["inbox"] = [row for row in told.first.tables["inbox"] if row["correlation"] != "EXC-12"]


@lies.about(2, "neither in the inbox nor among the dead letters")
def poison_that_was_dropped(told: Told) -> None:
    told.first.tables["dead_letters"].remove(told.first.row("dead_letters", reason="INVALID_JSON"))


@lies.about(2, "neither in the inbox nor among the dead letters")
def one_decision_of_a_batch_that_was_dropped(told: Told) -> None:
    approval = told.of("approvals", 10)[0]
    one = {"decision_id": "B-1", "approval_id": approval["approval_id"], "reviewer": {"id": "user:cleo"}}
    batch = {"decisions": [{**one, "verdict": "approve"}, {**one, "verdict": "reject", "decision_id": "B-2"}]}
    place = told.send("people", "review-decisions", json.dumps(batch).encode(), {"class": "batch"})
    told.take_in(place, "signoff.review.decided.v1", batch["decisions"][0], approval["approval_id"])


@lies.about(2, "the topic has a gap")
def a_record_that_vanished_from_the_topic(told: Told) -> None:
    del told.first.topics["order-exceptions"][3]


@lies.about(2, "one message is kept 2 times")
def a_redelivered_record_that_was_taken_for_a_new_one(told: Told) -> None:
    told.first.tables["inbox"].append({**told.first.tables["inbox"][0], "inbox_id": 999})


@lies.about(2, "a decision without a legible id was accepted")
def a_decision_that_nobody_can_read_and_was_taken_in(told: Told) -> None:
    sent = {"class": "illegible", "hostile": True, "decision_id": None}
    place = told.send("adversary", "review-decisions", b'{"verdict": "approve"}', sent)
    told.take_in(place, "signoff.review.decided.v1", {"verdict": "approve"}, "nothing")


@lies.about(2, "no such record exists")
def a_message_that_never_was_a_record(told: Told) -> None:
    place = {"topic": "order-exceptions", "partition": 3, "offset": 9}
    told.take_in(place, "signoff.exception.withdrawn.v1", {"exception_id": "EXC-10"}, "EXC-10")


@lies.about(2, "the record has no such part")
def a_part_that_the_record_does_not_have(told: Told) -> None:
    row = dict(told.first.tables["inbox"][-1])
    told.first.tables["inbox"].append({**row, "part": 1})


@lies.about(2, "taken in before it was sent")
def a_message_that_was_there_before_it_was_sent(told: Told) -> None:
    told.first.tables["inbox"][0]["received_at"] = iso(told.now - 3600)


@lies.about(2, "the broker confirmed it, and it is not there")
def a_confirmed_record_that_is_not_there(told: Told) -> None:
    told.history["traffic"].append({**told.history["traffic"][0], "offset": 999})


@lies.about(2, "other bytes lie there than were sent")
def a_record_that_was_altered_on_the_way(told: Told) -> None:
    told.history["traffic"][0]["sha256"] = sha256(b"something else").hexdigest()


@lies.about(2, "the inbox holds something else than was sent")
def a_message_that_was_altered_as_it_was_taken_in(told: Told) -> None:
    row = told.first.tables["inbox"][0]
    row["payload"] = row["payload"].replace("5000", "500")


@lies.about(2, "taken in, though it cannot be read")
def an_amount_that_is_no_number_and_was_taken_in(told: Told) -> None:
    value = b'{"exception_id": "EXC-13", "confidence": NaN}'
    place = told.send("traffic", "order-exceptions", value, {"class": "other"})
    told.take_in(place, "signoff.exception.raised.v1", {"exception_id": "EXC-13"}, "EXC-13")


@lies.about(2, "poison was accepted")
def poison_that_was_acted_on(told: Told) -> None:
    told.history["traffic"].append({**told.history["traffic"][0], "class": "poison", "exception_id": None})


@lies.about(2, "nothing is wrong with it")
def a_good_request_that_was_refused(told: Told) -> None:
    value = json.dumps({"exception_id": "EXC-13"}).encode()
    place = told.send("traffic", "order-exceptions", value, {"class": "raised", "exception_id": "EXC-13"})
    told.refuse(place, "SCHEMA_INVALID", value)


@lies.about(2, "for a reason that nobody knows")
def a_dead_letter_without_a_known_reason(told: Told) -> None:
    told.first.row("dead_letters", reason="INVALID_JSON")["reason"] = "BAD_LUCK"


@lies.about(2, "not that of its bytes")
def a_dead_letter_with_the_seal_of_something_else(told: Told) -> None:
    told.first.row("dead_letters", reason="INVALID_JSON")["value"] = "\\x00"


@lies.about(2, "holds other bytes than its record")
def a_dead_letter_that_was_not_kept_whole(told: Told) -> None:
    letter = told.first.row("dead_letters", reason="INVALID_JSON")
    letter |= {"value": "\\x7b7b", "sha256": sha256(b"{{").hexdigest()}


@lies.about(2, "announced 0 times")
def a_dead_letter_of_which_nobody_was_told(told: Told) -> None:
    told.untell(next(row for row in told.first.tables["outbox"] if row["topic"] == "dead-letters"))


@lies.about(2, "announced 1 times")
def an_announcement_without_a_dead_letter(told: Told) -> None:
    told.first.tables["dead_letters"].remove(told.first.row("dead_letters", reason="CONFLICTING_DUPLICATE"))


# 2, decisions


def _first_receipt(told: Told, code: str) -> dict[str, object]:
    receipts = [row for row in told.first.tables["outbox"] if row["topic"] == "decision-receipts"]
    return next(row for row in receipts if json.loads(row["payload"])["code"] == code)


@lies.about(2, "has no receipt")
def a_decision_without_an_answer(told: Told) -> None:
    told.untell(_first_receipt(told, "NOT_AUTHORISED"))


@lies.about(2, "nobody answered it")
def a_person_without_an_answer(told: Told) -> None:
    told.untell(_first_receipt(told, "RECORDED"))


@lies.about(2, "a decision with a legible id was not taken in")
def a_decision_that_can_be_read_and_was_refused_as_a_whole(told: Told) -> None:
    value = b'{"decision_id": "D-99", "verdict": 7}'
    told.refuse(told.send("adversary", "review-decisions", value, {"class": "x"}), "SCHEMA_INVALID", value)


@lies.about(2, "it came 1 times and was answered 2 times")
def a_decision_that_was_answered_twice(told: Told) -> None:
    row = told.of("decisions", 3)[0]
    told.answered(row["body"], told.of("approvals", 3)[0], "STALE")


@lies.about(2, "one decision took effect twice")
def a_decision_that_took_effect_twice(told: Told) -> None:
    row = told.of("decisions", 3)[0]
    told.answered(row["body"], told.of("approvals", 3)[0], "ACCEPTED")


@lies.about(2, "called a duplicate, and it came once")
def a_decision_that_was_taken_for_its_own_repetition(told: Told) -> None:
    told.retell(_first_receipt(told, "NOT_AUTHORISED"), code="DUPLICATE")


@lies.about(2, "a receipt for what nobody sent")
def a_receipt_for_nothing(told: Told) -> None:
    told.answered({"decision_id": "D-99"}, told.of("approvals", 3)[0], "STALE")


@lies.about(2, "with a code that nobody knows")
def a_receipt_with_a_word_of_its_own(told: Told) -> None:
    told.retell(_first_receipt(told, "NOT_AUTHORISED"), code="NO")


@lies.about(2, "a hostile decision took effect")
def a_hostile_decision_that_took_effect(told: Told) -> None:
    told.decided(told.of("approvals", 10)[0], "approve", "user:cleo", party="adversary", class_="outsider")


@lies.about(2, "a hostile decision took effect")
def a_hostile_decision_that_took_effect_under_an_honest_id(told: Told) -> None:
    honest = told.of("decisions", 3)[0]
    forged = {**honest["body"], "reviewer": {"id": "user:cleo"}}
    sent = {"class": "replay", "hostile": True, "decision_id": honest["decision_id"]}
    place = told.send("adversary", "review-decisions", json.dumps(forged).encode(), sent)
    told.take_in(place, "signoff.review.decided.v1", forged, honest["approval_id"])
    honest |= {"body": forged, "reviewer": "user:cleo"}


def _is_told(told: Told, number: int, code: str) -> None:
    """The first decision about a case was refused instead."""
    row = told.of("decisions", number)[0]
    row |= {"code": code, "receipt": {**row["receipt"], "code": code, "accepted": False}}
    events = [event for event in told.events("decision-receipts", number) if row["decision_id"] in event["payload"]]
    told.retell(events[0], code=code, accepted=False)


@lies.about(2, "a valid decision was refused: VERDICT_NOT_ALLOWED")
def a_valid_decision_that_was_refused(told: Told) -> None:
    _is_told(told, 3, "VERDICT_NOT_ALLOWED")


@lies.about(2, "a valid decision was refused: NOT_AUTHORISED")
def a_manager_who_was_called_nobody(told: Told) -> None:
    _is_told(told, 3, "NOT_AUTHORISED")


@lies.about(2, "a valid decision was refused: UNKNOWN_APPROVAL")
def a_question_that_was_called_unknown(told: Told) -> None:
    _is_told(told, 3, "UNKNOWN_APPROVAL")


@lies.about(2, "a valid decision was refused: SAME_REVIEWER")
def somebody_who_was_taken_for_another(told: Told) -> None:
    _is_told(told, 5, "SAME_REVIEWER")


@lies.about(2, "a valid decision was refused: EXPIRED")
def a_decision_in_time_that_was_called_late(told: Told) -> None:
    _is_told(told, 3, "EXPIRED")


@lies.about(2, "a valid decision was refused: ALREADY_DECIDED")
def an_open_question_that_was_called_decided(told: Told) -> None:
    told.decided(told.of("approvals", 10)[0], "approve", "user:omar", "ALREADY_DECIDED")


@lies.about(2, "an early decision was not kept for its case")
def an_early_decision_that_was_not_kept(told: Told) -> None:
    approval = told.of("approvals", 10)[0]
    row = told.decided(approval, "approve", "user:omar", "UNKNOWN_APPROVAL", class_="early")
    row["case_id"] = None
