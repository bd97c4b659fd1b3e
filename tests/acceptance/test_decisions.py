"""Decisions over Kafka: the first valid one wins, and everybody is answered."""

import asyncio
from pathlib import Path

from tests.acceptance.house import House


async def test_of_two_reviewers_at_the_same_instant_one_wins_and_the_other_is_told_who(house: House) -> None:
    await house.start_worker("w1")
    await house.start_worker("w2")
    await house.raise_exception("E-1", 15_000)
    approval_id = (await house.approval_of("E-1"))["approval_id"]

    reviewers = {"D-maria": "user:maria", "D-jonas": "user:jonas"}
    await asyncio.gather(
        *(
            house.decide(decision, approval_id=approval_id, reviewer={"id": person, "roles": ["manager"]})
            for decision, person in reviewers.items()
        )
    )

    receipts = {decision: await house.receipt_of(decision) for decision in reviewers}
    assert sorted(receipt["code"] for receipt in receipts.values()) == ["ACCEPTED", "ALREADY_DECIDED"]
    winner, loser = sorted(receipts.values(), key=lambda receipt: receipt["code"])
    assert loser["decided_by"] == winner["decided_by"] == reviewers[winner["decision_id"]]
    assert loser["decided_by"] in loser["message"]
    outcome = await house.outcome_of("E-1")
    assert [signature["reviewer"] for signature in outcome["decided_by"]] == [winner["decided_by"]]


async def test_a_decision_that_arrives_before_its_case_is_kept_for_it(house: House) -> None:
    await house.start_worker()
    await house.decide("D-1", exception_id="E-1")
    await house.decide("D-2", exception_id="E-other", reviewer={"id": "user:x", "roles": []})
    await house.raise_exception("E-2")
    await house.outcome_of("E-2")

    await house.raise_exception("E-1", 15_000)

    assert (await house.receipt_of("D-1"))["code"] == "ACCEPTED"
    assert (await house.outcome_of("E-1"))["status"] == "executed"


async def test_a_decision_about_nothing_is_answered_when_the_wait_is_over(house: House) -> None:
    await house.start_worker(early_decision_wait_s="0.5")
    await house.decide("D-1", approval_id="no-such-approval")
    assert (await house.receipt_of("D-1"))["code"] == "UNKNOWN_APPROVAL"


async def test_the_same_decision_again_is_a_duplicate_and_changes_nothing(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    await house.approval_of("E-1")
    await house.decide("D-1", "reject", exception_id="E-1", comment="not ours")
    assert (await house.outcome_of("E-1"))["status"] == "rejected"

    await house.decide("D-1", "approve", exception_id="E-1")

    assert (await house.receipt_of("D-1", "DUPLICATE"))["accepted"] is False
    assert house.rows("select * from ledger_entries") == []


async def test_a_decision_with_a_legible_id_gets_a_receipt_and_any_other_a_dead_letter(house: House) -> None:
    await house.start_worker()
    await house.send("review-decisions", {"decision_id": "D-1", "verdict": "perhaps"})
    await house.send("review-decisions", {"verdict": "approve"})
    assert (await house.receipt_of("D-1"))["code"] == "INVALID"
    rejected = await house.find("dead-letters", lambda event: True)
    assert (rejected["topic"], rejected["reason"]) == ("review-decisions", "SCHEMA_INVALID")


async def test_a_batch_is_answered_one_by_one_and_a_refusal_stops_no_sibling(house: House) -> None:
    await house.start_worker()
    for number in range(3):
        await house.raise_exception(f"E-{number}", 15_000)
        await house.approval_of(f"E-{number}")
    manager = {"id": "user:maria", "roles": ["manager"]}
    clerk = {"id": "user:carl", "roles": ["clerk"]}
    decisions = [
        {"decision_id": f"D-{number}", "exception_id": f"E-{number}", "verdict": "approve", "reviewer": reviewer}
        for number, reviewer in enumerate((manager, clerk, manager))
    ]

    await house.send("review-decisions", {"decisions": decisions})

    codes = [(await house.receipt_of(f"D-{number}"))["code"] for number in range(3)]
    assert codes == ["ACCEPTED", "NOT_AUTHORISED", "ACCEPTED"]


async def test_nobody_decides_in_time_and_the_case_expires(house: House, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(IMPATIENT)
    await house.start_worker(policy_file=str(policy))
    await house.raise_exception("E-1", 15_000)
    approval_id = (await house.approval_of("E-1"))["approval_id"]

    outcome = await house.outcome_of("E-1")
    await house.decide("D-late", approval_id=approval_id)

    assert outcome["status"] == "expired"
    assert (await house.receipt_of("D-late"))["code"] == "EXPIRED"
    closed = await house.find("approvals", lambda event: event.get("change") == "closed")
    assert (closed["by"], closed["reason"]) == ("system", "expired")


async def test_a_withdrawn_exception_ends_its_case_and_closes_the_approval(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    await house.approval_of("E-1")
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1"),
        ("ce_source", b"/test"),
        ("ce_type", b"signoff.exception.withdrawn.v1"),
    ]
    await house.send(
        "order-exceptions", {"exception_id": "E-1", "requested_by": "agent:web-chat", "order_id": "ORD-E-1"}, headers
    )
    assert (await house.outcome_of("E-1"))["status"] == "withdrawn"
    await house.decide("D-1", exception_id="E-1")
    assert (await house.receipt_of("D-1"))["code"] == "ALREADY_DECIDED"


IMPATIENT = """
name: impatient
base_currency: USD
rates: {}
levels:
  manager:
    role: manager
    due_in: 1s
    on_timeout: reject
    allowed_verdicts: [approve, reject, modify]
limits:
  automatic_amount: 100.00 USD
rules:
  - id: refund-over-100
    when: amount > limits.automatic_amount
    says: "{amount} is over {limits.automatic_amount}"
    level: manager
    risk: medium
"""
