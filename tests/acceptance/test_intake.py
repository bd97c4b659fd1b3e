"""Whatever is written to a topic: good records end, bad ones are listed with a reason, the partition goes on."""

import asyncio
import json
import random
from collections import Counter

from schemas.values import RejectionReason
from tests.acceptance.house import House, refund
from tests.acceptance.late_door import LateDoor

GOOD, BAD = 40, 1000


def malformed(dice: random.Random) -> tuple[bytes, list[tuple[str, bytes]]]:
    """One of many ways to be no event."""
    good = json.dumps(refund("E-bad", 5_000)).encode()
    wrong = dice.choice(
        [
            b"",
            b"   ",
            b"null",
            b"[]",
            b'"text"',
            b"{",
            good[: dice.randrange(1, len(good) - 1)],
            good + b"}",
            good.replace(b"5000", b"NaN"),
            good.replace(b"5000", b"-1"),
            good.replace(b"5000", b"1e999999"),
            good.replace(b"5000", b"0"),
            good.replace(b"5000", b"50.5"),
            good.replace(b"5000", b"99999999999999999999"),
            good.replace(b"USD", b"usd"),
            good.replace(b"USD", b"EUR", 1),
            good.replace(b"refund", b"reboot"),
            good.replace(b"E-bad", b"E-\\u0000bad"),
            good.replace(b"E-bad", b"E-\\ud800bad"),
            good.replace(b"E-bad", b"\xff\xfe"),
            good.replace(b'"kind"', b'"exception_id"'),
            good.replace(b"90000", b"100"),
            b"[" * 1_000_000,
            b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
            json.dumps({**refund("E-bad", 5_000), "reason": "x" * 400_000}).encode(),
            bytes(dice.randrange(256) for _ in range(200)),
        ]
    )
    headers = dice.choice(
        [
            [],
            [],
            [("traceparent", b"\xff\xfe\xfd")],
            [("content-type", b"\xff")],
        ]
    )
    return wrong, headers


async def test_a_thousand_malformed_records_stop_no_good_one(house: House) -> None:
    await house.start_worker()
    dice = random.Random(11)  # noqa: S311 - the same records in every run
    sent_bad = 0
    for number in range(GOOD):
        await house.raise_exception(f"E-{number}")
        for value, headers in [malformed(dice) for _ in range(BAD // GOOD)]:
            await house.send("order-exceptions", value, headers)
            sent_bad += 1

    for number in range(GOOD):
        assert (await house.outcome_of(f"E-{number}"))["status"] == "executed"
    await house.until(lambda: len(house.events["dead-letters"]) >= sent_bad, "all dead letters")

    assert sent_bad == BAD
    places = {(event["partition"], event["offset"]) for event in house.events["dead-letters"]}
    listed = house.rows('select partition, "offset", reason from dead_letters')
    assert {(row["partition"], row["offset"]) for row in listed} == places
    assert len(places) == BAD
    reasons = Counter(row["reason"] for row in listed)
    assert set(reasons) <= set(RejectionReason)
    assert len(reasons) >= 9


async def test_headers_without_a_value_and_events_of_another_kind_are_refused_by_name(house: House) -> None:
    await house.start_worker()
    event = refund("E-1", 5_000)
    await house.send("order-exceptions", event, [("ce_type", None)])
    unknown = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/t"), ("ce_type", b"no.such.v9")]
    await house.send("order-exceptions", event, unknown)
    assert (await house.outcome_of("E-1"))["status"] == "executed"
    rejected = await house.find("dead-letters", lambda _: True)
    assert rejected["reason"] == "SCHEMA_UNSUPPORTED"


async def test_the_same_exception_again_is_one_case_and_a_changed_one_is_a_conflict(house: House) -> None:
    await house.start_worker()
    for _ in range(3):
        await house.raise_exception("E-1", 15_000)
    await house.approval_of("E-1")

    await house.raise_exception("E-1", 16_000)

    rejected = await house.find("dead-letters", lambda _: True)
    assert rejected["reason"] == "CONFLICTING_DUPLICATE"
    assert len(house.rows("select case_id from cases")) == 1
    assert len([event for event in house.events["approvals"] if "proposal" in event]) == 1


async def test_refunds_of_one_order_never_add_up_to_more_than_was_captured(house: House) -> None:
    await house.start_worker("w1")
    await house.start_worker("w2")
    order = {"captured": {"amount_minor": 20_000, "currency": "USD"}, "status": "delivered"}
    # No two alike, and each of another customer: else the policy asks a person about that.
    amounts = range(9_000, 9_005)
    await asyncio.gather(
        *(house.raise_exception(f"E-{amount}", amount, order_id="ORD-shared", order=order) for amount in amounts)
    )

    await house.until(lambda: len(house.events["order-outcomes"]) >= 2, "two refunds that fit")
    await house.until(lambda: len(house.events["approvals"]) >= 3, "three that ask a person")

    paid = house.rows("select amount_minor from ledger_entries where order_id = 'ORD-shared'")
    assert len(paid) == 2
    assert sum(entry["amount_minor"] for entry in paid) <= 20_000
    asked = house.events["approvals"][0]
    assert "over-remaining" in [rule["rule"] for rule in asked["why"]]


async def test_a_worker_that_starts_before_its_broker_and_database_waits_for_them(house: House) -> None:
    async with LateDoor(house.kafka_port) as kafka, LateDoor(house.database_port) as database:
        before = house.database
        worker = await house.start_worker(
            database_url=before.replace(f":{house.database_port}/", f":{database.port}/"),
            kafka_bootstrap_servers=f"127.0.0.1:{kafka.port}",
        )
        await house.raise_exception("E-1")
        await house.log_says("waiting for PostgreSQL")
        await database.open()
        await house.log_says("waiting for Kafka")
        await kafka.open()

        assert (await house.outcome_of("E-1"))["status"] == "executed"
        assert worker.returncode is None


async def test_a_missing_topic_or_table_is_named(house: House) -> None:
    nobody = await house.start_worker("w1", topic_prefix="nobody-made-these-")
    assert await nobody.wait() == 1
    assert "nobody-made-these-order-exceptions" in house.log_of("w1")
    assert "signoff migrate" in house.log_of("w1")


async def test_a_setting_that_does_not_exist_stops_the_start_with_a_sentence(house: House) -> None:
    worker = await house.start_worker("w1", batsh="200", lease_s="-1")
    assert await worker.wait() == 1
    assert "SIGNOFF_BATSH: no such setting" in house.log_of("w1")
    assert "Traceback" not in house.log_of("w1")


async def test_failpoints_are_refused_outside_tests(house: House) -> None:
    worker = await house.start_worker("w1", failpoints="case.after-commit=1")
    assert await worker.wait() == 1
    assert "SIGNOFF_ALLOW_FAILPOINTS" in house.log_of("w1")


async def test_reading_all_topics_again_from_the_start_changes_nothing(house: House) -> None:
    first = await house.start_worker("w1")
    await house.raise_exception("E-auto")
    await house.raise_exception("E-asked", 15_000)
    await house.approval_of("E-asked")
    await house.decide("D-1", exception_id="E-asked")
    await house.outcome_of("E-auto")
    await house.outcome_of("E-asked")
    first.terminate()
    await first.wait()
    before = house.rows(EVERYTHING)

    await house.start_worker("w2", consumer_group="another-reader")
    await house.raise_exception("E-last", order_id="ORD-other")
    await house.outcome_of("E-last")

    assert [row for row in house.rows(EVERYTHING) if row not in before] == []
    assert len(house.rows("select inbox_id from inbox")) == 4


EVERYTHING = """
select 'case' as what, case_id::text as id, version::text as content from cases where exception_id <> 'E-last'
union all select 'paid', idempotency_key, amount_minor::text from ledger_entries where order_id <> 'ORD-other'
union all select 'event', event_id::text, payload from outbox where payload not like '%E-last%'
union all select 'decision', decision_id, receipt::text from decisions
"""
