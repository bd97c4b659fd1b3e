"""Several refunds that stay under a limit are held against their sum."""

from tests.acceptance.house import House, signatures
from tests.acceptance.people import DORA, MARIA

ROOM = {"captured": {"amount_minor": 200_000, "currency": "USD"}, "status": "delivered"}


async def test_refunds_just_under_a_limit_need_who_signs_for_their_sum(house: House) -> None:
    await house.start_worker()

    await house.raise_exception("E-1", 9_500, customer_id="CUST-7", order=ROOM)
    assert (await house.outcome_of("E-1"))["automatic"] is True

    await house.raise_exception("E-2", 9_500, customer_id="CUST-7", order=ROOM)
    second = await house.question("E-2", "manager")
    (why,) = second["why"]
    assert (why["rule"], "190.00 USD" in why["says"]) == ("structuring", True)
    assert second["level"]["of"] == 1
    await house.says(MARIA, "approve", "E-2")
    await house.outcome_of("E-2")

    await house.raise_exception("E-3", 95_000, customer_id="CUST-7", order=ROOM)
    third = await house.question("E-3", "manager")
    assert third["level"]["of"] == 2
    assert third["context"]["customer_in_window"] == [{"amount_minor": 19_000, "currency": "USD"}]
    await house.says(MARIA, "approve", "E-3")
    await house.says(DORA, "approve", "E-3")
    assert [level for level, _, _ in signatures(await house.outcome_of("E-3"))] == ["manager", "director"]

    await house.raise_exception("E-other", 9_500, customer_id="CUST-8", order=ROOM)
    assert (await house.outcome_of("E-other"))["automatic"] is True
    assert [house.paid(name) for name in ("E-1", "E-2", "E-3", "E-other")] == [[9_500], [9_500], [95_000], [9_500]]
