"""Approval by several levels: each sees what the one before it signed, and money moves after the last."""

from tests.acceptance.house import POLICIES, House, kill, signatures
from tests.acceptance.people import BORIS, DINA, DORA, ENNO, LENA, MARIA, TESS, VERA

TEN_YEARS_OF_ORDERS = {"captured": {"amount_minor": 9_000_000, "currency": "USD"}, "status": "delivered"}


async def test_150_dollars_ask_one_level_and_1500_two_and_15000_three(house: House) -> None:
    await house.start_worker()
    for exception_id, amount_minor in (("E-150", 15_000), ("E-1500", 150_000), ("E-15000", 1_500_000)):
        await house.raise_exception(exception_id, amount_minor, order=TEN_YEARS_OF_ORDERS)

    one, two, three = [await house.question(name, "manager") for name in ("E-150", "E-1500", "E-15000")]
    assert [question["level"]["of"] for question in (one, two, three)] == [1, 2, 3]
    assert [fired["rule"] for fired in three["why"]] == ["refund-over-100", "ceiling-of-manager", "ceiling-of-director"]

    assert (await house.says(MARIA, "approve", "E-150"))["message"] == "approved: it is being done"
    assert (await house.says(MARIA, "approve", "E-1500"))["message"] == "approved; level director is asked"
    await house.says(DORA, "approve", "E-1500")
    for signer in (MARIA, DORA, VERA):
        assert (await house.says(signer, "approve", "E-15000"))["code"] == "ACCEPTED"

    ended = await house.outcome_of("E-15000")
    assert [level for level, _, _ in signatures(await house.outcome_of("E-150"))] == ["manager"]
    assert [level for level, _, _ in signatures(await house.outcome_of("E-1500"))] == ["manager", "director"]
    assert [level for level, _, _ in signatures(ended)] == ["manager", "director", "vp"]
    assert [house.paid(name) for name in ("E-150", "E-1500", "E-15000")] == [[15_000], [150_000], [1_500_000]]
    await house.check_audit_trail()


async def test_what_the_manager_changed_is_what_the_director_sees_and_signs(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-1", 200_000, order=TEN_YEARS_OF_ORDERS)

    less = {"amount": {"amount_minor": 120_000, "currency": "USD"}, "method": "store_credit"}
    await house.says(MARIA, "modify", "E-1", changes=less)
    shown = await house.question("E-1", "director")
    assert shown["proposal"]["amount"]["amount_minor"] == 120_000
    assert [(one["reviewer"], one["verdict"]) for one in shown["signed_by"]] == [("user:maria", "modify")]
    again = await house.says({**MARIA, "roles": ["manager", "director"]}, "approve", "E-1")
    assert again["code"] == "SAME_REVIEWER"
    assert (await house.says(DORA, "approve", "E-1"))["code"] == "ACCEPTED"

    outcome = await house.outcome_of("E-1")
    assert (outcome["amount"]["amount_minor"], outcome["method"]) == (120_000, "store_credit")
    assert "1200.00 USD" in outcome["customer_message"]
    assert signatures(outcome) == [("manager", "user:maria", "modify"), ("director", "user:dora", "approve")]
    assert house.paid("E-1") == [120_000]


async def test_a_technical_check_comes_before_the_business_decision_and_can_end_the_case(house: House) -> None:
    await house.start_worker(policy_file=str(POLICIES / "two_teams.yaml"))
    for exception_id in ("E-good", "E-bad"):
        await house.raise_exception(exception_id, 15_000)
        assert (await house.question(exception_id, "technical"))["level"]["of"] == 2

    hasty = await house.says(BORIS, "approve", "E-good", approval_id=(await house.approval_of("E-good"))["approval_id"])
    assert hasty["code"] == "NOT_AUTHORISED"
    await house.says(TESS, "approve", "E-good")
    await house.says(BORIS, "approve", "E-good")
    await house.says(TESS, "reject", "E-bad", comment="the return was scanned empty")

    paid, refused = await house.outcome_of("E-good"), await house.outcome_of("E-bad")
    assert signatures(paid) == [("technical", "user:tess", "approve"), ("business", "user:boris", "approve")]
    assert (refused["status"], refused["reason"]) == ("rejected", "the return was scanned empty")
    assert signatures(refused) == [("technical", "user:tess", "reject")]
    assert [house.paid(name) for name in ("E-good", "E-bad")] == [[15_000], []]


async def test_an_agent_deletes_data_after_an_engineer_a_dba_and_legal_signed(house: House) -> None:
    await house.start_worker()
    action = {"name": "delete_data", "args": {"table": "orders_2019"}}
    await house.send(
        "order-exceptions",
        {
            "exception_id": "E-1",
            "kind": "action_request",
            "requested_by": "agent:housekeeping",
            "reason": "older than the law wants them kept",
            "action": action,
        },
    )

    first = await house.question("E-1", "engineer")
    assert (first["level"]["of"], first["risk"], first["proposal"]["actions"]) == (
        3,
        "high",
        [{**action, "id": "0"}],
    )
    for signer in (ENNO, DINA, LENA):
        assert (await house.says(signer, "approve", "E-1"))["code"] == "ACCEPTED"

    outcome = await house.outcome_of("E-1")
    assert (outcome["status"], outcome["amount"]) == ("executed", None)
    assert signatures(outcome) == [
        ("engineer", "user:enno", "approve"),
        ("dba", "user:dina", "approve"),
        ("legal", "user:lena", "approve"),
    ]


async def test_a_worker_killed_between_two_levels_leaves_the_second_to_be_signed(house: House) -> None:
    first = await house.start_worker()
    await house.raise_exception("E-1", 150_000, order=TEN_YEARS_OF_ORDERS)
    await house.says(MARIA, "approve", "E-1")
    await house.question("E-1", "director")
    await kill(first)

    await house.decide("D-dora", exception_id="E-1", reviewer=DORA)
    await house.start_worker()

    assert (await house.receipt_of("D-dora"))["code"] == "ACCEPTED"
    assert signatures(await house.outcome_of("E-1")) == [
        ("manager", "user:maria", "approve"),
        ("director", "user:dora", "approve"),
    ]
    assert house.paid("E-1") == [150_000]
    await house.check_audit_trail()


async def test_people_who_sign_before_they_are_asked_are_heard_when_they_are(house: House) -> None:
    await house.start_worker()
    await house.decide("D-dora", exception_id="E-1", level="director", reviewer=DORA)
    await house.decide("D-maria", exception_id="E-1", level="manager", reviewer=MARIA)
    await house.raise_exception("E-first")
    await house.outcome_of("E-first")

    await house.raise_exception("E-1", 150_000, order=TEN_YEARS_OF_ORDERS)

    assert [(await house.receipt_of(one))["code"] for one in ("D-maria", "D-dora")] == ["ACCEPTED", "ACCEPTED"]
    assert [reviewer for _, reviewer, _ in signatures(await house.outcome_of("E-1"))] == ["user:maria", "user:dora"]
    assert house.paid("E-1") == [150_000]
