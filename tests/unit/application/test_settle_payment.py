"""Money is about to move: whatever the provider answers, or does not answer, it moves once or a person is told."""

import pytest

from tests.builders import an_order, decision_event, refund_event
from tests.unit.application.desk import Desk
from worker.adapters.memory.payments import Fault, MemoryBooks
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery


@pytest.fixture
async def asked(desk: Desk) -> Desk:
    await desk.raises(refund_event())
    return desk


def key_of(desk: Desk, payment_round: int = 1) -> str:
    return f"signoff:{desk.case().case_id}:{payment_round}"


async def test_a_payment_is_made_once_and_its_reference_goes_into_the_outcome(asked: Desk) -> None:
    await asked.decides(decision_event())
    assert asked.payments.calls == [("pay", key_of(asked))]
    assert asked.outcomes()[0]["payment_reference"] == f"memory-{key_of(asked)}"
    assert asked.case().state == "executed"


async def test_the_intent_is_on_record_before_the_provider_is_called(asked: Desk) -> None:
    seen: list[tuple[str, bool]] = []
    pay = asked.payments.pay

    async def watched(intent: object) -> object:
        seen.append((asked.case().state.value, key_of(asked) in asked.database.intents))
        return await pay(intent)  # type: ignore[arg-type]

    asked.payments.pay = watched  # type: ignore[method-assign,assignment]
    await asked.decides(decision_event())
    assert seen == [("executing", True)]


async def test_a_decline_releases_the_reservation_and_asks_a_person_again(asked: Desk) -> None:
    asked.payments.faults.append(Fault.DECLINED)
    await asked.decides(decision_event())
    asked_again = asked.approvals()[-1]
    assert asked_again["round"] == 2
    assert "execution-failed" in [why["rule"] for why in asked_again["why"]]
    assert "account of the customer is closed" in asked_again["context"]["failure"]
    assert asked.database.balances["ORD-1"].refunded_minor == 0
    assert asked.outcomes() == []


async def test_a_second_round_is_paid_under_its_own_key(asked: Desk) -> None:
    asked.payments.faults.append(Fault.DECLINED)
    await asked.decides(decision_event())
    await asked.decides(decision_event("modify", changes={"method": "store_credit"}))
    assert asked.payments.calls == [("pay", key_of(asked)), ("pay", key_of(asked, 2))]
    assert asked.outcomes()[0]["method"] == "store_credit"
    assert asked.database.balances["ORD-1"].refunded_minor == 15_000


async def test_a_question_is_never_asked_in_the_future(asked: Desk) -> None:
    """However long the database lets whoever looks wait before it answers: the deadline counts from the question."""
    look = asked.store.view

    async def slow(query: CaseQuery) -> CaseView:
        asked.clock.advance(20)
        return await look(query)

    asked.store.view = slow  # type: ignore[method-assign]
    asked.payments.faults.append(Fault.DECLINED)
    await asked.decides(decision_event())
    assert asked.approval().requested_at == asked.clock()


async def test_a_case_that_is_declined_too_often_fails_and_leaves_nothing_reserved(asked: Desk) -> None:
    rounds = asked.ports.patience.execution_attempts + 1
    asked.payments.faults.extend([Fault.DECLINED] * rounds)
    for _ in range(rounds):
        await asked.decides(decision_event())
    assert [receipt["code"] for receipt in asked.receipts()] == ["ACCEPTED"] * rounds
    [outcome] = asked.outcomes()
    assert (outcome["status"], outcome["amount"]) == ("failed", None)
    assert "account of the customer is closed" in outcome["reason"]
    assert asked.database.balances["ORD-1"].refunded_minor == 0
    assert asked.payments.entries == {}


async def test_a_declined_automatic_refund_is_put_before_a_person(desk: Desk) -> None:
    desk.payments.faults.append(Fault.DECLINED)
    await desk.raises(refund_event(amount_minor=5_000))
    assert [why["rule"] for why in desk.approvals()[0]["why"]] == ["execution-failed"]
    await desk.decides(decision_event())
    [outcome] = desk.outcomes()
    assert (outcome["status"], outcome["automatic"]) == ("executed", False)


async def test_a_payment_with_an_unknown_result_is_looked_up_before_it_is_tried_again(asked: Desk) -> None:
    asked.payments.faults.append(Fault.LOST_REQUEST)
    await asked.decides(decision_event())
    assert asked.database.intents[key_of(asked)].intent.state == "unknown"
    assert asked.outcomes() == []
    await asked.passes(60)
    assert [call for call, _ in asked.payments.calls] == ["pay", "look_up", "pay"]
    assert asked.outcomes()[0]["status"] == "executed"


async def test_money_that_moved_without_an_answer_is_found_and_not_moved_again(asked: Desk) -> None:
    asked.payments.faults.append(Fault.LOST_ANSWER)
    await asked.decides(decision_event())
    await asked.passes(60)
    assert [call for call, _ in asked.payments.calls] == ["pay", "look_up"]
    assert asked.outcomes()[0]["status"] == "executed"
    assert asked.payments.paid_minor("ORD-1") == 15_000


async def test_nothing_is_paid_while_the_provider_cannot_say_what_became_of_it(asked: Desk) -> None:
    asked.payments.faults.append(Fault.LOST_ANSWER)
    await asked.decides(decision_event())
    asked.payments.blind = True
    await asked.passes(60)
    await asked.passes(60)
    assert [call for call, _ in asked.payments.calls] == ["pay", "look_up", "look_up"]
    asked.payments.blind = False
    await asked.passes(60)
    assert asked.outcomes()[0]["status"] == "executed"
    assert len(asked.payments.entries) == 1


async def test_each_try_waits_longer_than_the_one_before(asked: Desk) -> None:
    asked.payments.faults.extend([Fault.UNAVAILABLE] * 3)
    await asked.decides(decision_event())
    waits = []
    for _ in range(3):
        row = asked.database.intents[key_of(asked)]
        waits.append((row.available_at - asked.clock()).total_seconds())
        await asked.passes(waits[-1])
    assert waits == [1.0, 2.0, 4.0]
    assert asked.outcomes()[0]["status"] == "executed"


async def test_an_intent_whose_worker_died_is_settled_by_another(asked: Desk) -> None:
    """It may have been paid before the worker died, so the provider is asked first."""

    async def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    asked.casework.settle = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await asked.decides(decision_event())
    del asked.casework.settle
    await asked.passes(31)
    assert [call for call, _ in asked.payments.calls] == ["look_up", "pay"]
    assert asked.outcomes()[0]["status"] == "executed"


async def test_two_workers_that_settle_one_intent_conclude_it_once(asked: Desk) -> None:
    asked.payments.faults.append(Fault.LOST_REQUEST)
    await asked.decides(decision_event())
    intent = asked.database.intents[key_of(asked)].intent
    await asked.settles(intent)
    await asked.settles(intent)
    assert len(asked.outcomes()) == 1
    assert asked.payments.paid_minor("ORD-1") == 15_000


async def test_a_ledger_in_the_store_is_written_by_the_commit_that_decides(asked: Desk) -> None:
    asked.work_with(books=MemoryBooks())
    await asked.decides(decision_event())
    [outcome] = asked.outcomes()
    assert (outcome["status"], outcome["payment_reference"]) == ("executed", f"memory-{key_of(asked)}")
    assert asked.database.ledger[key_of(asked)].intent.amount.amount_minor == 15_000
    assert asked.database.intents == {}
    assert asked.payments.calls == []


async def test_the_payment_that_is_given_back_is_the_one_that_the_shop_knows() -> None:
    desk = Desk()
    desk.orders.orders["ORD-1"] = an_order(payment_reference="pi_true")
    told = {"captured": {"amount_minor": 20_000, "currency": "USD"}, "payment_reference": "pi_of_somebody_else"}
    await desk.raises(refund_event(amount_minor=5_000, order=told))
    [paid] = desk.payments.entries.values()
    assert paid.payment_reference == "pi_true"


async def test_where_the_shop_does_not_know_the_order_the_senders_payment_counts() -> None:
    desk = Desk()
    told = {"captured": {"amount_minor": 20_000, "currency": "USD"}, "payment_reference": "pi_told"}
    await desk.raises(refund_event(amount_minor=5_000, order_id="ORD-new", order=told))
    [paid] = desk.payments.entries.values()
    assert paid.payment_reference == "pi_told"
