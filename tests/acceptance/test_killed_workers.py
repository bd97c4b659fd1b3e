"""The worker is killed with -9 wherever it hurts: one outcome each, and money once."""

import asyncio

import pytest

from tests.acceptance.house import House, died, kill
from worker.application import failpoints


def assert_paid_once(house: House, exception_id: str, amount_minor: int) -> None:
    paid = house.rows("select amount_minor from ledger_entries where order_id = %s", f"ORD-{exception_id}")
    assert [entry["amount_minor"] for entry in paid] == [amount_minor]
    balance = house.rows("select refunded_minor from order_balances where order_id = %s", f"ORD-{exception_id}")
    assert balance == [{"refunded_minor": amount_minor}]


def assert_one_outcome(house: House, exception_id: str) -> None:
    """A redelivery is allowed; it has the same CloudEvents id and the same content."""
    outcomes = [event for event in house.events["order-outcomes"] if event["exception_id"] == exception_id]
    assert outcomes
    assert all(event == outcomes[0] for event in outcomes)


def apart(house: House, failpoint: str) -> dict[str, str]:
    """Something can come between a decision and its payment only where the ledger has a transaction of its own."""
    return {"ledger_url": house.database} if failpoint.startswith("payment.") else {}


async def test_a_worker_killed_between_approval_and_decision_leaves_the_case_waiting(house: House) -> None:
    first = await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    approval = await house.approval_of("E-1")
    await kill(first)
    await house.decide("D-1", approval_id=approval["approval_id"])

    await house.start_worker()

    assert (await house.receipt_of("D-1"))["code"] == "ACCEPTED"
    assert (await house.outcome_of("E-1"))["status"] == "executed"
    assert_paid_once(house, "E-1", 15_000)


@pytest.mark.parametrize("failpoint", sorted(name for name in failpoints.NAMES if not name.startswith("action.")))
async def test_a_worker_killed_at_a_failpoint_pays_once_and_says_so_once(house: House, failpoint: str) -> None:
    doomed = await house.start_doomed_worker(failpoint, **apart(house, failpoint))
    await house.raise_exception("E-1", 5_000)
    await died(doomed)

    await house.start_worker(**apart(house, failpoint))

    outcome = await house.outcome_of("E-1")
    assert (outcome["status"], outcome["automatic"]) == ("executed", True)
    await house.raise_exception("E-2", 5_000)
    await house.outcome_of("E-2")
    assert_one_outcome(house, "E-1")
    assert_paid_once(house, "E-1", 5_000)


@pytest.mark.parametrize("failpoint", ["case.after-commit", "payment.before-call", "payment.after-call"])
async def test_a_worker_killed_after_an_approval_executes_what_was_approved(house: House, failpoint: str) -> None:
    first = await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    approval = await house.approval_of("E-1")
    await kill(first)
    doomed = await house.start_doomed_worker(failpoint, **apart(house, failpoint))
    changes = {"amount": {"amount_minor": 12_000, "currency": "USD"}}
    await house.decide("D-1", "modify", approval_id=approval["approval_id"], changes=changes)
    await died(doomed)

    await house.start_worker(**apart(house, failpoint))

    outcome = await house.outcome_of("E-1")
    assert (outcome["status"], outcome["amount"]["amount_minor"]) == ("executed", 12_000)
    assert (await house.receipt_of("D-1"))["code"] == "ACCEPTED"
    assert_one_outcome(house, "E-1")
    assert_paid_once(house, "E-1", 12_000)


async def test_two_workers_share_a_topic_and_one_is_killed_and_nothing_is_lost(house: House) -> None:
    doomed = await house.start_worker("w1")
    await house.start_worker("w2")
    exceptions = [f"E-{number}" for number in range(60)]
    for exception_id in exceptions[:30]:
        await house.raise_exception(exception_id)
    await house.until(lambda: len(house.events["order-outcomes"]) >= 5, "the first outcomes")
    await asyncio.gather(*(house.raise_exception(exception_id) for exception_id in exceptions[30:]))
    await kill(doomed)

    for exception_id in exceptions:
        await house.outcome_of(exception_id)

    for exception_id in exceptions:
        assert_one_outcome(house, exception_id)
        assert_paid_once(house, exception_id, 5_000)


async def test_a_worker_that_is_asked_to_stop_finishes_what_it_holds(house: House) -> None:
    worker = await house.start_worker()
    await house.raise_exception("E-1")
    await house.outcome_of("E-1")
    worker.terminate()
    async with asyncio.timeout(20):
        assert await worker.wait() == 0
    assert house.rows("select inbox_id from inbox where finished_at is null") == []
