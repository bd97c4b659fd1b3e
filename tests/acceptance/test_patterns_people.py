"""Who may sign: several people for one level, people on holiday and those who stand in, and who holds a question."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.acceptance.house import POLICIES, House, signatures
from tests.acceptance.people import ADA, BEN, CLEO, INES, JONAS, MARIA, RICK

YESTERDAY, TOMORROW = ((datetime.now(UTC) + timedelta(days=days)).date() for days in (-1, 1))

REGISTER = f"""
reviewers:
  - id: user:maria
    roles: [manager]
    ceiling: 800.00 USD
    away: {{from: {YESTERDAY}, until: {TOMORROW}, delegate: user:jonas}}
  - id: user:jonas
  - id: user:rick
    roles: [manager]
    away: {{from: {YESTERDAY}, until: {TOMORROW}, delegate: user:ines}}
  - id: user:ines
"""


async def a_house_with_a_register(house: House, folder: Path) -> None:
    people = folder / "people.yaml"
    people.write_text(REGISTER)
    await house.run("reviewers", "load", str(people))
    await house.start_worker(reviewers="register")


async def test_two_of_three_sign_and_the_third_is_told_that_it_is_decided(house: House) -> None:
    await house.start_worker(policy_file=str(POLICIES / "board.yaml"))
    await house.raise_exception("E-1", 15_000)
    assert (await house.question("E-1", "board"))["quorum"] == 2

    first = await house.says(ADA, "approve", "E-1")
    twice = await house.says({**ADA, "id": " User:ADA "}, "approve", "E-1")
    second = await house.says(BEN, "approve", "E-1")
    third = await house.says(CLEO, "reject", "E-1")

    assert (first["code"], first["message"]) == ("RECORDED", "counted: 1 of 2 have signed")
    assert twice["code"] == "SAME_REVIEWER"
    assert second["code"] == "ACCEPTED"
    assert (third["code"], third["decided_by"]) == ("ALREADY_DECIDED", "user:ben")
    outcome = await house.outcome_of("E-1")
    assert signatures(outcome) == [("board", "user:ada", "approve"), ("board", "user:ben", "approve")]
    assert house.paid("E-1") == [15_000]
    await house.check_audit_trail()


async def test_three_who_sign_at_the_same_instant_on_two_workers_pay_once(house: House) -> None:
    for worker in ("w1", "w2"):
        await house.start_worker(worker, policy_file=str(POLICIES / "board.yaml"))
    await house.raise_exception("E-1", 15_000)
    await house.question("E-1", "board")

    receipts = await asyncio.gather(*(house.says(who, "approve", "E-1") for who in (ADA, BEN, CLEO)))

    assert sorted(receipt["code"] for receipt in receipts) == ["ACCEPTED", "ALREADY_DECIDED", "RECORDED"]
    assert len((await house.outcome_of("E-1"))["decided_by"]) == 2
    assert house.paid("E-1") == [15_000]


async def test_while_a_reviewer_is_on_holiday_their_delegate_signs_in_their_name(house: House, tmp_path: Path) -> None:
    await a_house_with_a_register(house, tmp_path)
    await house.raise_exception("E-1", 15_000)
    await house.raise_exception("E-large", 85_000)
    await house.question("E-1", "manager")
    await house.question("E-large", "manager")

    stranger = await house.says({"id": "user:mallory", "roles": ["manager"]}, "approve", "E-1")
    assert stranger["code"] == "NOT_AUTHORISED"
    assert (await house.says(JONAS, "approve", "E-1"))["code"] == "ACCEPTED"
    over = await house.says(JONAS, "approve", "E-large")
    assert (over["code"], "850.00 USD is over the 800.00 USD" in over["message"]) == ("NOT_AUTHORISED", True)

    (signature,) = (await house.outcome_of("E-1"))["decided_by"]
    assert (signature["reviewer"], signature["on_behalf_of"]) == ("user:jonas", ["user:maria"])
    assert (house.paid("E-1"), house.paid("E-large")) == ([15_000], [])


async def test_nobody_approves_their_own_request_through_whoever_stands_in_for_them(
    house: House, tmp_path: Path
) -> None:
    await a_house_with_a_register(house, tmp_path)
    await house.raise_exception("E-1", 15_000, requested_by="user:rick")
    await house.question("E-1", "manager")

    himself = await house.says(RICK, "approve", "E-1")
    through = await house.says(INES, "approve", "E-1")
    assert (himself["code"], through["code"]) == ("SELF_APPROVAL", "SELF_APPROVAL")
    assert "through a delegate" in through["message"]
    assert house.paid("E-1") == []

    assert (await house.says(MARIA, "approve", "E-1"))["code"] == "ACCEPTED"
    assert signatures(await house.outcome_of("E-1")) == [("manager", "user:maria", "approve")]


async def test_a_question_is_claimed_let_go_and_handed_to_somebody_who_signs_for_another(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    await house.question("E-1", "manager")

    assert (await house.commands(MARIA, "claim", "E-1"))["code"] == "RECORDED"
    assert (await house.update_of("E-1", "claimed"))["assignee"] == "user:maria"
    kept_out = await house.says(JONAS, "approve", "E-1")
    assert (kept_out["code"], "user:maria holds this question" in kept_out["message"]) == ("NOT_AUTHORISED", True)

    released = await house.commands(MARIA, "release", "E-1")
    assert released["message"] == "released: anybody with role manager may answer"
    assert (await house.update_of("E-1", "reassigned"))["assignee"] is None

    assert (await house.commands(MARIA, "reassign", "E-1", to="user:jonas"))["code"] == "RECORDED"
    assert (await house.commands(JONAS, "delegate", "E-1", to="user:ines"))["code"] == "RECORDED"
    assert (await house.says(MARIA, "approve", "E-1"))["code"] == "NOT_AUTHORISED"
    assert (await house.says(INES, "approve", "E-1"))["code"] == "ACCEPTED"

    (signature,) = (await house.outcome_of("E-1"))["decided_by"]
    assert (signature["reviewer"], signature["on_behalf_of"]) == ("user:ines", ["user:jonas"])
    await house.update_of("E-1", "closed")
    told = [(event["change"], event["assignee"]) for event in house.events["approvals"] if "change" in event]
    assert told[:-1] == [
        ("claimed", "user:maria"),
        ("reassigned", None),
        ("reassigned", "user:jonas"),
        ("reassigned", "user:ines"),
    ]
    assert told[-1][0] == "closed"
    trail = json.loads(await house.run("audit", "show", "E-1", "--json"))
    assert [(entry["actor"], entry["action"]) for entry in trail][1:-1] == [
        ("user:maria", "claimed"),
        ("user:jonas", "decision refused"),
        ("user:maria", "released"),
        ("user:maria", "reassigned"),
        ("user:jonas", "delegated"),
        ("user:maria", "decision refused"),
    ]
    await house.check_audit_trail()
