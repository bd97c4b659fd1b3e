"""Days after a refund counted as made the provider says that it came back."""

import pytest

from tests.builders import Event, refund_event
from tests.unit.application.desk import Desk


@pytest.fixture
async def paid() -> Desk:
    """EXC-1 is a refund of 150.00 USD that was made."""
    desk = Desk()
    await desk.raises(refund_event())
    await desk.says("maria")
    assert desk.case().state == "executed"
    return desk


def report(desk: Desk, **fields: object) -> Event:
    case = desk.case()
    return {
        "idempotency_key": case.idempotency_key,
        "payment_reference": case.payment_reference,
        "reason": "the account is closed",
        "provider": "stripe",
        **fields,
    }


def comes_back(desk: Desk) -> str:
    """The provider knows that the payment of EXC-1 failed; the business key of the case that follows."""
    desk.payments.returned.add(desk.case().idempotency_key)
    return f"payment-failed:{desk.case().idempotency_key}"


async def test_a_person_is_asked_whether_to_pay_once_more(paid: Desk) -> None:
    follows = comes_back(paid)
    await paid.reports(report(paid))
    asked = paid.asked()[-1]
    assert (asked["exception_id"], asked["requested_by"]) == (follows, "provider:stripe")
    assert asked["proposal"]["amount"] == {"amount_minor": 15_000, "currency": "USD"}
    assert "execution-failed" in [fired["rule"] for fired in asked["why"]]
    assert paid.case().state == "executed"
    assert paid.trail(follows)[0].detail["follows"] == str(paid.case().case_id)


async def test_what_came_back_can_be_refunded_again_and_no_more(paid: Desk) -> None:
    follows = comes_back(paid)
    await paid.reports(report(paid))
    await paid.says("maria", exception_id=follows)
    assert [outcome["status"] for outcome in paid.outcomes()] == ["executed", "executed"]
    assert paid.database.balances["ORD-1"].refunded_minor == 15_000


async def test_a_failure_that_is_reported_twice_asks_once(paid: Desk) -> None:
    comes_back(paid)
    await paid.reports(report(paid))
    asked = len(paid.asked())
    await paid.reports(report(paid))
    assert len(paid.asked()) == asked
    assert paid.database.balances["ORD-1"].refunded_minor == 0


async def test_a_report_that_the_provider_does_not_confirm_changes_nothing(paid: Desk) -> None:
    await paid.reports(report(paid))
    assert len(paid.database.cases) == 1
    assert paid.database.balances["ORD-1"].refunded_minor == 15_000
    assert "does not say that the payment failed when it is asked" in paid.dead_letters()[-1]["detail"]


@pytest.mark.parametrize(
    "wrong", [{"idempotency_key": "signoff:nobody:1"}, {"payment_reference": "re_other"}, {"idempotency_key": "k"}]
)
async def test_a_report_about_a_payment_that_nobody_made_is_a_dead_letter(paid: Desk, wrong: Event) -> None:
    comes_back(paid)
    await paid.reports(report(paid, **wrong))
    assert len(paid.database.cases) == 1
    assert paid.dead_letters()[-1]["reason"] == "PAYMENT_UNCONFIRMED"


async def test_a_report_waits_for_a_provider_that_does_not_answer(paid: Desk) -> None:
    follows = comes_back(paid)
    paid.payments.blind = True
    await paid.reports(report(paid))
    assert (len(paid.database.cases), paid.dead_letters()) == (1, [])
    paid.payments.blind = False
    await paid.passes(5)
    assert paid.case(follows).state == "waiting"


async def test_a_provider_that_knows_of_no_such_payment_confirms_nothing(paid: Desk) -> None:
    paid.payments.entries.clear()
    await paid.reports(report(paid))
    assert (len(paid.database.cases), paid.dead_letters()[-1]["reason"]) == (1, "PAYMENT_UNCONFIRMED")
