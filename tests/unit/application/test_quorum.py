"""n of m: different people sign the same question."""

from schemas.values import Verdict
from tests.builders import refund_event
from tests.policies import ALL_VERDICTS, level, policy
from tests.unit.application.desk import Desk

TWO_OF_THREE = policy(level("board", quorum=2))


async def test_the_question_stays_open_until_enough_people_have_signed() -> None:
    desk = Desk(TWO_OF_THREE)
    await desk.raises(refund_event())

    first = await desk.says("ada")
    assert (first["code"], first["accepted"], first["message"]) == ("RECORDED", True, "counted: 1 of 2 have signed")
    assert desk.outcomes() == []
    second = await desk.says("ben")

    assert second["code"] == "ACCEPTED"
    assert [one["reviewer"] for one in desk.outcomes()[0]["decided_by"]] == ["user:ada", "user:ben"]
    assert len(desk.asked()) == 1


async def test_one_person_counts_once() -> None:
    desk = Desk(TWO_OF_THREE)
    await desk.raises(refund_event())
    await desk.says("ada")

    again = await desk.says("ADA")

    assert again["code"] == "SAME_REVIEWER"
    assert desk.outcomes() == []


async def test_one_reject_ends_the_case_whatever_the_others_signed() -> None:
    desk = Desk(TWO_OF_THREE)
    await desk.raises(refund_event())
    await desk.says("ada")
    await desk.says("ben", "reject")
    assert desk.outcomes()[0]["status"] == "rejected"


async def test_a_change_makes_earlier_votes_void_and_is_put_to_the_same_level_again() -> None:
    desk = Desk(TWO_OF_THREE)
    await desk.raises(refund_event())
    await desk.says("ada")

    changed = await desk.says("ben", "modify", changes={"amount": {"amount_minor": 9_000, "currency": "USD"}})
    assert (changed["code"], desk.asked()[-1]["level"]["name"]) == ("ACCEPTED", "board")
    assert [one["reviewer"] for one in desk.asked()[-1]["signed_by"]] == ["user:ben"]
    assert (await desk.says("ben"))["code"] == "SAME_REVIEWER"
    await desk.says("ada")

    (outcome,) = desk.outcomes()
    assert outcome["amount"]["amount_minor"] == 9_000
    assert [one["verdict"] for one in outcome["decided_by"]] == ["approve", "modify", "approve"]


async def test_votes_of_a_level_do_not_count_for_the_next() -> None:
    desk = Desk(policy(level("board", quorum=2), level("vp")))
    await desk.raises(refund_event())
    await desk.says("ada")
    await desk.says("ben")
    assert (await desk.says("ben", role="vp"))["code"] == "SAME_REVIEWER"
    await desk.says("vera")
    assert [one["level"] for one in desk.outcomes()[0]["decided_by"]] == ["board", "board", "vp"]


async def test_a_question_whose_quorum_never_came_expires() -> None:
    desk = Desk(TWO_OF_THREE)
    await desk.raises(refund_event())
    await desk.says("ada")
    await desk.passes(86_401)
    assert desk.outcomes()[0]["status"] == "expired"


async def test_a_vote_with_the_seal_of_what_was_shown_counts_while_others_vote() -> None:
    desk = Desk(policy(level("board", quorum=3, allowed_verdicts=ALL_VERDICTS)))
    await desk.raises(refund_event())
    seal = desk.asked()[0]["review_hash"]
    assert (await desk.says("ada", review_hash=seal))["code"] == "RECORDED"
    assert (await desk.says("ben", review_hash=seal))["code"] == "RECORDED"
    assert desk.case().signatures[-1].verdict == Verdict.APPROVE
