"""Levels one after the other: what each sees and signs, and what ends the chain."""

from schemas.values import OnTimeout
from tests.builders import refund_event, usd
from tests.policies import level, over, policy, rule
from tests.unit.application.desk import Desk

MANAGER_THEN_DIRECTOR = policy(level("manager", escalates_to="director"), level("director"))


async def test_the_second_level_is_asked_when_the_first_has_signed_and_money_moves_after_the_last() -> None:
    desk = Desk(MANAGER_THEN_DIRECTOR)
    await desk.raises(refund_event())

    receipt = await desk.says("maria")
    assert (receipt["code"], receipt["message"]) == ("ACCEPTED", "approved; level director is asked")
    assert desk.payments.paid_minor("ORD-1") == 0

    await desk.says("dora")

    assert [(asked["level"]["name"], asked["level"]["number"], asked["level"]["of"]) for asked in desk.asked()] == [
        ("manager", 1, 2),
        ("director", 2, 2),
    ]
    (outcome,) = desk.outcomes()
    assert outcome["status"] == "executed"
    assert [(one["level"], one["reviewer"]) for one in outcome["decided_by"]] == [
        ("manager", "user:maria"),
        ("director", "user:dora"),
    ]


async def test_what_one_level_modified_is_what_the_next_sees_and_signs() -> None:
    desk = Desk(MANAGER_THEN_DIRECTOR)
    await desk.raises(refund_event(amount_minor=15_000))

    await desk.says("maria", "modify", changes={"amount": {"amount_minor": 12_000, "currency": "USD"}})
    shown = desk.asked()[-1]
    await desk.says("dora")

    assert shown["proposal"]["amount"]["amount_minor"] == 12_000
    assert [one["reviewer"] for one in shown["signed_by"]] == ["user:maria"]
    assert desk.outcomes()[0]["amount"]["amount_minor"] == 12_000
    assert "120.00 USD" in desk.outcomes()[0]["customer_message"]


async def test_a_reject_at_any_level_ends_the_case() -> None:
    desk = Desk(MANAGER_THEN_DIRECTOR)
    await desk.raises(refund_event())
    await desk.says("maria")

    await desk.says("dora", "reject", comment="fraud")

    (outcome,) = desk.outcomes()
    assert (outcome["status"], outcome["reason"]) == ("rejected", "fraud")
    assert desk.payments.paid_minor("ORD-1") == 0


async def test_nobody_signs_two_levels_of_a_case_however_they_spell_themselves() -> None:
    desk = Desk(MANAGER_THEN_DIRECTOR)
    await desk.raises(refund_event())
    await desk.says("maria")

    receipt = await desk.says("Maria ")

    assert receipt["code"] == "SAME_REVIEWER"
    assert desk.outcomes() == []


async def test_an_amount_over_a_levels_ceiling_needs_the_level_above_as_well() -> None:
    ladder = policy(
        level("manager", ceiling=usd(10_000), escalates_to="director"),
        level("director", ceiling=usd(14_000), escalates_to="vp"),
        level("vp"),
        rules=(rule("manager"),),
    )
    desk = Desk(ladder)
    await desk.raises(refund_event("EXC-1", amount_minor=9_000))
    await desk.raises(refund_event("EXC-2", amount_minor=12_000))
    await desk.raises(refund_event("EXC-3", amount_minor=15_000))

    assert [asked["level"]["of"] for asked in desk.asked()] == [1, 2, 3]
    assert {fired["rule"] for fired in desk.asked()[-1]["why"]} == {
        "needs-manager",
        "ceiling-of-manager",
        "ceiling-of-director",
    }


async def test_rules_add_up_to_the_chain_in_the_order_of_the_policy() -> None:
    both = policy(
        level("technical"), level("business"), rules=(rule("business"), rule("technical", when=over(usd(10_000))))
    )
    desk = Desk(both)
    await desk.raises(refund_event("EXC-1", amount_minor=9_000))
    await desk.raises(refund_event("EXC-2", amount_minor=15_000))

    assert [asked["level"]["name"] for asked in desk.asked()] == ["business", "technical"]
    await desk.says("theo", exception_id="EXC-2")
    assert desk.asked()[-1]["level"] == {"name": "business", "number": 2, "of": 2}


async def test_a_decision_for_a_level_that_is_not_asked_yet_waits_for_it() -> None:
    desk = Desk(MANAGER_THEN_DIRECTOR)
    await desk.raises(refund_event())
    answers = len(desk.receipts())

    await desk.decides(
        {
            "decision_id": "D-early",
            "exception_id": "EXC-1",
            "level": "director",
            "verdict": "approve",
            "reviewer": {"id": "user:dora", "roles": ["director"]},
        }
    )
    assert len(desk.receipts()) == answers
    await desk.says("maria")
    await desk.passes(60)

    assert [one["reviewer"] for one in desk.outcomes()[0]["decided_by"]] == ["user:maria", "user:dora"]


async def test_an_escalation_asks_the_level_above_in_place_of_this_one() -> None:
    desk = Desk(policy(level("manager", escalates_to="director"), level("director"), rules=(rule("manager"),)))
    await desk.raises(refund_event())

    receipt = await desk.says("maria", "escalate")

    assert receipt["code"] == "ACCEPTED"
    assert desk.asked()[-1]["level"] == {"name": "director", "number": 1, "of": 1}
    assert desk.updates() == ["escalated", "closed"]
    assert (await desk.says("maria", role="director"))["code"] == "SAME_REVIEWER"
    await desk.says("dora")
    assert desk.outcomes()[0]["status"] == "executed"


async def test_an_escalation_to_a_level_that_comes_anyway_leaves_this_one_out() -> None:
    desk = Desk(policy(level("manager", escalates_to="director"), level("legal"), level("director")))
    await desk.raises(refund_event())

    await desk.says("maria", "escalate")
    await desk.says("lena")
    await desk.says("dora")

    assert [asked["level"]["name"] for asked in desk.asked()] == ["manager", "legal", "director"]
    assert desk.outcomes()[0]["status"] == "executed"


async def test_an_escalation_may_name_its_level_and_leads_upwards_only() -> None:
    desk = Desk(policy(level("clerk"), level("manager"), level("director"), level("vp"), rules=(rule("manager"),)))
    await desk.raises(refund_event())

    down = await desk.says("maria", "escalate", escalate_to="clerk")
    assert (down["code"], "choose of director, vp" in down["message"]) == ("VERDICT_NOT_ALLOWED", True)
    assert (await desk.says("maria", "escalate", escalate_to="vp"))["code"] == "ACCEPTED"
    assert desk.asked()[-1]["level"]["name"] == "vp"
    nowhere = await desk.says("vera", "escalate")
    assert (nowhere["code"], nowhere["message"]) == ("VERDICT_NOT_ALLOWED", "escalate: no level stands above vp")


async def test_without_a_name_the_next_level_of_the_policy_is_asked() -> None:
    desk = Desk(policy(level("manager"), level("director"), level("vp"), rules=(rule("manager"),)))
    await desk.raises(refund_event())
    await desk.says("maria", "escalate")
    assert desk.asked()[-1]["level"]["name"] == "director"


async def test_a_level_that_nobody_answers_escalates_and_the_last_one_expires() -> None:
    desk = Desk(
        policy(
            level("manager", escalates_to="director", on_timeout=OnTimeout.ESCALATE),
            level("director"),
            rules=(rule("manager"),),
        )
    )
    await desk.raises(refund_event())
    first = desk.asked()[-1]["approval_id"]

    await desk.passes(86_401)
    assert desk.asked()[-1]["level"]["name"] == "director"
    late = await desk.says("maria", role="manager", approval_id=first, exception_id="EXC-1")
    await desk.passes(86_401)

    assert late["code"] == "EXPIRED"
    assert desk.outcomes()[0]["status"] == "expired"
    assert desk.payments.paid_minor("ORD-1") == 0
