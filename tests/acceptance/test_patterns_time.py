"""Time goes by: deadlines, and screens that show what is no longer so."""

from tests.acceptance.house import POLICIES, House, refund, signatures
from tests.acceptance.people import DORA, JONAS, MARIA

HURRIED = str(POLICIES / "hurried.yaml")


async def test_a_case_at_which_nobody_looks_in_time_is_not_paid(house: House) -> None:
    await house.start_worker(policy_file=HURRIED)
    await house.raise_exception("E-1", 5_000, reason_code="trial")
    question = await house.question("E-1", "clerk")
    assert question["on_timeout"] == "reject"

    outcome = await house.outcome_of("E-1")
    late = await house.says({"id": "user:carl", "roles": ["clerk"]}, "approve", "E-1")

    assert (outcome["status"], outcome["decided_by"], outcome["amount"]) == ("expired", [], None)
    assert late["code"] == "EXPIRED"
    assert (await house.update_of("E-1", "closed"))["reason"] == "expired"
    assert house.paid("E-1") == []


async def test_a_manager_who_was_reminded_and_stayed_silent_is_passed_over_for_the_director(house: House) -> None:
    await house.start_worker(policy_file=HURRIED)
    await house.raise_exception("E-1", 15_000)
    asked_first = await house.question("E-1", "manager")
    assert asked_first["on_timeout"] == "escalate"

    reminded = await house.update_of("E-1", "reminded")
    escalated = await house.update_of("E-1", "escalated")
    assert {reminded["approval_id"], escalated["approval_id"]} == {asked_first["approval_id"]}
    assert reminded["at"] < asked_first["due_at"] <= escalated["at"]
    await house.question("E-1", "director")
    late = await house.says(MARIA, "approve", "E-1", approval_id=asked_first["approval_id"])
    assert late["code"] == "EXPIRED"
    assert (await house.says(DORA, "approve", "E-1"))["code"] == "ACCEPTED"

    assert signatures(await house.outcome_of("E-1")) == [("director", "user:dora", "approve")]
    assert house.paid("E-1") == [15_000]
    await house.check_audit_trail()


async def test_a_screen_of_the_level_or_the_round_before_decides_nothing(house: House) -> None:
    await house.start_worker()
    await house.raise_exception(
        "E-1", 150_000, order={"captured": {"amount_minor": 900_000, "currency": "USD"}, "status": "delivered"}
    )
    of_round_1 = await house.question("E-1", "manager", round=1)
    await house.says(MARIA, "request_changes", "E-1", comment="where is the photo?")
    of_round_2 = await house.question("E-1", "manager", round=2)

    stale = await house.says(JONAS, "approve", "E-1", review_hash=of_round_1["review_hash"])
    assert (stale["code"], "reload it and decide again" in stale["message"]) == ("STALE", True)
    closed = await house.says(JONAS, "approve", "E-1", approval_id=of_round_1["approval_id"])
    assert (closed["code"], closed["decided_by"]) == ("ALREADY_DECIDED", "user:maria")
    assert (await house.says(MARIA, "approve", "E-1", review_hash=of_round_2["review_hash"]))["code"] == "ACCEPTED"

    of_director = await house.question("E-1", "director")
    assert (await house.says(DORA, "approve", "E-1", review_hash=of_round_2["review_hash"]))["code"] == "STALE"
    assert house.paid("E-1") == []
    assert (await house.says(DORA, "approve", "E-1", review_hash=of_director["review_hash"]))["code"] == "ACCEPTED"
    await house.outcome_of("E-1")
    assert house.paid("E-1") == [150_000]


async def test_an_order_that_was_cancelled_while_the_question_waited_is_asked_about_anew(house: House) -> None:
    house.shop_says("ORD-E-1", 20_000, "delivered")
    await house.start_worker()
    await house.send("order-exceptions", {**refund("E-1", 15_000), "order": None})
    await house.question("E-1", "manager", round=1)
    house.shop_says("ORD-E-1", 20_000, "cancelled")

    approved = await house.says(MARIA, "approve", "E-1")

    assert (approved["code"], "it was cancelled meanwhile" in approved["message"]) == ("STALE", True)
    anew = await house.question("E-1", "manager", round=2)
    assert anew["context"]["difference"] == "it was cancelled meanwhile"
    assert "order-changed" in {fired["rule"] for fired in anew["why"]}
    assert house.paid("E-1") == []
    await house.says(MARIA, "reject", "E-1", review_hash=anew["review_hash"])
    assert (await house.outcome_of("E-1"))["status"] == "rejected"
    assert house.paid("E-1") == []
