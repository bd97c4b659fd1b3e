"""The way out for a stuck case: it is put before a person again, and nothing happens before that person answers."""

from typing import Any, NoReturn

import pytest

from tests.builders import decision_event, refund_event
from tests.policies import level, policy, rule
from tests.unit.application.desk import Desk
from worker.adapters.memory.executors import MemoryExecutors, Mishap
from worker.adapters.memory.payments import Fault
from worker.application.ports.executors import OnUnknown
from worker.application.ports.workflow import Finished, PlainData, StuckThread
from worker.application.threads import StoredThread, ThreadWrites
from worker.domain.exception_case import CaseState


class LostItsWay:
    """A release whose graph lacks the step that the thread waits in."""

    async def start(self, thread_id: str, facts: PlainData) -> NoReturn:
        raise StuckThread(thread_id)

    async def resume(self, thread: StoredThread, interrupt_id: str, decision: PlainData) -> NoReturn:
        raise StuckThread(thread.thread_id)


class AsksNobody(LostItsWay):
    async def start(self, thread_id: str, facts: PlainData) -> Finished:  # type: ignore[override]
        return Finished({"proposal": {}}, {}, automatic=True, writes=ThreadWrites())


class Fails(LostItsWay):
    async def start(self, thread_id: str, facts: PlainData) -> NoReturn:
        raise RuntimeError("a defect")


async def is_stuck(desk: Desk, **changes: Any) -> None:
    """EXC-1 was raised and a manager asked; the release that took the answer could not go on, and is gone by now."""
    await desk.raises(refund_event(**changes))
    await loses_its_way(desk)


async def loses_its_way(desk: Desk) -> None:
    workflow = desk.ports.workflow
    desk.work_with(workflow=LostItsWay())
    await desk.says("zoe")
    desk.work_with(workflow=workflow)
    assert desk.case().state == "stuck"


async def test_a_recovered_case_asks_a_person_who_is_told_what_happened(desk: Desk) -> None:
    await is_stuck(desk)
    receipt = await desk.recovers(reason="rolled back")
    assert (receipt["code"], receipt["accepted"], receipt["case_id"]) == ("RECORDED", True, str(desk.case().case_id))
    assert "manager is asked" in receipt["message"]
    case, question = desk.case(), desk.asked()[-1]
    assert (case.state, case.round, case.reason) == ("waiting", 2, "")
    assert question["round"] == 2
    assert "execution-failed" in [rule["rule"] for rule in question["why"]]
    told = question["context"]["failure"]
    assert told.startswith("its course could not go on: thread ")
    assert told.endswith("; recovered by user:ines (rolled back)")


async def test_a_recovered_case_executes_after_a_new_approval_and_not_before(desk: Desk) -> None:
    await is_stuck(desk)
    await desk.recovers()
    assert (desk.payments.calls, desk.outcomes()) == ([], [])
    assert (await desk.says("maria"))["code"] == "ACCEPTED"
    (outcome,) = desk.outcomes()
    assert outcome["status"] == "executed"
    assert [key for _, key in desk.payments.calls] == [f"signoff:{desk.case().case_id}:2"]


async def test_a_recovered_case_that_needed_nobody_at_first_needs_somebody_now(desk: Desk) -> None:
    workflow = desk.ports.workflow
    desk.work_with(workflow=LostItsWay())
    await desk.raises(refund_event(amount_minor=100))
    desk.work_with(workflow=workflow)
    assert desk.case().state == "stuck"
    await desk.recovers()
    assert (desk.case().state, desk.case().automatic, desk.payments.calls) == ("waiting", False, [])
    assert (await desk.says("maria"))["accepted"]
    assert desk.case().state == "executed"


async def test_all_levels_sign_again_after_a_recovery() -> None:
    desk = Desk(policy(level("manager"), level("director"), rules=(rule("manager", "director"),)))
    await desk.raises(refund_event())
    await desk.says("maria")
    await loses_its_way(desk)
    await desk.recovers()
    assert desk.approval().role == "manager"
    await desk.says("maria")
    assert (desk.approval().role, desk.payments.calls) == ("director", [])
    await desk.says("dora")
    assert desk.case().state == "executed"


async def test_the_question_of_a_parked_case_is_closed_and_screens_are_told(desk: Desk) -> None:
    await is_stuck(desk)
    assert desk.approval().closed_as == "outdated"
    assert desk.updates() == ["closed"]
    versions = desk.case().version
    await desk.passes(86_400)
    assert await desk.inbox.due_approvals(100) == []
    assert desk.case().version == versions


async def test_a_question_that_a_former_release_left_open_is_closed_by_the_recovery(desk: Desk) -> None:
    await desk.raises(refund_event())
    leave_open_as_a_former_release_did(desk)
    await desk.recovers()
    assert desk.updates() == ["closed"]
    first, second = desk.database.approvals_of(desk.case().case_id)
    assert (first.approval.closed_as, first.approval.closed_by) == ("outdated", "user:ines")
    assert second.is_open


async def test_a_question_that_a_former_release_left_open_comes_up_once(desk: Desk) -> None:
    await desk.raises(refund_event())
    leave_open_as_a_former_release_did(desk)
    await desk.passes(86_400)
    assert (desk.approval().closed_as, desk.case().state, desk.updates()) == ("outdated", "stuck", ["closed"])
    await desk.passes(86_400)
    assert desk.updates() == ["closed"]


def leave_open_as_a_former_release_did(desk: Desk) -> None:
    desk.database.keep_case(desk.case().model_copy(update={"state": CaseState.STUCK, "reason": "the thread ended"}))


async def test_whoever_answers_the_old_question_is_told_that_it_is_closed(desk: Desk) -> None:
    await is_stuck(desk)
    old = str(desk.approval().approval_id)
    await desk.decides(decision_event(exception_id=None, approval_id=old))
    assert desk.receipt()["code"] == "STALE"
    await desk.recovers()
    await desk.decides(decision_event(exception_id=None, approval_id=old))
    assert desk.receipt()["code"] == "ALREADY_DECIDED"
    assert (desk.case().state, desk.payments.calls) == ("waiting", [])


async def test_a_decision_about_what_was_shown_before_the_recovery_is_stale(desk: Desk) -> None:
    await desk.raises(refund_event())
    seal = desk.approval().review_hash
    await loses_its_way(desk)
    await desk.recovers()
    assert (await desk.says("maria", review_hash=seal))["code"] == "STALE"
    assert desk.payments.calls == []


async def test_the_trail_says_who_recovered_the_case_and_none_of_their_words(desk: Desk) -> None:
    await is_stuck(desk)
    await desk.recovers(by="user:ines", reason="a canary sang")
    entry = desk.trail()[-1]
    assert (entry.actor, entry.action) == ("user:ines", "recovered")
    assert (entry.from_state, entry.to_state) == ("stuck", "waiting")
    assert "canary" not in entry.model_dump_json()


async def test_a_case_that_is_not_stuck_is_left_as_it_is(desk: Desk) -> None:
    await desk.raises(refund_event())
    before = desk.case()
    receipt = await desk.recovers()
    assert (receipt["code"], receipt["accepted"]) == ("STALE", False)
    assert "waiting, not stuck" in receipt["message"]
    assert desk.case() == before
    await desk.says("maria")
    assert "executed, not stuck" in (await desk.recovers())["message"]
    assert len(desk.outcomes()) == 1


async def test_a_second_recovery_changes_nothing(desk: Desk) -> None:
    await is_stuck(desk)
    await desk.recovers()
    before = desk.case()
    assert (await desk.recovers())["code"] == "STALE"
    assert desk.case() == before


async def test_a_case_that_nobody_knows_is_not_recovered(desk: Desk) -> None:
    receipt = await desk.recovers("EXC-404")
    assert (receipt["code"], receipt["accepted"], receipt["case_id"]) == ("UNKNOWN_APPROVAL", False, None)


@pytest.mark.parametrize("workflow", [LostItsWay(), AsksNobody()])
async def test_a_run_that_asks_nobody_leaves_the_case_parked(desk: Desk, workflow: LostItsWay) -> None:
    await is_stuck(desk)
    desk.work_with(workflow=workflow)
    receipt = await desk.recovers()
    assert receipt["code"] == "STALE"
    assert "still stuck" in receipt["message"]
    assert desk.case().state == "stuck"
    assert desk.trail()[-1].action == "recovery failed"
    assert desk.outcomes() == []


async def test_a_recovery_that_always_fails_is_a_dead_letter_and_whoever_asked_is_told(desk: Desk) -> None:
    await is_stuck(desk)
    answered = len(desk.receipts())
    desk.work_with(workflow=Fails())
    await desk.recovers()
    for _ in range(desk.ports.patience.attempts):
        await desk.passes(60)
    assert [receipt["code"] for receipt in desk.receipts()[answered:]] == ["STALE"]
    assert "until an operator replays it" in desk.receipt()["message"]
    assert [letter["reason"] for letter in desk.dead_letters()] == ["PROCESSING_FAILED"]
    assert desk.case().state == "stuck"


async def test_a_declined_payment_that_parked_its_case_is_settled_and_paid_under_a_new_key(desk: Desk) -> None:
    await desk.raises(refund_event())
    desk.payments.faults.append(Fault.LOST_REQUEST)
    await desk.decides(decision_event())
    workflow = desk.ports.workflow
    desk.work_with(workflow=LostItsWay())
    desk.payments.faults.append(Fault.DECLINED)
    await desk.passes(60)
    desk.work_with(workflow=workflow)
    assert desk.case().state == "stuck"
    assert all(row.is_finished for row in desk.database.intents.values())
    await desk.recovers()
    assert "; its course could not go on" in desk.asked()[-1]["context"]["failure"]
    await desk.passes(3_600)
    assert [call for call, _ in desk.payments.calls] == ["pay", "look_up", "pay"]
    await desk.says("maria")
    assert desk.case().state == "executed"
    assert desk.database.balances["ORD-1"].refunded_minor == 15_000


async def test_only_the_actions_that_came_to_nothing_are_asked_about_after_a_recovery(desk: Desk) -> None:
    desk.work_with(executors=MemoryExecutors({"send_email": OnUnknown.ASK}))
    executors = desk.ports.executors
    assert isinstance(executors, MemoryExecutors)
    mails = [{"id": to, "name": "send_email", "args": {"to": to}} for to in ("ann", "bob")]
    request = {"exception_id": "EXC-1", "kind": "action_request", "requested_by": "agent:mailer", "actions": mails}
    await desk.raises(request)
    executors.mishaps.append(Mishap.UNAVAILABLE)
    await desk.says("maria")
    workflow = desk.ports.workflow
    desk.work_with(workflow=LostItsWay())
    executors.mishaps.append(Mishap.LOST_REQUEST)
    await desk.passes(60)
    desk.work_with(workflow=workflow)
    assert desk.case().state == "stuck"
    assert all(row.is_finished for row in desk.database.intents.values())
    ran = {action.id for action in executors.effects.values()}
    await desk.recovers()
    question = desk.asked()[-1]
    left = [action["id"] for action in question["proposal"]["actions"]]
    assert (ran, left) == ({"bob"}, ["ann"])
    assert "may have run" in question["context"]["failure"]
    await desk.says("maria")
    assert desk.case().state == "executed"
    assert sorted(str(action.id) for action in executors.effects.values()) == ["ann", "bob"]
