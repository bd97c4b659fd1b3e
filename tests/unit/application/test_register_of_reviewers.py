"""With a register of reviewers: roles, ceilings, validity and delegates are what it says, not what a decision says."""

from datetime import timedelta
from typing import Any

from tests.builders import refund_event, usd
from tests.policies import level, policy
from tests.unit.application.desk import Desk
from worker.adapters.memory.clock import SetClock
from worker.domain.reviewers import Person

POLICY = policy(level("manager"), level("director"))
NOW = SetClock()()


def person(name: str, *roles: str, **fields: Any) -> Person:
    return Person(id=f"user:{name}", roles=roles, **fields)


def away(name: str, *roles: str, delegate: str, **fields: Any) -> Person:
    return person(
        name, *roles, away_from=NOW - timedelta(days=1), away_until=NOW + timedelta(days=7), delegate=f"user:{delegate}"
    )


async def a_desk(*people: Person, requested_by: str = "agent:web-chat") -> Desk:
    desk = Desk(POLICY, register=people)
    await desk.raises(refund_event(requested_by=requested_by))
    return desk


async def test_the_role_comes_from_the_register_and_not_from_the_decision() -> None:
    desk = await a_desk(person("maria", "manager"), person("carl", "clerk"))
    assert (await desk.says("carl", role="manager"))["code"] == "NOT_AUTHORISED"
    assert (await desk.says("nobody", role="manager"))["code"] == "NOT_AUTHORISED"
    assert (await desk.says("maria", role="whatever"))["code"] == "ACCEPTED"


async def test_a_ceiling_must_cover_the_case_for_whoever_agrees_to_it() -> None:
    desk = await a_desk(
        person("maria", "manager", ceiling=usd(10_000)), person("jonas", "manager", ceiling=usd(15_000))
    )
    refused = await desk.says("maria")
    assert (refused["code"], "150.00 USD is over the 100.00 USD" in refused["message"]) == ("NOT_AUTHORISED", True)
    assert (await desk.says("jonas"))["code"] == "ACCEPTED"


async def test_nobody_needs_a_ceiling_to_say_no() -> None:
    desk = await a_desk(person("maria", "manager", ceiling=usd(1)))
    assert (await desk.says("maria", "reject"))["code"] == "ACCEPTED"


async def test_a_reviewer_counts_from_their_first_day_to_their_last() -> None:
    desk = await a_desk(
        person("early", "manager", valid_from=NOW + timedelta(days=1)),
        person("gone", "manager", valid_until=NOW),
    )
    assert (await desk.says("early"))["code"] == "NOT_AUTHORISED"
    assert (await desk.says("gone"))["code"] == "NOT_AUTHORISED"


async def test_a_delegate_decides_while_the_reviewer_is_away() -> None:
    desk = await a_desk(away("maria", "manager", delegate="ines"), person("ines"))
    assert (await desk.says("ines"))["code"] == "ACCEPTED"
    assert desk.case().signatures[0].on_behalf_of == ("user:maria",)


async def test_a_delegate_decides_nothing_once_the_reviewer_is_back() -> None:
    back = person("maria", "manager", away_until=NOW, delegate="user:ines")
    desk = await a_desk(back, person("ines"))
    assert (await desk.says("ines"))["code"] == "NOT_AUTHORISED"


async def test_a_delegate_who_is_away_too_hands_on_and_the_ceiling_is_the_principals() -> None:
    maria = away("maria", "manager", delegate="ines").model_copy(update={"ceiling": usd(15_000)})
    desk = await a_desk(maria, away("ines", delegate="olga"), person("olga", ceiling=usd(1)))
    assert (await desk.says("olga"))["code"] == "ACCEPTED"
    assert desk.case().signatures[0].on_behalf_of == ("user:ines", "user:maria")


async def test_a_requester_does_not_approve_through_a_delegate() -> None:
    desk = await a_desk(away("rick", "manager", delegate="ines"), person("ines"), requested_by="user:rick")
    refused = await desk.says("ines")
    assert (refused["code"], "through a delegate" in refused["message"]) == ("SELF_APPROVAL", True)
    assert desk.outcomes() == []


async def test_nobody_signs_two_levels_through_a_delegate() -> None:
    desk = await a_desk(
        away("maria", "manager", "director", delegate="ines"), person("ines"), person("dora", "director")
    )
    await desk.says("ines")
    assert (await desk.says("maria"))["code"] == "SAME_REVIEWER"
    assert (await desk.says("ines"))["code"] == "SAME_REVIEWER"
    assert (await desk.says("dora"))["code"] == "ACCEPTED"


async def test_a_cycle_of_delegates_gives_nobody_anything() -> None:
    desk = await a_desk(away("ines", delegate="olga"), away("olga", delegate="ines"))
    assert (await desk.says("ines"))["code"] == "NOT_AUTHORISED"


async def test_one_authority_that_is_used_up_leaves_another() -> None:
    """Ines stands in for Rick, who requested it, and for Maria, who did not."""
    desk = await a_desk(
        away("rick", "manager", delegate="ines"),
        away("maria", "manager", delegate="ines"),
        person("ines"),
        requested_by="user:rick",
    )
    assert (await desk.says("ines"))["code"] == "ACCEPTED"
    assert desk.case().signatures[0].on_behalf_of == ("user:maria",)


async def test_a_question_is_handed_only_to_somebody_whom_the_register_knows() -> None:
    desk = await a_desk(person("maria", "manager"), person("ines"))
    assert (await desk.commands("maria", "delegate", to="user:stranger"))["code"] == "NOT_AUTHORISED"
    assert (await desk.commands("maria", "reassign", to="user:ines"))["code"] == "NOT_AUTHORISED"
    assert (await desk.commands("maria", "delegate", to="user:ines"))["code"] == "RECORDED"


async def test_a_delegation_by_command_gives_no_more_than_whoever_delegates_may_sign_for() -> None:
    desk = await a_desk(person("maria", "manager", ceiling=usd(10_000)), person("jonas"), person("kim"))
    await desk.commands("maria", "delegate", to="user:jonas")
    refused = await desk.says("jonas")
    assert (refused["code"], "that user:maria may sign for" in refused["message"]) == ("NOT_AUTHORISED", True)
    await desk.commands("jonas", "delegate", to="user:kim")
    assert (await desk.says("kim"))["code"] == "NOT_AUTHORISED"


async def test_a_delegation_is_worth_what_the_authority_behind_it_is_worth_now() -> None:
    leaves = person("maria", "manager", valid_until=NOW + timedelta(hours=1))
    desk = await a_desk(leaves, person("ines"))
    assert (await desk.commands("maria", "delegate", to="user:ines"))["code"] == "RECORDED"
    desk.clock.advance(2 * 3_600)
    assert (await desk.says("ines"))["code"] == "NOT_AUTHORISED"
