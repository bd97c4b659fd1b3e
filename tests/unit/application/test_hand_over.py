"""Claim, release, reassign, delegate: who holds a question, and what that never gets around."""

import pytest

from tests.builders import refund_event
from tests.policies import level, policy
from tests.unit.application.desk import Desk
from worker.domain.deadlines import DeadlineAction, DeadlineStep

POLICY = policy(level("manager"), level("director"))


async def a_desk() -> Desk:
    desk = Desk(POLICY)
    await desk.raises(refund_event())
    return desk


async def test_a_claim_keeps_others_from_deciding_until_it_runs_out() -> None:
    desk = await a_desk()

    claimed = await desk.commands("maria", "claim")
    assert (claimed["code"], claimed["accepted"]) == ("RECORDED", True)
    assert desk.approvals()[-1]["assignee"] == "user:maria"
    other = await desk.says("jonas")
    assert (other["code"], "user:maria holds this question" in other["message"]) == ("NOT_AUTHORISED", True)
    await desk.passes(3_601)

    assert desk.updates() == ["claimed", "reassigned"]
    assert desk.approvals()[-1]["assignee"] is None
    assert (await desk.says("jonas"))["code"] == "ACCEPTED"


async def test_who_claimed_it_decides_it() -> None:
    desk = await a_desk()
    await desk.commands("maria", "claim")
    assert (await desk.says("maria"))["code"] == "ACCEPTED"


async def test_only_who_holds_it_or_gave_it_can_release_it() -> None:
    desk = await a_desk()
    assert (await desk.commands("maria", "release"))["code"] == "NOT_AUTHORISED"
    await desk.commands("maria", "reassign", to="user:jonas")
    assert (await desk.commands("kim", "release"))["code"] == "NOT_AUTHORISED"
    assert (await desk.commands("maria", "release"))["code"] == "RECORDED"
    assert desk.approval().assignee is None


async def test_a_question_is_reassigned_to_one_person_who_needs_the_role() -> None:
    desk = await a_desk()
    await desk.commands("maria", "reassign", to="user:jonas")
    assert (await desk.says("kim"))["code"] == "NOT_AUTHORISED"
    assert (await desk.says("jonas", role="clerk"))["code"] == "NOT_AUTHORISED"
    assert (await desk.says("jonas"))["code"] == "ACCEPTED"


async def test_a_delegate_decides_without_the_role_and_the_record_says_for_whom() -> None:
    desk = await a_desk()
    await desk.commands("maria", "delegate", to="user:ines")
    assert (await desk.says("ines", role="intern"))["code"] == "ACCEPTED"
    signature = desk.case().signatures[0]
    assert (signature.reviewer, signature.on_behalf_of) == ("user:ines", ("user:maria",))


async def test_a_chain_of_delegates_signs_for_everybody_in_it() -> None:
    desk = await a_desk()
    await desk.commands("maria", "delegate", to="user:ines")
    await desk.commands("ines", "delegate", role="intern", to="user:olga")
    await desk.says("olga", role="intern")

    assert desk.case().signatures[0].on_behalf_of == ("user:ines", "user:maria")
    for person in ("olga", "ines", "maria"):
        assert (await desk.says(person, role="director"))["code"] == "SAME_REVIEWER"


async def test_a_question_never_goes_back_to_somebody_who_handed_it_on() -> None:
    desk = await a_desk()
    await desk.commands("maria", "delegate", to="user:ines")
    back = await desk.commands("ines", "delegate", role="intern", to="user:maria")
    assert (back["code"], "handed this question over already" in back["message"]) == ("INVALID", True)


@pytest.mark.parametrize("command", ["reassign", "delegate"])
async def test_a_question_is_never_handed_to_its_requester(command: str) -> None:
    desk = Desk(POLICY)
    await desk.raises(refund_event(requested_by="user:rick"))
    assert (await desk.commands("maria", command, to="user:Rick"))["code"] == "SELF_APPROVAL"


@pytest.mark.parametrize("command", ["claim", "reassign", "delegate"])
async def test_the_requester_moves_nothing_and_nor_does_who_lacks_the_role(command: str) -> None:
    desk = Desk(POLICY)
    await desk.raises(refund_event(requested_by="user:rick"))
    to = {} if command == "claim" else {"to": "user:jonas"}
    assert (await desk.commands("rick", command, **to))["code"] == "SELF_APPROVAL"
    assert (await desk.commands("maria", command, role="clerk", **to))["code"] == "NOT_AUTHORISED"
    assert desk.approval().assignee is None


async def test_a_question_is_not_handed_to_somebody_who_signed_another_level() -> None:
    desk = await a_desk()
    await desk.says("maria")
    assert (await desk.commands("dora", "delegate", to="user:maria"))["code"] == "SAME_REVIEWER"


async def test_the_same_command_again_is_a_duplicate() -> None:
    desk = await a_desk()
    await desk.commands("maria", "claim", command_id="C-1")
    assert (await desk.commands("maria", "claim", command_id="C-1"))["code"] == "DUPLICATE"


async def test_a_command_about_a_closed_question_is_told_who_decided() -> None:
    desk = Desk(policy(level("manager")))
    await desk.raises(refund_event())
    await desk.says("maria")
    late = await desk.commands("jonas", "claim")
    assert (late["code"], late["decided_by"]) == ("ALREADY_DECIDED", "user:maria")


async def test_a_command_that_arrives_before_its_case_is_kept_for_it() -> None:
    desk = Desk(POLICY)
    await desk.decides(
        {
            "command_id": "C-1",
            "exception_id": "EXC-1",
            "command": "claim",
            "by": {"id": "user:maria", "roles": ["manager"]},
        }
    )
    assert desk.receipts() == []
    await desk.raises(refund_event())
    await desk.passes(30)
    assert desk.approval().assignee == "user:maria"


async def test_a_claim_is_over_with_the_vote_of_who_held_it() -> None:
    desk = Desk(policy(level("board", quorum=2)))
    await desk.raises(refund_event())
    await desk.commands("maria", "claim")
    await desk.says("maria")
    await desk.passes(3_700)
    assert desk.updates() == ["claimed", "reassigned"]
    assert (await desk.says("jonas"))["code"] == "ACCEPTED"


async def test_a_vote_frees_the_question_that_its_voter_held_and_screens_are_told() -> None:
    desk = Desk(policy(level("board", quorum=2)))
    await desk.raises(refund_event())
    await desk.commands("maria", "claim")
    await desk.says("maria")
    assert (desk.updates(), desk.approvals()[-1]["assignee"]) == (["claimed", "reassigned"], None)


async def test_a_delegation_that_was_taken_back_counts_no_longer() -> None:
    desk = await a_desk()
    await desk.commands("maria", "delegate", to="user:ines")
    await desk.commands("maria", "release")
    assert (await desk.says("ines", role="intern"))["code"] == "NOT_AUTHORISED"


async def test_a_delegate_who_claims_what_they_hold_still_holds_it() -> None:
    desk = await a_desk()
    await desk.commands("maria", "delegate", to="user:ines")
    assert (await desk.commands("ines", "claim", role="intern"))["code"] == "RECORDED"
    await desk.passes(3_700)
    assert (await desk.says("ines", role="intern"))["code"] == "ACCEPTED"


async def test_a_delegation_ends_when_a_deadline_hands_the_question_to_another_role() -> None:
    to_duty = DeadlineStep(at=0.5, do=DeadlineAction.HAND_OVER, to="duty")
    desk = Desk(policy(level("manager", deadlines=(to_duty,))))
    await desk.raises(refund_event())
    await desk.commands("maria", "delegate", to="user:ines")
    await desk.passes(12 * 3_600)
    assert (await desk.says("ines", role="intern"))["code"] == "NOT_AUTHORISED"
    assert (await desk.says("dirk", role="duty"))["code"] == "ACCEPTED"
