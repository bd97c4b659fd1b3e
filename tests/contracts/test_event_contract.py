"""What the models accept, what they refuse, and how a refusal is told."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.catalogue import EVENTS, ORDER_EXCEPTIONS, ORDER_OUTCOMES, REVIEW_DECISIONS, topic_name
from schemas.cloudevents import Refused
from schemas.events import (
    MOST_DECISIONS,
    ApprovalCommanded,
    ExceptionRaised,
    ExceptionWithdrawn,
    MessageRejected,
    ReviewDecided,
    ReviewReceipt,
    batches_of,
    decisions_in,
    legible_command_id,
    legible_decision_id,
    receipt_code_of,
    rejection_of,
)
from schemas.generate.examples import sent
from schemas.strict_json import MAX_BYTES
from schemas.values import ReceiptCode, RejectionReason

REFUND = sent(ExceptionRaised)["refund"]
TOOL_CALL = sent(ExceptionRaised)["tool call"]
DECISION = sent(ReviewDecided)["modify"]
CLAIM = sent(ApprovalCommanded)["claim"]
DELEGATION = sent(ApprovalCommanded)["hand-over by business key"]
CANARY = "Ada Lovelace, 12 Rue Canari"


def usd(minor: object) -> dict[str, object]:
    return {"amount_minor": minor, "currency": "USD"}


def refusal(**changes: Any) -> tuple[RejectionReason, str]:
    with pytest.raises(ValidationError) as caught:
        ExceptionRaised.model_validate({**REFUND, **changes})
    return rejection_of(caught.value)


def answer(**changes: Any) -> ReceiptCode:
    with pytest.raises(ValidationError) as caught:
        ReviewDecided.model_validate({**DECISION, **changes})
    return receipt_code_of(caught.value)


@pytest.mark.parametrize(
    "minor", [0, -1, 150.5, 150.0, "15000", "\uff11\uff15", True, 10**15 + 1, float("nan"), None, [1]]
)
def test_an_amount_that_is_no_positive_integer_has_a_reason_of_its_own(minor: object) -> None:
    reason, _ = refusal(amount=usd(minor))
    assert reason is RejectionReason.AMOUNT_INVALID


def test_a_price_adjustment_of_nothing_is_no_adjustment() -> None:
    assert refusal(kind="price_adjustment", amount=usd(0))[0] is RejectionReason.AMOUNT_INVALID


def test_an_amount_in_another_currency_than_the_order_is_refused_as_such() -> None:
    reason, detail = refusal(amount={"amount_minor": 100, "currency": "EUR"})
    assert reason is RejectionReason.CURRENCY_MISMATCH
    assert detail == "`amount` must be in the currency of the order"


def test_an_alternative_in_another_currency_is_refused_without_a_snapshot_too() -> None:
    euros = {"amount_minor": 100, "currency": "EUR"}
    reason, detail = refusal(order=None, alternatives=[{"action": "refund", "amount": euros}])
    assert reason is RejectionReason.CURRENCY_MISMATCH
    assert "alternatives.0.amount" in detail


def test_more_than_was_captured_is_refused_as_such_and_all_of_it_is_not() -> None:
    assert refusal(amount=usd(18001))[0] is RejectionReason.OVER_CAPTURED
    assert ExceptionRaised.model_validate({**REFUND, "amount": usd(18000)}).amount is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"exception_id": ""},
        {"exception_id": "x" * 201},
        {"kind": "gift"},
        {"order_id": None},
        {"customer_id": None},
        {"requested_by": 7},
        {"amount": None},
        {"reason": "x" * 4001},
        {"confidence": 1.01},
        {"confidence": "0.9"},
        {"confidence": float("nan")},
        {"confidence": True},
        {"failed_attempts": -1},
        {"failed_attempts": "\uff13"},
        {"customer_requests_human": "yes"},
        {"irreversible": 1},
        {"compliance_flags": "aml"},
        {"items": [{"sku": "MUG-1", "quantity": 0}]},
        {"items": [{"sku": "MUG-1", "quantity": "1"}]},
        {"alternatives": [{"action": "refund", "method": "cash"}]},
        {"order": []},
        {"kind": "account_change"},
        {"kind": "account_change", "changes": {}},
        {"kind": "action_request"},
    ],
    ids=json.dumps,
)
def test_what_breaks_a_rule_of_the_contract_is_refused(changes: dict[str, Any]) -> None:
    reason, detail = refusal(**changes)
    assert reason is RejectionReason.SCHEMA_INVALID
    assert detail


def test_an_action_request_needs_no_order_but_exactly_one_way_to_name_its_actions() -> None:
    event = ExceptionRaised.model_validate(TOOL_CALL)
    assert [action.name for action in event.requested_actions] == ["send_email"]
    assert event.record_key == "EXC-1004"
    several = {**TOOL_CALL, "action": None, "actions": [{"name": "a"}, {"name": "b"}]}
    assert [action.name for action in ExceptionRaised.model_validate(several).requested_actions] == ["a", "b"]
    with pytest.raises(ValidationError, match="either `action` or `actions`"):
        ExceptionRaised.model_validate({**TOOL_CALL, "actions": [{"name": "b"}]})


def test_a_cancellation_needs_no_amount_because_it_is_the_captured_total() -> None:
    assert ExceptionRaised.model_validate({**REFUND, "kind": "cancellation", "amount": None}).amount is None


def test_fields_of_a_newer_sender_are_ignored() -> None:
    assert ExceptionRaised.model_validate({**REFUND, "sentiment": "cross"}) == ExceptionRaised.model_validate(REFUND)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": CANARY},
        {"confidence": CANARY},
        {"amount": usd(CANARY)},
        {"amount": {**usd(1), CANARY: 1}},
        {"order": CANARY},
        {"customer": {"tier": CANARY}},
        {"reason": CANARY * 200},
        {"items": [{"sku": CANARY * 20}]},
        {"items": {CANARY: 1}},
        {"customer_requests_human": CANARY},
        {"action": {"name": CANARY, "args": CANARY}},
    ],
)
def test_a_refusal_never_repeats_what_was_sent(changes: dict[str, Any]) -> None:
    _, detail = refusal(**changes)
    assert "Canari" not in detail


def test_a_refusal_names_the_field_and_counts_what_it_does_not_show() -> None:
    _, detail = refusal(items=[{"quantity": 1}] * 8)
    assert detail.startswith("items.0.sku: is missing; ")
    assert detail.endswith("; and 3 more")


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_data_that_is_no_object_is_refused_in_words_of_the_contract(data: object) -> None:
    with pytest.raises(ValidationError) as caught:
        ExceptionWithdrawn.model_validate(data)
    assert rejection_of(caught.value) == (RejectionReason.SCHEMA_INVALID, "must be an object")


def test_a_decision_may_name_its_request_by_the_business_key() -> None:
    decision = ReviewDecided.model_validate(sent(ReviewDecided)["by business key"])
    assert (decision.approval_id, decision.exception_id, decision.level) == (None, "EXC-1002", "finance")


@pytest.mark.parametrize("choice", [0, 2, "store_credit"])
def test_a_choice_is_an_index_or_a_method(choice: object) -> None:
    decision = ReviewDecided.model_validate({**DECISION, "verdict": "choose", "choice": choice})
    assert decision.choice == choice


@pytest.mark.parametrize(
    "changes",
    [
        {"approval_id": None},
        {"verdict": None},
        {"verdict": "maybe"},
        {"verdict": "choose"},
        {"verdict": "choose", "choice": True},
        {"verdict": "choose", "choice": -1},
        {"verdict": "request_changes", "comment": ""},
        {"verdict": "choose", "choice": 1.5},
        {"reviewer": None},
        {"reviewer": {"roles": ["manager"]}},
        {"comment": "x" * 4001},
        {"escalate_to": "director"},
        {"verdict": "escalate", "escalate_to": ""},
        {"verdict": None, "response": [{"type": "accept"}], "escalate_to": "director"},
    ],
    ids=json.dumps,
)
def test_a_decision_that_cannot_be_read_is_invalid(changes: dict[str, Any]) -> None:
    assert answer(**changes) is ReceiptCode.INVALID


def test_an_escalation_may_name_the_level_that_is_asked_instead() -> None:
    escalated = ReviewDecided.model_validate({**DECISION, "verdict": "escalate", "escalate_to": "director"})
    assert escalated.escalate_to == "director"
    with pytest.raises(ValidationError, match="`escalate_to` goes with the verdict escalate only"):
        ReviewDecided.model_validate({**DECISION, "escalate_to": "director"})


@pytest.mark.parametrize("changes", [None, {}, [], "all"], ids=json.dumps)
def test_a_modification_that_says_nothing_has_invalid_changes(changes: object) -> None:
    assert answer(changes=changes) is ReceiptCode.INVALID_CHANGES


def test_the_content_of_changes_is_left_to_who_knows_the_proposal() -> None:
    assert ReviewDecided.model_validate({**DECISION, "changes": {"amont": 1}}).changes == {"amont": 1}


def test_another_products_response_stands_in_for_a_verdict() -> None:
    response = {"decisions": [{"type": "approve"}]}
    decision = ReviewDecided.model_validate({**DECISION, "verdict": None, "response": response})
    assert decision.response == response


def test_one_bad_decision_of_a_batch_leaves_its_siblings_alone() -> None:
    assert decisions_in({"decisions": [DECISION, {"decision_id": "d-2"}, 7]}) == (DECISION, {"decision_id": "d-2"}, 7)
    assert decisions_in(DECISION) == (DECISION,)


@pytest.mark.parametrize("decisions", [[], None, {}, [1] * 1001], ids=["none", "null", "object", "too many"])
def test_a_batch_that_is_no_batch_is_refused(decisions: object) -> None:
    with pytest.raises(ValidationError):
        decisions_in({"decisions": decisions})


def test_decisions_are_sent_in_as_few_records_as_carry_them_and_in_their_order() -> None:
    decisions = [{**DECISION, "decision_id": f"D-{number}"} for number in range(2 * MOST_DECISIONS + 1)]
    short = [{"decision_id": decision["decision_id"], "comment": "x"} for decision in decisions]
    assert [len(batch) for batch in batches_of(short)] == [MOST_DECISIONS, MOST_DECISIONS, 1]
    assert [decision for batch in batches_of(decisions) for decision in batch] == decisions
    assert list(batches_of([])) == []


def test_no_batch_is_larger_than_a_record_may_be() -> None:
    wordy = [{**DECISION, "decision_id": f"D-{number}", "comment": "ß" * 4000} for number in range(100)]
    sizes = [len(json.dumps({"decisions": batch}, ensure_ascii=False).encode()) for batch in batches_of(wordy)]
    assert len(sizes) > 1
    assert max(sizes) < MAX_BYTES
    assert [len(batch) for batch in batches_of([DECISION, {"comment": "x" * MAX_BYTES}, DECISION])] == [1, 1, 1]


def test_a_command_names_its_request_as_a_decision_does() -> None:
    assert ApprovalCommanded.model_validate(CLAIM).approval_id == CLAIM["approval_id"]
    delegation = ApprovalCommanded.model_validate(DELEGATION)
    assert (delegation.approval_id, delegation.exception_id, delegation.to) == (None, "EXC-1001", "user:jonas")


@pytest.mark.parametrize(
    ("command", "changes", "said"),
    [
        (CLAIM, {"approval_id": None}, "a command needs `approval_id` or `exception_id`"),
        (CLAIM, {"command": "steal"}, "command: Input should be 'claim', 'release', 'reassign' or 'delegate'"),
        (CLAIM, {"to": "user:jonas"}, "`to` goes with reassign and delegate, not with claim"),
        (CLAIM, {"command": "release", "to": "user:jonas"}, "`to` goes with reassign and delegate, not with release"),
        (CLAIM, {"command": "reassign"}, "the command reassign needs `to`"),
        (DELEGATION, {"to": None}, "the command delegate needs `to`"),
        (DELEGATION, {"to": " "}, "to: String should have at least 1 character"),
        (CLAIM, {"by": None}, "by: must be an object"),
        (CLAIM, {"command_id": 7}, "command_id: Input should be a valid string"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_in_words(
    command: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        ApprovalCommanded.model_validate({**command, **changes})
    assert rejection_of(caught.value) == (RejectionReason.SCHEMA_INVALID, said)


def test_a_command_is_answered_when_its_id_is_legible() -> None:
    assert legible_command_id({"command_id": " c-1 "}) == "c-1"
    assert legible_command_id({"decision_id": "d-1"}) is None


@pytest.mark.parametrize(
    ("data", "legible"),
    [
        ({"decision_id": " d-1 "}, "d-1"),
        ({"decision_id": ""}, None),
        ({"decision_id": 7}, None),
        ({"decision_id": "x" * 201}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_decision_is_answered_when_its_id_is_legible(data: object, legible: str | None) -> None:
    assert legible_decision_id(data) == legible


def test_a_dead_letter_shows_the_head_of_its_record_without_control_characters() -> None:
    letter = MessageRejected.of(
        b'{"a":\x00\xff\x1b[31m' + b"x" * 1000,
        topic="order-exceptions",
        partition=0,
        offset=1,
        reason=RejectionReason.INVALID_JSON,
        detail="no",
    )
    assert letter.head is not None
    assert letter.head.startswith('{"a":.\ufffd.[31mxxx')
    assert len(letter.head) == 256
    assert letter.sha256 is not None
    tombstone = MessageRejected.of(None, topic="t", partition=0, offset=1, reason=RejectionReason.EMPTY, detail="no")
    assert (tombstone.head, tombstone.sha256) == (None, None)


def test_an_outgoing_event_has_every_field_and_times_in_utc() -> None:
    example = sent(ReviewReceipt)["second answer"] | {"decided_at": "2026-01-05T12:20:00+02:00", "case_id": None}
    written = json.loads(ReviewReceipt.model_validate(example).to_json())
    assert written["decided_at"] == "2026-01-05T10:20:00Z"
    assert written["case_id"] is None
    assert written.keys() == ReviewReceipt.model_fields.keys()


def test_a_plain_record_has_the_default_type_of_its_topic() -> None:
    assert ORDER_EXCEPTIONS.model(None) is ExceptionRaised
    assert REVIEW_DECISIONS.model(None, DECISION) is ReviewDecided


def test_a_plain_record_with_a_command_is_one_and_an_attribute_outweighs_it() -> None:
    assert REVIEW_DECISIONS.model(None, CLAIM) is ApprovalCommanded
    assert REVIEW_DECISIONS.model(ReviewDecided.TYPE, CLAIM) is ReviewDecided
    assert REVIEW_DECISIONS.model(None, ["command"]) is ReviewDecided


@pytest.mark.parametrize("type_", ["signoff.exception.raised.v2", ReviewDecided.TYPE, "", CANARY])
def test_a_type_that_the_topic_does_not_carry_is_unsupported(type_: str) -> None:
    topic = ORDER_EXCEPTIONS if type_ else ORDER_OUTCOMES
    with pytest.raises(Refused) as caught:
        topic.model(type_)
    assert caught.value.reason is RejectionReason.SCHEMA_UNSUPPORTED
    assert "Canari" not in caught.value.detail


def test_the_prefix_goes_in_front_as_it_is() -> None:
    assert topic_name("acme.", ORDER_EXCEPTIONS) == "acme.order-exceptions"


def test_each_type_names_its_model() -> None:
    assert {type_: model.TYPE for type_, model in EVENTS.items()} == {type_: type_ for type_ in EVENTS}
