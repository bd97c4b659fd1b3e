"""An exception is raised: it is resolved at once, a person is asked, or it is refused with the reason."""

from schemas.values import OrderStatus
from tests.builders import Event, an_order, eur, refund_event, usd
from tests.unit.application.desk import Desk


async def test_a_small_refund_is_paid_without_asking_anybody(desk: Desk) -> None:
    await desk.raises(refund_event(amount_minor=10_000))
    [outcome] = desk.outcomes()
    assert (outcome["status"], outcome["automatic"], outcome["decided_by"]) == ("executed", True, [])
    assert desk.payments.paid_minor("ORD-1") == 10_000
    assert desk.approvals() == []


async def test_a_refund_over_the_limit_asks_a_manager_and_moves_no_money(desk: Desk) -> None:
    await desk.raises(refund_event(amount_minor=10_001))
    [asked] = desk.approvals()
    assert asked["level"]["name"] == "manager"
    assert [why["rule"] for why in asked["why"]] == ["refund-over-100"]
    assert asked["proposal"]["amount"] == {"amount_minor": 10_001, "currency": "USD"}
    assert desk.payments.calls == []
    assert desk.outcomes() == []


async def test_the_reviewer_is_shown_what_the_shop_knows_of_the_order(desk: Desk) -> None:
    await desk.raises(refund_event())
    [asked] = desk.approvals()
    assert asked["context"]["order"]["captured"] == {"amount_minor": 20_000, "currency": "USD"}
    assert asked["context"]["available"] == {"amount_minor": 20_000, "currency": "USD"}


async def test_an_order_that_nobody_knows_is_never_acted_on_automatically(desk: Desk) -> None:
    await desk.raises(refund_event(amount_minor=100, order_id="ORD-9"))
    [asked] = desk.approvals()
    assert "order-unknown" in [why["rule"] for why in asked["why"]]


async def test_approving_for_an_unknown_order_fails_for_want_of_a_payment(desk: Desk) -> None:
    await desk.raises(refund_event(amount_minor=100, order_id="ORD-9"))
    await desk.decides({"decision_id": "d1", "exception_id": "EXC-1", "verdict": "approve", "reviewer": MARIA})
    [outcome] = desk.outcomes()
    assert outcome["status"] == "failed"
    assert "nobody knows the order" in outcome["reason"]
    assert desk.payments.calls == []


async def test_a_snapshot_in_the_event_is_believed_before_the_shop_is_asked(desk: Desk) -> None:
    desk.orders.problem = "must not be asked"
    snapshots: Event = {
        "order": {"captured": {"amount_minor": 9_000, "currency": "USD"}},
        "customer": {"tier": "standard"},
    }
    await desk.raises(refund_event(amount_minor=9_000, **snapshots))
    assert desk.outcomes()[0]["status"] == "executed"


async def test_more_than_was_captured_is_refused_at_once(desk: Desk) -> None:
    await desk.raises(refund_event(amount_minor=20_001))
    [letter] = desk.dead_letters()
    assert letter["reason"] == "OVER_CAPTURED"
    assert "captured" in letter["detail"]
    assert desk.database.cases == {}


async def test_another_currency_than_the_orders_is_refused_at_once(desk: Desk) -> None:
    desk.orders.orders["ORD-1"] = an_order(eur(20_000))
    await desk.raises(refund_event())
    [letter] = desk.dead_letters()
    assert letter["reason"] == "CURRENCY_MISMATCH"
    assert "EUR" in letter["detail"]


async def test_the_same_exception_again_changes_nothing_and_says_nothing(desk: Desk) -> None:
    await desk.raises(refund_event())
    before = (desk.case(), len(desk.database.outbox))
    await desk.raises(refund_event())
    assert (desk.case(), len(desk.database.outbox)) == before


async def test_the_same_id_with_other_content_is_refused_and_the_case_left_alone(desk: Desk) -> None:
    await desk.raises(refund_event())
    before = desk.case()
    await desk.raises(refund_event(amount_minor=16_000))
    [letter] = desk.dead_letters()
    assert letter["reason"] == "CONFLICTING_DUPLICATE"
    assert desk.case() == before


async def test_a_cancellation_gives_back_what_was_paid_whatever_the_event_says(desk: Desk) -> None:
    desk.orders.orders["ORD-1"] = an_order(usd(7_000))
    await desk.raises(refund_event(kind="cancellation", amount={"amount_minor": 50, "currency": "USD"}))
    assert desk.outcomes()[0]["amount"]["amount_minor"] == 7_000


async def test_cancelling_an_order_that_cost_nothing_is_done_without_a_payment(desk: Desk) -> None:
    desk.orders.orders["ORD-1"] = an_order(usd(0))
    await desk.raises(refund_event(kind="cancellation", amount=None))
    assert desk.outcomes()[0]["status"] == "executed"
    assert desk.payments.calls == []


async def test_cancelling_a_shipped_order_asks_a_manager(desk: Desk) -> None:
    desk.orders.orders["ORD-1"] = an_order(usd(7_000), status=OrderStatus.SHIPPED)
    await desk.raises(refund_event(kind="cancellation", amount=None))
    assert [why["rule"] for why in desk.approvals()[0]["why"]] == ["order-already-shipped"]


async def test_an_account_change_is_done_when_it_is_approved_and_pays_nothing(desk: Desk) -> None:
    await desk.raises(refund_event(kind="account_change", amount=None, changes={"email": "new@example.org"}))
    await desk.decides({"decision_id": "d1", "exception_id": "EXC-1", "verdict": "approve", "reviewer": MARIA})
    [outcome] = desk.outcomes()
    assert (outcome["status"], outcome["changes"]) == ("executed", {"email": "new@example.org"})
    assert desk.payments.calls == []


async def test_a_shop_that_does_not_answer_is_asked_again_later(desk: Desk) -> None:
    desk.orders.problem = "the shop is closed"
    await desk.raises(refund_event(amount_minor=5_000))
    assert desk.database.cases == {}
    desk.orders.problem = None
    await desk.passes(2)
    assert desk.outcomes()[0]["status"] == "executed"


async def test_a_shop_that_is_closed_for_a_day_makes_a_dead_letter(desk: Desk) -> None:
    desk.orders.problem = "the shop is closed"
    await desk.raises(refund_event())
    for _ in range(20):
        await desk.passes(60)
    assert desk.dead_letters() == [], "an outage of minutes is no reason to give up"
    await desk.passes(desk.ports.patience.shop.total_seconds())
    [letter] = desk.dead_letters()
    assert letter["reason"] == "PROCESSING_FAILED"
    assert "the shop is closed" in letter["detail"]


async def test_what_is_left_of_an_order_decides_whether_a_second_refund_goes_by_itself(desk: Desk) -> None:
    desk.orders.orders["ORD-1"] = an_order(usd(15_000))
    await desk.raises(refund_event("EXC-1", 9_000))
    await desk.raises(refund_event("EXC-2", 9_000))
    assert desk.outcomes()[0]["status"] == "executed"
    assert "over-remaining" in [why["rule"] for why in desk.approvals()[0]["why"]]
    assert desk.payments.paid_minor("ORD-1") == 9_000


MARIA = {"id": "user:maria", "roles": ["manager"]}
