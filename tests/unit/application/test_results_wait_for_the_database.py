"""The database goes away between a call and its record: what came of the call is recorded, and nobody calls again."""

import pytest

from tests.builders import decision_event, refund_event
from tests.unit.application.desk import Desk
from worker.adapters.memory.executors import Mishap
from worker.application import reachable
from worker.application.ports.executors import OnUnknown
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork
from worker.domain.exception_case import CaseState


class StoreThatGoesAway:
    """Answers no commit of a unit about an intent until it was asked `times` times; what is asked then is written
    nevertheless if `after` says so, as when the answer of a COMMIT is lost."""

    def __init__(self, desk: Desk, times: int, *, after: bool) -> None:
        self._store, self._left, self._after = desk.store, times, after

    async def view(self, query: CaseQuery) -> CaseView:
        return await self._store.view(query)

    async def commit(self, unit: UnitOfWork) -> Commit:
        is_result = unit.intent is not None and unit.finishes is None
        if not is_result or self._left == 0:
            return await self._store.commit(unit)
        self._left -= 1
        if self._after:
            await self._store.commit(unit)
        raise ConnectionError("the database went away")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachable, "FIRST_PAUSE_S", 0.0)


@pytest.mark.parametrize("after", [False, True], ids=["not written", "answer lost"])
async def test_an_action_that_was_put_off_runs_once(desk: Desk, after: bool) -> None:
    """Deferred says: surely not tried. After this try it is not so any more, and `send_email` may not be repeated."""
    desk.executors.names["send_email"] = OnUnknown.ASK
    desk.executors.mishaps.append(Mishap.UNAVAILABLE)
    await desk.raises(
        {
            "exception_id": "EXC-1",
            "kind": "action_request",
            "requested_by": "agent:web-chat",
            "actions": [{"name": "send_email", "args": {"to": "ann"}}],
        }
    )
    await desk.says("maria")
    desk.work_with(store=StoreThatGoesAway(desk, 2, after=after))
    await desk.passes(60)

    assert desk.case().state is CaseState.EXECUTED
    assert [name for name, _ in desk.executors.calls].count("run") == 2, "put off once, and then run"


@pytest.mark.parametrize("after", [False, True], ids=["not written", "answer lost"])
async def test_a_payment_is_asked_for_once(desk: Desk, after: bool) -> None:
    desk.work_with(store=StoreThatGoesAway(desk, 2, after=after))
    await desk.raises(refund_event())
    await desk.decides(decision_event())

    assert desk.case().state is CaseState.EXECUTED
    assert len(desk.payments.calls) == 1
