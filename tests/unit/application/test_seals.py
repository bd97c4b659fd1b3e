"""Decisions are about what was shown: a seal that differs is refused, and a changed order is asked about anew."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import rfc8785

from schemas.values import OrderStatus
from tests.builders import an_order, decision_event, eur, refund_event, usd
from tests.policies import level, policy
from tests.unit.application.desk import Desk
from worker.domain.approval import SHOWN

ONE_LEVEL = policy(level("manager"))


async def test_anybody_can_compute_the_seal_from_the_published_event() -> None:
    desk = Desk(policy(level("manager"), level("director")))
    await desk.raises(refund_event(alternatives=[{"action": "refund", "method": "store_credit"}], reason="cassée 🫖"))
    await desk.says("maria")
    for event in desk.asked():
        shown = {name: event[name] for name in SHOWN}
        assert hashlib.sha256(rfc8785.dumps(shown)).hexdigest() == event["review_hash"]


async def test_a_number_that_no_javascript_can_hold_is_sealed_all_the_same() -> None:
    desk = Desk(ONE_LEVEL)
    huge = {"name": "buy_stock", "args": {"shares": 2**60}}
    await desk.raises({"exception_id": "EXC-1", "kind": "action_request", "requested_by": "agent:x", "action": huge})
    shown = {name: desk.asked()[0][name] for name in SHOWN}
    as_javascript_reads_it = json.loads(json.dumps(shown), parse_int=lambda digits: _double(int(digits)))
    assert hashlib.sha256(rfc8785.dumps(as_javascript_reads_it)).hexdigest() == desk.asked()[0]["review_hash"]


def _double(number: int) -> int | float:
    return number if abs(number) < 2**53 else float(number)


async def test_a_policy_may_want_the_seal() -> None:
    desk = Desk(replace(ONE_LEVEL, requires_hash=True))
    await desk.raises(refund_event())
    without = await desk.says("maria")
    assert (without["code"], "needs the hash" in without["message"]) == ("STALE", True)
    assert (await desk.says("maria", review_hash=desk.asked()[0]["review_hash"]))["code"] == "ACCEPTED"


async def test_a_level_that_changed_the_proposal_makes_older_screens_stale() -> None:
    desk = Desk(policy(level("manager"), level("director")))
    await desk.raises(refund_event())
    seen_at_first = desk.asked()[0]["review_hash"]
    await desk.says("maria", "modify", changes={"method": "store_credit"})
    assert (await desk.says("dora", review_hash=seen_at_first))["code"] == "STALE"


async def test_an_order_that_was_cancelled_meanwhile_is_asked_about_anew() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event())
    desk.orders.orders["ORD-1"] = an_order(status=OrderStatus.CANCELLED)

    stale = await desk.says("maria")

    assert (stale["code"], "it was cancelled meanwhile" in stale["message"]) == ("STALE", True)
    assert desk.outcomes() == []
    asked = desk.asked()[-1]
    assert (asked["round"], asked["context"]["difference"]) == (2, "it was cancelled meanwhile")
    assert asked["context"]["order"]["status"] == "cancelled"
    assert (await desk.says("maria"))["code"] == "ACCEPTED"
    assert desk.outcomes()[0]["status"] == "executed"


async def test_an_order_of_which_less_was_paid_than_shown_is_asked_about_anew() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event())
    desk.orders.orders["ORD-1"] = an_order(captured=usd(16_000))
    await desk.says("maria")
    assert desk.asked()[-1]["context"]["difference"] == "160.00 USD was paid, not 200.00 USD"
    assert desk.asked()[-1]["context"]["available"]["amount_minor"] == 16_000


async def test_an_order_in_another_currency_than_shown_is_asked_about_anew() -> None:
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event())
    desk.orders.orders["ORD-1"] = an_order(captured=eur(20_000))
    await desk.says("maria")
    assert desk.asked()[-1]["context"]["difference"] == "it was paid in EUR, not in USD"
    assert desk.payments.paid_minor("ORD-1") == 0


async def test_the_order_is_looked_at_only_before_money_moves() -> None:
    desk = Desk(policy(level("manager"), level("director")))
    await desk.raises(refund_event())
    desk.orders.orders["ORD-1"] = an_order(status=OrderStatus.CANCELLED)
    assert (await desk.says("maria"))["code"] == "ACCEPTED"
    assert (await desk.says("dora"))["code"] == "STALE"
    assert (await desk.says("maria", "reject"))["code"] == "ACCEPTED"


async def test_an_order_that_only_the_sender_described_stays_as_they_did() -> None:
    desk = Desk(ONE_LEVEL)
    snapshot = {"captured": {"amount_minor": 20_000, "currency": "USD"}, "status": "delivered"}
    await desk.raises(refund_event(order_id="ORD-unknown", order=snapshot))
    assert (await desk.says("maria"))["code"] == "ACCEPTED"


async def test_a_shop_that_cannot_be_asked_for_a_day_moves_no_money_and_whoever_decided_is_told() -> None:
    desk = Desk(policy(level("manager", due_in=timedelta(days=7))))
    await desk.raises(refund_event())
    desk.orders.problem = "the shop is closed"
    await desk.decides(decision_event(decision_id="D-1"))
    assert desk.receipts() == []

    await desk.passes(86_401)
    await desk.passes(60)

    assert (desk.receipt()["decision_id"], desk.receipt()["code"]) == ("D-1", "STALE")
    assert desk.dead_letters()[-1]["reason"] == "PROCESSING_FAILED"
    assert desk.case().state == "waiting"
    desk.orders.problem = None
    assert (await desk.says("maria"))["code"] == "ACCEPTED"


async def test_refunds_never_add_up_to_more_than_what_turns_out_to_be_paid() -> None:
    """50.00 of 200.00 went back; then the shop says that only 160.00 was paid."""
    desk = Desk(ONE_LEVEL)
    await desk.raises(refund_event("EXC-1", amount_minor=5_000))
    await desk.says("maria")
    await desk.raises(refund_event("EXC-2", amount_minor=15_000))
    desk.orders.orders["ORD-1"] = an_order(captured=usd(16_000))
    await desk.says("maria", exception_id="EXC-2")

    assert desk.asked()[-1]["context"]["available"]["amount_minor"] == 11_000
    assert (await desk.says("maria", exception_id="EXC-2"))["code"] == "STALE"
    less = {"amount": usd(11_000).model_dump()}
    assert (await desk.says("maria", "modify", exception_id="EXC-2", changes=less))["code"] == "ACCEPTED"
    assert desk.payments.paid_minor("ORD-1") == 16_000
