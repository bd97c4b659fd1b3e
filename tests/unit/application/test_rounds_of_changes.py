"""A reviewer wants something changed: the case is analysed anew with the comment, five times at most."""

from tests.builders import an_order, decision_event, refund_event, usd
from tests.policies import level, policy
from tests.unit.application.desk import Desk

TWO_LEVELS = policy(level("manager"), level("director"))


async def test_the_case_comes_back_to_its_first_level_with_the_comment_shown() -> None:
    desk = Desk(TWO_LEVELS)
    await desk.raises(refund_event())
    await desk.says("maria")

    receipt = await desk.says("dora", "request_changes", comment="where is the photo?")

    assert (receipt["code"], receipt["message"]) == (
        "ACCEPTED",
        "changes requested: it is analysed anew; level manager is asked",
    )
    asked = desk.asked()[-1]
    assert (asked["round"], asked["level"]["name"]) == (2, "manager")
    (entry,) = asked["context"]["history"]
    assert (entry["round"], entry["level"], entry["reviewer"], entry["comment"]) == (
        1,
        "director",
        "user:dora",
        "where is the photo?",
    )
    assert entry["proposal"]["amount"]["amount_minor"] == 15_000


async def test_all_levels_sign_again_after_a_round_each_by_the_person_of_its_own_level() -> None:
    desk = Desk(TWO_LEVELS)
    await desk.raises(refund_event())
    await desk.says("maria")
    await desk.says("dora", "request_changes", comment="photo")

    assert (await desk.says("dora", role="manager"))["code"] == "SAME_REVIEWER"
    await desk.says("maria")
    await desk.says("dora")

    assert desk.outcomes()[0]["status"] == "executed"
    assert desk.case().idempotency_key.endswith(":2")


async def test_the_sixth_round_must_decide() -> None:
    desk = Desk(policy(level("manager")))
    await desk.raises(refund_event())
    for number in range(5):
        assert (await desk.says("maria", "request_changes", comment=f"again {number}"))["code"] == "ACCEPTED"

    assert desk.asked()[-1]["round"] == 6
    assert "request_changes" not in desk.asked()[-1]["allowed_verdicts"]
    assert len(desk.asked()[-1]["context"]["history"]) == 5
    sixth = await desk.says("maria", "request_changes", comment="once more")
    assert sixth["code"] == "VERDICT_NOT_ALLOWED"
    await desk.says("maria")
    assert desk.outcomes()[0]["status"] == "executed"


async def test_a_decision_about_what_was_shown_before_the_round_is_stale() -> None:
    desk = Desk(policy(level("manager")))
    await desk.raises(refund_event())
    seal = desk.asked()[0]["review_hash"]
    await desk.says("maria", "request_changes", comment="photo")

    await desk.decides(decision_event(review_hash=seal))

    assert desk.receipt()["code"] == "STALE"
    assert desk.outcomes() == []


async def test_request_changes_without_a_comment_is_refused() -> None:
    desk = Desk(policy(level("manager")))
    await desk.raises(refund_event())
    assert (await desk.says("maria", "request_changes"))["code"] == "INVALID"


async def test_rounds_that_nobody_asked_for_use_up_no_request_for_changes() -> None:
    desk = Desk(policy(level("manager"), level("director")))
    await desk.raises(refund_event())
    for paid in range(19_000, 18_000, -100):
        await desk.says("maria")
        desk.orders.orders["ORD-1"] = an_order(captured=usd(paid))
        assert (await desk.says("dora"))["code"] == "STALE"
    await desk.says("maria")
    assert desk.asked()[-1]["round"] == 11
    assert (await desk.says("dora", "request_changes", comment="photo"))["code"] == "ACCEPTED"
