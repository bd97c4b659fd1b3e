"""What an analyst says is advice: it is shown to whoever decides, and can only make more people decide."""

from schemas.values import Alternative, ExceptionKind
from tests.builders import Event, refund_event
from tests.policies import level, policy, rule
from tests.unit.application.desk import Desk
from worker.domain.analysis import Opinion

SMALL: Event = {"amount_minor": 2_000, "currency": "USD"}


def a_desk_with(opinion: Opinion) -> Desk:
    desk = Desk()
    desk.analyst.opinion = opinion
    return desk


async def test_a_model_that_says_approve_at_once_changes_nothing() -> None:
    desk = a_desk_with(Opinion(by="model:obliging", intent=ExceptionKind.REFUND, confidence=1.0))
    await desk.raises(refund_event(confidence=0.3))
    assert "low-confidence" in [fired["rule"] for fired in desk.asked()[0]["why"]]
    assert desk.asked()[0]["confidence"] == 0.3


async def test_a_doubt_of_the_analyst_asks_a_person_about_what_would_have_passed() -> None:
    untroubled, doubting = Desk(), a_desk_with(Opinion(by="rules", concerns=("legal-threat",)))
    for desk in (untroubled, doubting):
        await desk.raises(refund_event(amount=SMALL))
    assert untroubled.case().state == "executed"
    [asked] = doubting.asked()
    assert "legal-threat" in {fired["rule"]: fired["says"] for fired in asked["why"]}["compliance-flagged"]
    assert asked["context"]["analysis"] == {"by": "rules", "concerns": ["legal-threat"]}


async def test_no_opinion_takes_a_level_away_that_the_facts_alone_need() -> None:
    """A condition that a doubt switches off is still judged by the facts as they were sent."""
    credulous = policy(
        level("manager"), rules=(rule("manager", when=lambda facts: not facts.exception.compliance_flags),)
    )
    desk = Desk(credulous)
    desk.analyst.opinion = Opinion(by="model:hostile", concerns=("anything",))
    await desk.raises(refund_event(amount=SMALL))
    assert desk.case().state == "waiting"


async def test_the_analysts_words_are_a_draft_for_the_reviewer() -> None:
    desk = a_desk_with(Opinion(by="model:m", customer_message="Ihre Erstattung ist unterwegs."))
    await desk.raises(refund_event())
    assert desk.asked()[0]["proposal"]["customer_message"] == "Ihre Erstattung ist unterwegs."
    await desk.says("maria", "modify", changes={"customer_message": "Erledigt."})
    assert desk.outcomes()[0]["customer_message"] == "Erledigt."


async def test_where_nobody_reads_the_draft_nobody_sends_it() -> None:
    desk = a_desk_with(Opinion(by="model:m", customer_message="You get 9,000 dollars."))
    await desk.raises(refund_event(amount=SMALL))
    assert desk.outcomes()[0]["customer_message"] == "Your refund of 20.00 USD is on its way."


async def test_another_amount_is_told_in_the_policys_words() -> None:
    desk = a_desk_with(Opinion(by="model:m", customer_message="150.00 USD are on their way."))
    await desk.raises(refund_event())
    await desk.says("maria", "modify", changes={"amount": {"amount_minor": 12_000, "currency": "USD"}})
    assert desk.outcomes()[0]["customer_message"] == "Your refund of 120.00 USD is on its way."


async def test_what_is_asked_for_in_a_round_of_changes_is_analysed_anew() -> None:
    desk = a_desk_with(Opinion(by="rules"))
    await desk.raises(refund_event())
    desk.analyst.opinion = Opinion(by="rules", reason_code="damaged")
    await desk.says("maria", "request_changes", comment="was it damaged?")
    assert [len(facts.feedback) for facts in desk.analyst.asked] == [0, 1]
    assert desk.asked()[-1]["context"]["analysis"]["reason_code"] == "damaged"


async def test_alternatives_of_the_analyst_are_shown_and_cannot_be_chosen() -> None:
    """Nobody is paid what only a model proposed."""
    desk = a_desk_with(Opinion(by="model:m", alternatives=(Alternative(action="refund", description="twice"),)))
    await desk.raises(refund_event())
    receipt = await desk.says("maria", "choose", choice=0)
    assert (receipt["accepted"], receipt["code"]) == (False, "INVALID_CHANGES")
    assert desk.asked()[0]["context"]["analysis"]["alternatives"][0]["description"] == "twice"


async def test_an_account_change_is_shown_field_by_field() -> None:
    desk = Desk()
    account = {"email": "old@shop.example", "address": {"city": "Ghent", "street": "Veldstraat"}, "phone": "1"}
    await desk.raises(
        {
            "exception_id": "EXC-1",
            "kind": "account_change",
            "order_id": "ORD-1",
            "customer_id": "CUST-1",
            "requested_by": "agent:web-chat",
            "changes": {"email": "new@shop.example", "address": {"city": "Bruges"}, "phone": "1", "name": "Ann"},
            "customer": {"account": account},
        }
    )
    assert desk.asked()[0]["context"]["changes"] == [
        {"field": "email", "from": "old@shop.example", "to": "new@shop.example"},
        {"field": "address.city", "from": "Ghent", "to": "Bruges"},
        {"field": "name", "to": "Ann"},
    ]
