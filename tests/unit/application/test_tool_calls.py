"""Actions that want a signature: who runs them, what an edit may do, and what is known when something goes wrong."""

import json
from typing import Any

import pytest

from tests.builders import Event
from tests.policies import level, policy, rule
from tests.unit.application.desk import Desk
from worker.adapters.memory.executors import Mishap
from worker.application.ports.executors import OnUnknown
from worker.application.ports.store import CaseView
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork
from worker.domain.approval_policy import ActionTerms
from worker.domain.order_exception import Facts

MAIL: Event = {"name": "send_email", "args": {"to": "ann"}}
NOTE: Event = {"name": "add_note", "args": {"to": "file"}}
STOCK: Event = {"name": "buy_stock", "args": {"symbol": "ACME"}}


def requested(*actions: Event, **fields: Any) -> Event:
    return {
        "exception_id": "EXC-1",
        "kind": "action_request",
        "requested_by": "agent:desk",
        "actions": list(actions),
        **fields,
    }


@pytest.fixture
def desk() -> Desk:
    """`send_email` and `add_note` are run here, `buy_stock` by the agent."""
    desk = Desk()
    desk.executors.names |= {"send_email": OnUnknown.ASK, "add_note": OnUnknown.LOOK_UP}
    return desk


def statuses(desk: Desk) -> list[tuple[str, str]]:
    [outcome] = desk.outcomes()
    return [(result["name"], result["status"]) for result in outcome["results"]]


def reasons(desk: Desk) -> dict[str, str]:
    """Of the latest question, by rule."""
    return {fired["rule"]: fired["says"] for fired in desk.asked()[-1]["why"]}


def ran(desk: Desk) -> list[str]:
    return [action.name for action in desk.executors.effects.values()]


async def test_nothing_runs_before_it_is_signed(desk: Desk) -> None:
    await desk.raises(requested(MAIL))
    assert (desk.executors.calls, desk.case().state) == ([], "waiting")
    await desk.says("maria")
    assert ran(desk) == ["send_email"]
    [outcome] = desk.outcomes()
    key = f"signoff:{desk.case().case_id}:1:0"
    assert outcome["status"] == "executed"
    assert outcome["results"] == [
        {
            "id": "0",
            "name": "send_email",
            "status": "executed",
            "reference": f"memory-{key}",
            "result": {"to": "ann"},
            "problem": None,
        }
    ]


async def test_an_action_without_an_executor_is_the_agents_to_run(desk: Desk) -> None:
    await desk.raises(requested({**STOCK, "id": "call_7"}))
    await desk.says("maria")
    [outcome] = desk.outcomes()
    [result] = outcome["results"]
    assert (result["id"], result["status"]) == ("call_7", "approved")
    assert desk.executors.calls == []


async def test_two_of_three_are_approved(desk: Desk) -> None:
    await desk.raises(requested(MAIL, NOTE, STOCK))
    await desk.says("maria", "modify", changes={"approved_actions": [0, 2]})
    assert statuses(desk) == [("send_email", "executed"), ("add_note", "refused"), ("buy_stock", "approved")]
    assert ran(desk) == ["send_email"]


async def test_edited_arguments_are_what_runs(desk: Desk) -> None:
    await desk.raises(requested(MAIL, NOTE))
    await desk.says("maria", "modify", changes={"edited_actions": [{"index": 0, "args": {"to": "bob"}}]})
    assert [action.args for action in desk.executors.effects.values()] == [{"to": "bob"}, {"to": "file"}]
    assert desk.outcomes()[0]["actions"][0]["args"] == {"to": "bob"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"edited_actions": [{"index": 0, "args": {"to": 7}}]}, "args.to: must be a text"),
        ({"edited_actions": [{"index": 0, "args": {"to": "ann", "kind": "bulk"}}]}, "makes bulk of what was asked for"),
        ({"edited_actions": [{"index": 1, "args": {"symbol": "X"}}]}, "no JSON Schema"),
        ({"edited_actions": [{"index": 2, "args": {}}]}, "there are 2 actions"),
        ({"edited_actions": [{"index": 0, "args": {}}, {"index": 0, "args": {}}]}, "names an action twice"),
        (
            {"approved_actions": [1], "edited_actions": [{"index": 0, "args": {"to": "bob"}}]},
            "not among those approved",
        ),
    ],
)
async def test_an_edit_that_cannot_run_is_refused_and_the_question_stays(desk: Desk, changes: Event, told: str) -> None:
    await desk.raises(requested(MAIL, STOCK))
    receipt = await desk.says("maria", "modify", changes=changes)
    assert (receipt["accepted"], receipt["code"]) == (False, "INVALID_CHANGES")
    assert told in receipt["message"]
    assert (desk.case().state, desk.executors.calls) == ("waiting", [])


async def test_a_request_that_could_not_run_ends_at_once_and_says_why(desk: Desk) -> None:
    await desk.raises(requested(NOTE, {"name": "send_email", "args": {}}))
    [outcome] = desk.outcomes()
    assert outcome["status"] == "failed"
    assert outcome["reason"] == "action 1 (send_email): args.to: must be a text"
    assert [result["status"] for result in outcome["results"]] == ["refused", "refused"]
    assert desk.asked() == []


async def test_what_the_executor_found_out_is_shown_and_sealed(desk: Desk) -> None:
    await desk.raises(requested(MAIL))
    [asked] = desk.asked()
    [shown] = asked["context"]["actions"]
    assert shown["executed_here"] is True
    assert shown["shown"] == {"length": 3}
    assert shown["args_schema"]["required"] == ["to"]


async def test_the_next_level_is_shown_what_was_found_out_about_the_edited_action() -> None:
    desk = Desk(policy(level("engineer"), level("dba")))
    desk.executors.names["send_email"] = OnUnknown.ASK
    await desk.raises(requested(MAIL))
    await desk.says("erin", "modify", changes={"edited_actions": [{"index": 0, "args": {"to": "everybody"}}]})
    assert desk.asked()[-1]["context"]["actions"][0]["shown"] == {"length": 9}
    await desk.says("dora")
    assert [action.args for action in desk.executors.effects.values()] == [{"to": "everybody"}]


async def test_results_are_on_record_one_by_one(desk: Desk) -> None:
    await desk.raises(requested(MAIL, NOTE))
    await desk.says("maria")
    told = [(entry.action, entry.detail.get("action")) for entry in desk.trail()]
    assert told[-2:] == [("action ran", "send_email"), ("action ran", "add_note")]


async def test_an_action_whose_worker_died_is_looked_up_and_not_run_twice(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.LOST_ANSWER)
    await desk.raises(requested(NOTE))
    await desk.says("maria")
    assert desk.case().state == "executing"
    await desk.passes(60)
    assert statuses(desk) == [("add_note", "executed")]
    assert [call for call, _ in desk.executors.calls] == ["run", "look_up"]


async def test_an_action_that_was_lost_on_the_way_is_run_after_the_look_up(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.LOST_REQUEST)
    await desk.raises(requested(NOTE))
    await desk.says("maria")
    await desk.passes(60)
    assert [call for call, _ in desk.executors.calls] == ["run", "look_up", "run"]
    assert ran(desk) == ["add_note"]


async def test_an_action_that_may_have_run_and_cannot_be_looked_up_is_put_before_a_person(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.LOST_ANSWER)
    await desk.raises(requested(MAIL, NOTE))
    await desk.says("maria")
    asked = desk.asked()[-1]
    assert asked["round"] == 2
    assert [action["name"] for action in asked["proposal"]["actions"]] == ["send_email"]
    assert "send_email may have run" in reasons(desk)["execution-failed"]
    assert {result["name"]: result["status"] for result in asked["context"]["results"]} == {
        "send_email": "unknown",
        "add_note": "executed",
    }
    await desk.says("maria", "reject")
    assert statuses(desk) == [("send_email", "unknown"), ("add_note", "executed")]
    assert [key for call, key in desk.executors.calls if call == "run"] == sorted(desk.executors.effects)


async def test_only_what_failed_is_tried_again_and_in_its_edited_form(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.FAILED)
    await desk.raises(requested(MAIL, NOTE, STOCK))
    edit = {"edited_actions": [{"index": 0, "args": {"to": "bob"}}], "approved_actions": [0, 1]}
    await desk.says("maria", "modify", changes=edit)
    [again] = desk.asked()[-1]["proposal"]["actions"]
    assert again["args"] == {"to": "bob"}
    await desk.says("maria")
    assert statuses(desk) == [("send_email", "executed"), ("add_note", "executed"), ("buy_stock", "refused")]
    assert ran(desk) == ["add_note", "send_email"]
    keys = [key for call, key in desk.executors.calls if call == "run"]
    assert len(set(keys)) == 3


async def test_after_three_failures_the_case_fails_and_says_why(desk: Desk) -> None:
    desk.executors.mishaps += [Mishap.FAILED] * 4
    await desk.raises(requested(MAIL))
    for _ in range(4):
        await desk.says("maria")
    [outcome] = desk.outcomes()
    assert (outcome["status"], outcome["results"][0]["status"]) == ("failed", "failed")
    assert outcome["reason"] == "send_email did not run: the mailbox is full"


async def test_an_executor_that_is_not_reached_is_waited_for(desk: Desk) -> None:
    desk.executors.mishaps += [Mishap.UNAVAILABLE, Mishap.UNAVAILABLE]
    await desk.raises(requested(MAIL))
    await desk.says("maria")
    await desk.passes(5)
    assert desk.case().state == "executing"
    await desk.passes(5)
    assert statuses(desk) == [("send_email", "executed")]


async def test_an_executor_that_is_down_for_a_day_leaves_it_to_a_person(desk: Desk) -> None:
    desk.executors.mishaps += [Mishap.UNAVAILABLE] * 1000
    await desk.raises(requested(MAIL))
    await desk.says("maria")
    for _ in range(25):
        await desk.passes(3600)
    assert desk.case().state == "waiting"
    assert "given up: the server is under maintenance" in reasons(desk)["execution-failed"]


async def test_a_worker_that_died_while_it_tried_again_leaves_an_unknown_result(desk: Desk) -> None:
    """The first try surely did nothing. Of the second nobody knows, though the row says what came of the first."""
    desk.executors.mishaps.append(Mishap.UNAVAILABLE)
    await desk.raises(requested(MAIL))
    await desk.says("maria")
    desk.clock.advance(5)
    [_] = await desk.inbox.abandoned_intents(10)  # taken up by a worker that dies
    await desk.passes(60)
    assert desk.asked()[-1]["round"] == 2
    assert [call for call, _ in desk.executors.calls] == ["run"]


async def test_two_workers_that_hold_one_intent_record_its_result_once(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.LOST_ANSWER)
    await desk.raises(requested(NOTE))
    await desk.says("maria")
    desk.clock.advance(60)
    [intent] = await desk.inbox.abandoned_intents(10)
    await desk.settles(intent)
    await desk.settles(intent)
    assert len(desk.outcomes()) == 1
    assert ran(desk) == ["add_note"]


async def test_while_an_executor_cannot_examine_an_action_its_request_waits(desk: Desk) -> None:
    desk.executors.away = True
    await desk.raises(requested(MAIL))
    assert desk.database.cases == {}
    desk.executors.away = False
    await desk.passes(5)
    assert desk.case().state == "waiting"


SIGNED_BY_THE_DESK = policy(
    level("manager"),
    rules=(
        rule("manager", id="sensitive", when=lambda facts: asks_for(facts, "send_email"), per_action=True),
        rule("manager", id="doubtful", when=lambda facts: facts.exception.failed_attempts > 0),
    ),
    actions={"add_note": ActionTerms(passes=True)},
)


def asks_for(facts: Facts, name: str) -> bool:
    return any(action.name == name for action in facts.exception.actions)


@pytest.fixture
def free() -> Desk:
    """Notes want no signature."""
    desk = Desk(SIGNED_BY_THE_DESK)
    desk.executors.names |= {"send_email": OnUnknown.ASK, "add_note": OnUnknown.ASK}
    return desk


async def test_actions_that_want_no_signature_run_at_once(free: Desk) -> None:
    await free.raises(requested(NOTE))
    [outcome] = free.outcomes()
    assert (outcome["status"], outcome["automatic"], ran(free)) == ("executed", True, ["add_note"])


async def test_only_the_sensitive_actions_of_a_request_are_asked_about(free: Desk) -> None:
    await free.raises(requested(NOTE, MAIL))
    proposal = free.asked()[0]["proposal"]
    assert [action["name"] for action in proposal["actions"]] == ["send_email"]
    assert [action["name"] for action in proposal["passing"]] == ["add_note"]
    await free.says("maria", "modify", changes={"edited_actions": [{"index": 0, "args": {"to": "bob"}}]})
    assert statuses(free) == [("add_note", "executed"), ("send_email", "executed")]


async def test_a_doubt_about_the_whole_request_holds_back_all_of_it(free: Desk) -> None:
    await free.raises(requested(NOTE, MAIL, failed_attempts=1))
    proposal = free.asked()[0]["proposal"]
    assert [action["name"] for action in proposal["actions"]] == ["add_note", "send_email"]
    assert proposal["passing"] is None


async def test_a_rejected_request_runs_nothing(free: Desk) -> None:
    await free.raises(requested(NOTE, MAIL))
    await free.says("maria", "reject")
    assert statuses(free) == [("add_note", "refused"), ("send_email", "refused")]
    assert ran(free) == []


async def test_a_repeat_that_fails_says_nothing_about_the_first_try(desk: Desk) -> None:
    desk.executors.names["send_email"] = OnUnknown.REPEAT
    desk.executors.mishaps += [Mishap.LOST_ANSWER, Mishap.FAILED]
    await desk.raises(requested(MAIL))
    await desk.says("maria")
    await desk.passes(60)
    assert desk.asked()[-1]["context"]["results"][0]["status"] == "unknown"


async def test_what_the_agent_may_run_stays_approved_when_a_sibling_fails(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.FAILED)
    await desk.raises(requested(MAIL, STOCK))
    await desk.says("maria")
    assert [action["name"] for action in desk.asked()[-1]["proposal"]["actions"]] == ["send_email"]
    await desk.says("maria")
    assert statuses(desk) == [("send_email", "executed"), ("buy_stock", "approved")]
    assert [action["name"] for action in desk.outcomes()[0]["actions"]] == ["send_email", "buy_stock"]


async def test_a_worker_that_stalled_does_not_run_what_another_has_begun(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.UNAVAILABLE)
    await desk.raises(requested(MAIL, NOTE))
    await desk.says("maria")
    desk.clock.advance(60)
    [stalled] = await desk.inbox.abandoned_intents(10)
    await desk.passes(60)
    calls = list(desk.executors.calls)
    await desk.settles(stalled)
    assert [key for call, key in desk.executors.calls[len(calls) :] if key.endswith(":1")] == []


async def test_a_free_action_that_came_to_nothing_is_asked_about_like_the_others(free: Desk) -> None:
    free.executors.mishaps += [Mishap.LOST_ANSWER, Mishap.FAILED]
    await free.raises(requested(NOTE, MAIL))
    await free.says("maria")
    again = free.asked()[-1]["proposal"]
    assert [action["name"] for action in again["actions"]] == ["add_note", "send_email"]
    await free.says("maria", "modify", changes={"approved_actions": [1]})
    assert statuses(free) == [("add_note", "unknown"), ("send_email", "executed")]


async def test_a_hundred_large_answers_fit_into_one_record(desk: Desk) -> None:
    desk.executors.names["send_email"] = OnUnknown.ASK
    await desk.raises(requested(*[{"name": "send_email", "args": {"to": "x" * 2_000}} for _ in range(100)]))
    desk.executors.answer = {"rows": ["y" * 15_000]}
    await desk.says("maria")
    [outcome] = desk.outcomes()
    assert len(json.dumps(outcome)) < 1_000_000
    assert outcome["results"][0]["result"] == {"rows": ["y" * 15_000]}
    assert outcome["results"][-1]["result"] == {"truncated": True}


async def test_who_lost_the_lease_is_not_heard_whatever_it_says(desk: Desk) -> None:
    """Or what it says has failed is run by the holder, and once more by whoever is asked about the failure."""
    desk.executors.mishaps += [Mishap.UNAVAILABLE, Mishap.FAILED]
    await desk.raises(requested(NOTE))
    await desk.says("maria")
    desk.clock.advance(5)
    [stalled] = await desk.inbox.abandoned_intents(10)
    desk.clock.advance(60)
    [holder] = await desk.inbox.abandoned_intents(10)
    await desk.settles(stalled)
    assert desk.case().state == "executing"
    await desk.settles(holder)
    assert statuses(desk) == [("add_note", "executed")]


class StallsAfterCommit:
    """A store whose answer to a commit reaches a worker that has stood still for a minute meanwhile."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._store = desk, desk.store

    async def view(self, query: CaseQuery) -> CaseView:
        return await self._store.view(query)

    async def commit(self, unit: UnitOfWork) -> Commit:
        answer = await self._store.commit(unit)
        self._desk.clock.advance(60)
        return answer


async def test_a_lease_runs_from_the_commit_and_not_from_its_answer(desk: Desk) -> None:
    await desk.raises(requested(MAIL))
    ports = desk.ports
    desk.work_with(store=StallsAfterCommit(desk))
    await desk.says("maria")
    assert desk.executors.calls == []
    desk.work_with(store=ports.store)
    await desk.passes(60)
    assert statuses(desk) == [("send_email", "executed")]


async def test_a_worker_that_wakes_after_its_lease_calls_nobody(desk: Desk) -> None:
    desk.executors.mishaps.append(Mishap.UNAVAILABLE)
    await desk.raises(requested(MAIL))
    await desk.says("maria")
    desk.clock.advance(5)
    since = desk.casework.moment()
    [stalled] = await desk.inbox.abandoned_intents(10)
    desk.clock.advance(60)
    await desk.casework.settle(stalled, since=since)
    assert [call for call, _ in desk.executors.calls] == ["run"]
    await desk.passes(60)
    assert statuses(desk) == [("send_email", "executed")]
