"""From records of people to messages: decisions and commands, alone and in batches, and what is owed to the rest."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.catalogue import REVIEW_DECISIONS
from schemas.events import MOST_DECISIONS, ApprovalCommanded, ReviewDecided
from schemas.generate.examples import sent
from schemas.values import Command, ReceiptCode, RejectionReason, Reviewer
from worker.application.messages import Commanded, Decided, IllegibleDecision, Message
from worker.domain.approval import ApprovalCommand
from worker.translation.deciding import (
    IllegibleDecisionGiven,
    batch_records,
    check_decision,
    command_record,
)
from worker.translation.inbound import Accepted, Record, Rejected, message_of, read

CLAIM = sent(ApprovalCommanded)["claim"]
DELEGATION = sent(ApprovalCommanded)["hand-over by business key"]
DECISION = sent(ReviewDecided)["modify"]
NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


def plain(data: Any) -> Record:
    return Record(REVIEW_DECISIONS.name, 0, 0, None, json.dumps(data).encode(), ())


def only_part(record: Record) -> Accepted:
    (part,) = read(record)
    assert isinstance(part, Accepted)
    return part


def message(data: Any) -> Message:
    return only_part(plain(data)).message


def test_a_plain_record_with_a_command_is_a_command_about_its_approval() -> None:
    part = only_part(plain(CLAIM))
    assert isinstance(part.message, Commanded)
    assert part.message.command.command is Command.CLAIM
    assert part.message.command.by == Reviewer(id="user:maria", roles=("manager",))
    assert (part.type, part.correlation) == (ApprovalCommanded.TYPE, CLAIM["approval_id"])


def test_a_command_by_business_key_takes_its_turn_with_the_other_messages_of_the_case() -> None:
    part = only_part(plain(DELEGATION))
    assert isinstance(part.message, Commanded)
    assert (part.correlation, part.message.command.to) == ("EXC-1001", "user:jonas")


def test_the_inbox_gives_back_the_command_that_it_was_given() -> None:
    part = only_part(plain(CLAIM))
    assert message_of(part.type, part.payload) == part.message


def test_an_illegible_command_with_an_id_is_owed_a_receipt() -> None:
    assert message({**CLAIM, "to": "user:eve"}) == IllegibleDecision(
        CLAIM["command_id"], "`to` goes with reassign and delegate, not with claim", ReceiptCode.INVALID
    )


def test_an_illegible_command_without_an_id_is_a_dead_letter() -> None:
    (part,) = read(plain({**CLAIM, "command_id": None}))
    assert part == Rejected(0, RejectionReason.SCHEMA_INVALID, "command_id: Input should be a valid string")


def test_a_decision_keeps_the_level_that_it_escalates_to() -> None:
    escalated = message(sent(ReviewDecided)["escalation"])
    assert isinstance(escalated, Decided)
    assert escalated.decision.escalate_to == "director"


def test_a_command_is_published_as_the_worker_will_read_it() -> None:
    command = ApprovalCommand.model_validate(DELEGATION)
    record = command_record(command, "ORD-1", NOW)
    assert dict(record.headers)["ce_type"] == ApprovalCommanded.TYPE.encode()
    assert record.key == b"ORD-1"
    assert only_part(record).message == Commanded(command)


def test_a_command_that_could_not_be_read_is_not_published() -> None:
    command = ApprovalCommand.model_validate({**DELEGATION, "to": None})
    with pytest.raises(IllegibleDecisionGiven, match="the command delegate needs `to`"):
        command_record(command, "ORD-1", NOW)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({**DECISION, "changes": None}, "the verdict modify needs `changes`"),
        ({**DECISION, "decision_id": ""}, "decision_id: String should have at least 1 character"),
        ({**DECISION, "escalate_to": "vp"}, "`escalate_to` goes with the verdict escalate only"),
        (7, "must be an object"),
        (CLAIM, "decision_id: is missing"),
    ],
)
def test_a_decision_of_a_batch_is_told_what_the_worker_would_say(data: Any, problem: str) -> None:
    with pytest.raises(IllegibleDecisionGiven) as told:
        check_decision(data)
    assert problem in str(told.value)


def test_a_batch_is_published_in_records_of_a_thousand_each_with_its_own_id() -> None:
    decisions = [
        {"decision_id": f"D-{n}", "exception_id": "E", "verdict": "approve", "reviewer": {"id": "u"}}
        for n in range(MOST_DECISIONS + 1)
    ]
    records = list(batch_records(decisions, NOW))
    parts = [part for record in records for part in read(record)]
    assert [len(read(record)) for record in records] == [MOST_DECISIONS, 1]
    assert len({dict(record.headers)["ce_id"] for record in records}) == 2
    assert [part.message.decision.decision_id for part in parts] == [  # type: ignore[union-attr]
        decision["decision_id"] for decision in decisions
    ]
