"""What people see: one line for each event, and no way for a text to pass for something else."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from producer_scripts.interview import card
from producer_scripts.received import Received
from producer_scripts.rendering import lines_of, printable
from producer_scripts.watch import json_line
from schemas.catalogue import APPROVALS, DEAD_LETTERS, DECISION_RECEIPTS, ORDER_OUTCOMES, Topic
from schemas.events import ApprovalNeeded, ApprovalUpdated, Event, MessageRejected, ResolutionOutcome, ReviewReceipt
from schemas.generate.examples import published


def shown(model: type[Event], topic: Topic = APPROVALS, **changed: object) -> list[str]:
    example = next(iter(published(model).values()))
    event = model.model_validate(example | changed)
    return [line.plain for line in lines_of(Received(topic, 0, 0, event=event))]


def test_an_approval_is_one_line_and_one_for_each_reason() -> None:
    line, *reasons = shown(ApprovalNeeded, why=[{"rule": "a", "says": "over 100"}, {"rule": "b", "says": "a VIP"}])
    assert "EXC-1001" in line
    assert "150.00 USD" in line
    assert [reason.strip() for reason in reasons] == ["because over 100", "because a VIP"]


def test_an_approval_says_who_is_asked_for_what_and_who_signed_already() -> None:
    signature = {"level": "manager", "reviewer": "user:otto", "verdict": "modify", "at": "2026-01-05T10:20:00Z"}
    line, _, signed = shown(
        ApprovalNeeded,
        level={"name": "director", "number": 2, "of": 2},
        role="deputy",
        part="method",
        quorum=2,
        round=3,
        signed_by=[signature | {"on_behalf_of": ["user:maria"]}],
    )
    assert "director 2 of 2, role deputy, the method, 2 reviewers, round 3 until" in line
    assert signed.strip() == "signed: modify by user:otto on behalf of user:maria (manager)"


def test_a_hand_over_says_where_the_question_is_now() -> None:
    [handed_over] = shown(ApprovalUpdated, change="reassigned", assignee="user:otto")
    [claimed] = shown(ApprovalUpdated, change="claimed")
    assert "reassigned by user:maria, now at user:otto  approval" in handed_over
    assert "claimed by user:maria  approval" in claimed


@pytest.mark.parametrize(
    ("model", "topic", "said"),
    [
        (ApprovalUpdated, APPROVALS, "claimed by user:maria"),
        (ReviewReceipt, DECISION_RECEIPTS, "ALREADY_DECIDED: user:maria"),
        (ResolutionOutcome, ORDER_OUTCOMES, "executed"),
        (MessageRejected, DEAD_LETTERS, "order-exceptions"),
    ],
)
def test_every_other_event_is_one_line(model: type[Event], topic: Topic, said: str) -> None:
    [line] = shown(model, topic)
    assert said in line


def test_a_record_that_is_no_event_is_shown_with_its_place_and_problem() -> None:
    [line] = lines_of(Received(APPROVALS, 2, 9, problem="the record has no value"))
    assert "approvals/2/9" in line.plain
    assert "the record has no value" in line.plain


def test_text_of_others_can_neither_move_the_terminal_nor_turn_the_writing() -> None:
    assert printable("a\x1b[31mb\n\u202ec\x07") == "a [31mb  c "


def test_a_card_shows_hostile_text_as_text() -> None:
    example = next(iter(published(ApprovalNeeded).values()))
    hostile = ApprovalNeeded.model_validate(example | {"context": {"reason": "[red]x[/red]\x1b[2J\nrisk  low"}})
    out = io.StringIO()
    Console(file=out, width=200, force_terminal=False).print(card(hostile))
    [reason] = [line for line in out.getvalue().splitlines() if "[red]x[/red]" in line]
    assert "\x1b" not in out.getvalue()
    assert "risk  low" in reason


ACTIONS: dict[str, Any] = {
    "kind": "action_request",
    "proposal": {
        "action": "action_request",
        "actions": [{"id": "0", "name": "run_sql", "args": {"statement": "x" * 400}}, {"id": "1", "name": "tweet"}],
        "passing": [{"id": "2", "name": "add_note", "args": {"text": "hello"}}],
    },
    "context": {
        "actions": [{"id": "0", "kind": "update", "shown": {"tables": ["orders"], "estimated_rows": 12}}],
        "results": [{"id": "3", "name": "send_email", "status": "failed", "problem": "the mailbox is full"}],
        "analysis": {"by": "rules", "concerns": ["legal-threat"]},
    },
}
ACCOUNT: dict[str, Any] = {
    "kind": "account_change",
    "proposal": {"action": "account_change", "changes": {"city": "Lyon"}},
    "context": {"changes": [{"field": "city", "from": "Paris", "to": "Lyon"}, {"field": "vip", "to": True}]},
}


def card_of(**changed: object) -> str:
    example = next(iter(published(ApprovalNeeded).values()))
    out = io.StringIO()
    Console(file=out, width=600).print(card(ApprovalNeeded.model_validate(example | changed)))
    return "\n".join(" ".join(line.split()) for line in out.getvalue().splitlines())


def test_a_card_tells_of_each_action_its_number_its_arguments_and_what_was_found() -> None:
    told = card_of(**ACTIONS).splitlines()
    for said in (
        f'action 0 run_sql {{"statement": "{"x" * 400}"}}',
        'found kind update, tables ["orders"], estimated rows 12',
        "action 1 tweet",
        'runs as well add_note {"text": "hello"}, which wants no signature',
        "tried already send_email failed: the mailbox is full",
        'advice rules: concerns ["legal-threat"]',
    ):
        assert said in told


def test_a_card_tells_what_an_account_says_now_and_what_it_would_say() -> None:
    assert "changes city: Paris → Lyon\nchanges vip: → true" in card_of(**ACCOUNT)
    assert "changes city → Lyon" in card_of(**ACCOUNT | {"context": {}})


def test_a_line_names_the_actions_and_cuts_their_arguments() -> None:
    line, first, *_ = shown(ApprovalNeeded, **ACTIONS)
    assert "action request of run_sql, tweet with add_note" in line
    assert first.strip().startswith('action 0: run_sql {"statement": "xxx')
    assert (len(first.strip()), first[-1]) == (300, "…")


def test_behind_an_outcome_stands_what_became_of_each_action() -> None:
    results = [
        {"id": "0", "name": "run_sql", "status": "executed", "reference": "tx-9", "result": {"rows": 12}},
        {"id": "1", "name": "tweet", "status": "unknown", "problem": "no answer came"},
    ]
    _, *rest = shown(ResolutionOutcome, ORDER_OUTCOMES, results=results, changes={"city": "Lyon"})
    assert [line.strip() for line in rest] == [
        "action: run_sql executed, tx-9",
        "action: tweet unknown: no answer came",
        "changes: city → Lyon",
    ]


def test_a_card_tells_what_brought_the_case_back_and_what_looks_like_it() -> None:
    context = {
        "difference": "the order is cancelled meanwhile",
        "history": [{"round": 1, "reviewer": "user:otto", "comment": "ask for a photo"}],
        "near_duplicates": [{"exception_id": "EXC-7", "state": "waiting"}],
    }
    example = next(iter(published(ApprovalNeeded).values()))
    out = io.StringIO()
    Console(file=out, width=200).print(card(ApprovalNeeded.model_validate(example | {"context": context})))
    for said in ("cancelled meanwhile", "round 1 by user:otto: ask for a photo", "EXC-7, which is waiting"):
        assert said in out.getvalue()


def test_a_json_line_names_topic_type_id_and_data() -> None:
    line = json_line(Received(APPROVALS, 0, 0, type="t", id="1", data={"a": "é"}))
    assert json.loads(line) == {"topic": "approvals", "type": "t", "id": "1", "data": {"a": "é"}}
