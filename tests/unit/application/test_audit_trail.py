"""Each transition leaves an entry, and the entries of a case are a chain that shows what was altered."""

import pytest

from tests.builders import decision_event, refund_event
from tests.unit.application.desk import Desk
from worker.adapters.memory.payments import Fault


async def a_long_story(desk: Desk) -> None:
    await desk.raises(refund_event())
    await desk.decides(decision_event(reviewer={"id": "user:otto", "roles": []}))
    desk.payments.faults.append(Fault.DECLINED)
    await desk.decides(decision_event())
    await desk.decides(decision_event())
    await desk.withdraws()


async def test_every_step_of_a_case_is_on_record(desk: Desk) -> None:
    await a_long_story(desk)
    assert [(entry.actor, entry.action, entry.to_state) for entry in desk.trail()] == [
        ("agent:web-chat", "opened", "waiting"),
        ("user:otto", "decision refused", "waiting"),
        ("user:maria", "approved", "executing"),
        ("system", "payment declined", "waiting"),
        ("user:maria", "approved", "executing"),
        ("system", "paid", "executed"),
        ("agent:web-chat", "withdrawal came too late", "executed"),
    ]


async def test_the_entries_are_numbered_by_the_cases_version_and_chained(desk: Desk) -> None:
    await a_long_story(desk)
    trail = desk.trail()
    assert [entry.number for entry in trail] == list(range(1, desk.case().version + 1))
    assert [entry.previous_hash for entry in trail] == ["", *(entry.hash for entry in trail[:-1])]
    assert all(entry.hash == entry.computed_hash() for entry in trail)
    assert desk.case().audit_head == trail[-1].hash


@pytest.mark.parametrize("altered", [{"actor": "user:other"}, {"detail": {}}, {"number": 9}, {"to_state": "rejected"}])
async def test_an_entry_that_was_altered_no_longer_fits_its_hash(desk: Desk, altered: dict[str, object]) -> None:
    await desk.raises(refund_event())
    [entry] = desk.trail()
    assert entry.model_copy(update=altered).computed_hash() != entry.hash


async def test_what_the_customer_wrote_is_not_on_record(desk: Desk) -> None:
    await desk.raises(refund_event(reason="canary of the customer"))
    await desk.decides(decision_event("reject", comment="canary of the reviewer"))
    assert not any("canary" in entry.model_dump_json() for entry in desk.trail())
