"""One reviewer at a time: approve or reject, edit, send back, choose, and a pile of decisions at once."""

from tests.acceptance.house import POLICIES, Event, House, signatures
from tests.acceptance.people import DORA, JONAS, MARIA


def usd(amount_minor: int) -> Event:
    return {"amount_minor": amount_minor, "currency": "USD"}


async def test_what_a_manager_approves_is_paid_and_what_she_rejects_is_not(house: House) -> None:
    await house.start_worker()
    for exception_id in ("E-broken", "E-worn"):
        await house.raise_exception(exception_id, 15_000)
        question = await house.question(exception_id, "manager")
        assert question["why"] == [{"rule": "refund-over-100", "says": "refund of 150.00 USD is over 100.00 USD"}]

    assert (await house.says(MARIA, "approve", "E-broken"))["code"] == "ACCEPTED"
    assert (await house.says(MARIA, "reject", "E-worn", comment="worn for a year"))["code"] == "ACCEPTED"

    broken, worn = await house.outcome_of("E-broken"), await house.outcome_of("E-worn")
    assert (broken["status"], broken["automatic"], broken["amount"]) == ("executed", False, usd(15_000))
    assert signatures(broken) == [("manager", "user:maria", "approve")]
    assert (worn["status"], worn["reason"], worn["amount"]) == ("rejected", "worn for a year", None)
    assert [house.paid(exception_id) for exception_id in ("E-broken", "E-worn")] == [[15_000], []]
    assert (await house.says(JONAS, "approve", "E-worn"))["decided_by"] == "user:maria"
    await house.check_audit_trail()


async def test_the_amount_and_the_words_that_a_reviewer_edited_are_those_of_the_outcome(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    words = "Liebe Frau Öztürk,\n120 dollars are on their way.\tKeep the mug! ☕\n— Maria"

    await house.question("E-1", "manager")
    more = await house.says(MARIA, "modify", "E-1", changes={"amount": usd(15_001)})
    assert (more["code"], "not above 150.00 USD" in more["message"]) == ("INVALID_CHANGES", True)
    await house.says(MARIA, "modify", "E-1", changes={"amount": usd(12_000), "customer_message": words})

    outcome = await house.outcome_of("E-1")
    assert (outcome["amount"], outcome["customer_message"]) == (usd(12_000), words)
    assert signatures(outcome) == [("manager", "user:maria", "modify")]
    assert house.paid("E-1") == [12_000]


async def test_a_case_goes_back_five_times_and_the_sixth_time_must_be_decided(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-1", 15_000)
    for number in range(1, 6):
        question = await house.question("E-1", "manager", round=number)
        assert "request_changes" in question["allowed_verdicts"]
        sent_back = await house.says(MARIA, "request_changes", "E-1", comment=f"photo {number} is blurred")
        assert sent_back["message"] == "changes requested: it is analysed anew; level manager is asked"

    last = await house.question("E-1", "manager", round=6)
    assert [entry["comment"] for entry in last["context"]["history"]] == [
        f"photo {number} is blurred" for number in range(1, 6)
    ]
    assert "request_changes" not in last["allowed_verdicts"]
    assert (await house.says(MARIA, "request_changes", "E-1", comment="again"))["code"] == "VERDICT_NOT_ALLOWED"
    assert (await house.says(MARIA, "approve", "E-1"))["code"] == "ACCEPTED"
    assert (await house.outcome_of("E-1"))["status"] == "executed"
    assert house.paid("E-1") == [15_000]
    await house.check_audit_trail()


async def test_the_details_are_confirmed_first_and_then_the_method_is_chosen(house: House) -> None:
    await house.start_worker(policy_file=str(POLICIES / "two_steps.yaml"))
    await house.raise_exception("E-1", 15_000)

    await house.question("E-1", "manager", part="details")
    early = await house.says(MARIA, "choose", "E-1", choice="store_credit")
    assert early["code"] == "VERDICT_NOT_ALLOWED"
    await house.says(MARIA, "modify", "E-1", changes={"amount": usd(12_000)})
    method = await house.question("E-1", "manager", part="method")
    assert (method["level"], method["proposal"]["amount"]) == ({"name": "manager", "number": 1, "of": 1}, usd(12_000))
    await house.says(MARIA, "choose", "E-1", choice="store_credit")

    outcome = await house.outcome_of("E-1")
    assert (outcome["amount"], outcome["method"]) == (usd(12_000), "store_credit")
    assert signatures(outcome) == [("manager", "user:maria", "modify"), ("manager", "user:maria", "choose")]
    assert house.paid("E-1") == [12_000]


async def test_a_manager_chooses_what_else_was_offered_and_passes_on_what_is_not_hers(house: House) -> None:
    await house.start_worker()
    offers = [{"action": "replacement"}, {"action": "refund", "method": "store_credit", "amount": usd(11_000)}]
    await house.raise_exception("E-1", 15_000, alternatives=offers)
    await house.raise_exception("E-2", 15_000)
    await house.question("E-1", "manager")
    await house.question("E-2", "manager")

    nothing = await house.says(MARIA, "choose", "E-1", choice=2)
    assert (nothing["code"], "there are 2 alternatives" in nothing["message"]) == ("INVALID_CHANGES", True)
    assert (await house.says(MARIA, "choose", "E-1", choice=1))["code"] == "ACCEPTED"
    passed_on = await house.says(MARIA, "escalate", "E-2", comment="my cousin works there")
    assert passed_on["message"] == "escalated; level director is asked"
    assert (await house.update_of("E-2", "escalated"))["by"] == "user:maria"
    assert (await house.question("E-2", "director"))["level"] == {"name": "director", "number": 1, "of": 1}
    await house.says(DORA, "approve", "E-2")

    chosen, escalated = await house.outcome_of("E-1"), await house.outcome_of("E-2")
    assert (chosen["amount"], chosen["method"]) == (usd(11_000), "store_credit")
    assert signatures(chosen) == [("manager", "user:maria", "choose")]
    assert signatures(escalated)[-1] == ("director", "user:dora", "approve")
    assert (house.paid("E-1"), house.paid("E-2")) == ([11_000], [15_000])


async def test_of_twenty_decisions_in_one_record_three_are_refused_and_seventeen_are_done(house: House) -> None:
    await house.start_worker()
    names = [f"E-{number}" for number in range(20)]
    for name in names:
        await house.raise_exception(name, 15_000)
    for name in names:
        await house.question(name, "manager")
    batch = {
        name: {"decision_id": f"D-{name}", "exception_id": name, "verdict": "approve", "reviewer": MARIA}
        for name in names
    }
    batch["E-3"]["reviewer"] = {"id": "user:carl", "roles": ["clerk"]}
    batch["E-7"] |= {"verdict": "modify", "changes": {"amount": usd(99_000)}}
    batch["E-12"]["verdict"] = "perhaps"
    refused = {"E-3": "NOT_AUTHORISED", "E-7": "INVALID_CHANGES", "E-12": "INVALID"}

    await house.send("review-decisions", {"decisions": list(batch.values())})

    codes = {name: (await house.receipt_of(f"D-{name}"))["code"] for name in names}
    assert codes == dict.fromkeys(names, "ACCEPTED") | refused
    for name in names:
        if name not in refused:
            assert (await house.outcome_of(name))["status"] == "executed"
    assert [name for name in names if house.paid(name) == []] == list(refused)
    for name in refused:
        assert (await house.says(JONAS, "reject", name))["code"] == "ACCEPTED"
    assert len(house.rows("select * from ledger_entries")) == 17
