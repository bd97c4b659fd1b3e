"""The example of an agent: what it asks for, and what it does with the answer, without services."""

import asyncio
import re
import shlex
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from examples.agent.__main__ import options
from examples.agent.conversations import Conversations, Reply, StillWaiting, Turn, Waiting
from examples.agent.graph import Agent
from examples.agent.scripted_model import Line, ScriptedModel, call, report, say
from examples.agent.tools import shop_tools
from schemas.events import ExceptionRaised, ResolutionOutcome, ReviewDecided

PAGE = Path(__file__).parents[2] / "examples" / "agent" / "README.md"

LOOK = call("c-look", "look_up_order", order_id="ORD-7")
MAIL = call("c-mail", "send_email", to="ada@example.org", subject="Your mug", body="Sorry.")
VOUCHER = call("c-voucher", "issue_voucher", customer_id="CUST-7", amount_minor=1000, currency="USD")
CALLS: tuple[ToolCall, ...] = (LOOK, MAIL, VOUCHER)


class Died(Exception):
    """The process is gone."""


@dataclass
class FakeSignoff:
    published: list[ExceptionRaised] = field(default_factory=list)
    dies_before: int = 0
    dies_after: int = 0

    async def publish(self, request: ExceptionRaised) -> None:
        if self.dies_before:
            self.dies_before -= 1
            raise Died
        self.published.append(request)
        if self.dies_after:
            self.dies_after -= 1
            raise Died


@dataclass
class FakeShop:
    """Remembers every attempt; `effects` are what a shop that knows its keys makes of them."""

    attempts: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    dies_after: int = 0

    async def carry_out(self, key: str, deed: str, details: dict[str, Any]) -> None:
        self.attempts.append((key, deed, details))
        if self.dies_after:
            self.dies_after -= 1
            raise Died

    @property
    def effects(self) -> dict[str, tuple[str, dict[str, Any]]]:
        return {key: (deed, details) for key, deed, details in self.attempts}


class DyingSaver(InMemorySaver):
    """Dies once, at the write after `writes_left`."""

    writes_left: int | None = None

    async def aput(self, *args: Any, **kwargs: Any) -> RunnableConfig:
        self._count()
        return await super().aput(*args, **kwargs)

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        self._count()
        await super().aput_writes(*args, **kwargs)

    def _count(self) -> None:
        if self.writes_left is None:
            return
        if self.writes_left == 0:
            self.writes_left = None
            raise Died
        self.writes_left -= 1


class Desk:
    """An agent whose processes come and go; its threads, its shop and Signoff stay."""

    def __init__(self, *script: Line) -> None:
        self.script = list(script) or [say("Let me see.", *CALLS), report]
        self.signoff, self.shop, self.saver = FakeSignoff(), FakeShop(), DyingSaver()
        self._locks: dict[str, asyncio.Lock] = {}
        self.starts_anew()

    def starts_anew(self) -> None:
        agent = Agent(ScriptedModel(script=self.script), shop_tools(self.shop), self.signoff)
        self.talks = Conversations(agent, self.saver, self._lock)

    @asynccontextmanager
    async def _lock(self, thread_id: str) -> AsyncIterator[None]:
        async with self._locks.setdefault(thread_id, asyncio.Lock()):
            yield

    async def asks(self, thread_id: str = "t-1") -> ExceptionRaised:
        turn = await self.talks.say(thread_id, "my mug came broken")
        assert isinstance(turn, Waiting)
        assert turn.exception_id == self.signoff.published[-1].exception_id
        return self.signoff.published[-1]

    async def replies(self, outcome: ResolutionOutcome) -> str:
        turn = await self.talks.hear(outcome)
        assert isinstance(turn, Reply)
        return turn.text

    def did(self) -> list[tuple[str, dict[str, Any]]]:
        return list(self.shop.effects.values())


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def stubborn(desk: Desk, turn: Awaitable[Turn | None]) -> Turn | None:
    """What came of it; None when the process died, and another one took its place."""
    try:
        return await turn
    except Died:
        desk.starts_anew()
        return None


def outcome_of(
    request: ExceptionRaised, statuses: dict[str, str], edits: dict[str, dict[str, Any]] | None = None, **fields: Any
) -> ResolutionOutcome:
    """As the worker tells it: a result for each call, and the calls that were approved as they were approved."""
    approved = [action for action in request.actions if statuses[str(action.id)] in ("approved", "executed")]
    edited = [{**action.model_dump(), "args": (edits or {}).get(str(action.id), action.args)} for action in approved]
    results = [{"id": action.id, "name": action.name, "status": statuses[str(action.id)]} for action in request.actions]
    known: dict[str, Any] = {
        "case_id": str(uuid4()),
        "exception_id": request.exception_id,
        "kind": "action_request",
        "status": "executed" if approved else "rejected",
        "automatic": False,
        "actions": edited or None,
        "results": results,
        "opened_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-03T00:00:00Z",
        **fields,
    }
    return ResolutionOutcome.model_validate(known)


BOTH = {"c-mail": "approved", "c-voucher": "approved"}


async def test_only_what_wants_a_signature_is_asked_about_and_the_rest_runs_at_once(desk: Desk) -> None:
    request = await desk.asks()
    assert [(action.id, action.name, action.args) for action in request.actions] == [
        ("c-mail", "send_email", MAIL["args"]),
        ("c-voucher", "issue_voucher", VOUCHER["args"]),
    ]
    assert desk.shop.attempts == []
    assert "blue mug" in await desk.replies(outcome_of(request, BOTH))


async def test_what_was_approved_runs_once_and_the_model_goes_on(desk: Desk) -> None:
    reply = await desk.replies(outcome_of(await desk.asks(), BOTH))
    assert [deed for deed, _ in desk.did()] == ["email", "voucher"]
    assert "sent to ada@example.org" in reply
    assert "voucher V-" in reply


async def test_edited_arguments_are_what_runs_and_the_model_is_told(desk: Desk) -> None:
    edit = {"c-voucher": {**VOUCHER["args"], "amount_minor": 500}}
    reply = await desk.replies(outcome_of(await desk.asks(), BOTH, edit))
    assert [details["amount_minor"] for deed, details in desk.did() if deed == "voucher"] == [500]
    assert 'A person changed the arguments to {"amount_minor": 500, "currency": "USD", ' in reply


async def test_an_edit_that_the_tool_cannot_take_runs_nothing(desk: Desk) -> None:
    edit = {"c-voucher": {"customer_id": "CUST-7", "amount_minor": -1, "currency": "USD"}}
    reply = await desk.replies(outcome_of(await desk.asks(), BOTH, edit))
    assert [deed for deed, _ in desk.did()] == ["email"]
    assert "it was approved and did not run: the arguments are wrong: amount_minor: " in reply


async def test_one_refusal_stops_no_sibling(desk: Desk) -> None:
    statuses = {"c-mail": "refused", "c-voucher": "approved"}
    reply = await desk.replies(outcome_of(await desk.asks(), statuses))
    assert [deed for deed, _ in desk.did()] == ["voucher"]
    assert "send_email: it was not approved, and it did not run" in reply


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("refused", "send_email: it was not approved, and it did not run (keep calm)"),
        ("failed", "send_email: it did not run (keep calm)"),
        ("unknown", "send_email: it may have run, and nobody knows: do not ask for it again (keep calm)"),
    ],
)
async def test_what_did_not_run_is_told_with_its_reason(desk: Desk, status: str, told: str) -> None:
    outcome = outcome_of(await desk.asks(), {"c-mail": status, "c-voucher": status}, reason="keep calm")
    assert told in await desk.replies(outcome)
    assert desk.shop.attempts == []
    state = desk.saver.get({"configurable": {"thread_id": "t-1"}})
    assert state is not None
    messages = state["channel_values"]["messages"]
    statuses = {message.name: message.status for message in messages if isinstance(message, ToolMessage)}
    assert statuses == {"look_up_order": "success", "send_email": "error", "issue_voucher": "error"}


async def test_what_signoff_ran_itself_is_not_run_again(desk: Desk) -> None:
    statuses = {"c-mail": "executed", "c-voucher": "approved"}
    reply = await desk.replies(outcome_of(await desk.asks(), statuses))
    assert [deed for deed, _ in desk.did()] == ["voucher"]
    assert "send_email: It was done" in reply


async def test_an_approval_that_does_not_say_of_what_runs_nothing(desk: Desk) -> None:
    reply = await desk.replies(outcome_of(await desk.asks(), BOTH, actions=None))
    assert desk.shop.attempts == []
    assert "the outcome does not say what was approved" in reply


async def test_an_outcome_that_comes_twice_resumes_its_thread_once(desk: Desk) -> None:
    outcome = outcome_of(await desk.asks(), BOTH)
    await desk.replies(outcome)
    assert await desk.talks.hear(outcome) is None
    assert len(desk.shop.attempts) == 2


async def test_an_outcome_that_two_processes_hear_at_the_same_time_resumes_its_thread_once(desk: Desk) -> None:
    outcome = outcome_of(await desk.asks(), BOTH)
    turns = await asyncio.gather(desk.talks.hear(outcome), desk.talks.hear(outcome))
    assert [type(turn) for turn in turns] == [Reply, type(None)]
    assert len(desk.shop.attempts) == 2


async def test_the_outcome_of_another_thread_moves_only_that_one(desk: Desk) -> None:
    first, second = await desk.asks("t-1"), await desk.asks("t-2")
    await desk.replies(outcome_of(second, BOTH))
    assert [key.split(":")[1] for key in desk.shop.effects] == ["t-2", "t-2"]
    assert first.exception_id != second.exception_id
    with pytest.raises(StillWaiting, match="t-1"):
        await desk.talks.say("t-1", "hello?")


@pytest.mark.parametrize("about", ["EXC-1", "other-desk:t-1:0", "shop-desk:nobody:0", "shop-desk", "shop-desk:t-1:0"])
async def test_the_outcome_of_somebody_elses_request_is_ignored(desk: Desk, about: str) -> None:
    outcome = outcome_of(await desk.asks(), BOTH)
    assert await desk.talks.hear(outcome.model_copy(update={"exception_id": about})) is None
    assert desk.shop.attempts == []


async def test_an_old_outcome_does_not_answer_the_question_that_waits_now() -> None:
    thought = say("And again.", MAIL, VOUCHER)
    desk = Desk(thought, report, thought, report)
    first = outcome_of(await desk.asks(), BOTH)
    await desk.replies(first)
    second = await desk.asks()
    assert await desk.talks.hear(first) is None
    await desk.replies(outcome_of(second, BOTH))
    assert len(desk.did()) == 4  # the model numbers its calls anew; they are other calls nonetheless


@pytest.mark.parametrize("fault", ["dies_before", "dies_after"])
async def test_a_crash_around_publishing_publishes_the_same_request(desk: Desk, fault: str) -> None:
    setattr(desk.signoff, fault, 1)
    with pytest.raises(Died):
        await desk.talks.say("t-1", "my mug came broken")
    desk.starts_anew()
    assert isinstance(await desk.talks.go_on("t-1"), Waiting)
    assert len({request.to_json() for request in desk.signoff.published}) == 1
    await desk.replies(outcome_of(desk.signoff.published[-1], BOTH))
    assert len(desk.did()) == 2


async def test_an_outcome_may_come_before_a_crashed_thread_waits_for_it(desk: Desk) -> None:
    desk.signoff.dies_after = 1
    with pytest.raises(Died):
        await desk.talks.say("t-1", "my mug came broken")
    desk.starts_anew()
    await desk.replies(outcome_of(desk.signoff.published[-1], BOTH))
    assert len(desk.did()) == 2


async def test_a_crash_after_an_effect_has_no_second_effect(desk: Desk) -> None:
    outcome = outcome_of(await desk.asks(), BOTH)
    desk.shop.dies_after = 1
    with pytest.raises(Died):
        await desk.talks.hear(outcome)
    desk.starts_anew()
    await desk.replies(outcome)
    assert [deed for _, deed, _ in desk.shop.attempts] == ["email", "email", "voucher"]
    assert [deed for deed, _ in desk.did()] == ["email", "voucher"]


async def test_a_crash_at_any_write_of_the_checkpointer_loses_nothing_and_repeats_nothing() -> None:
    for survived in range(100):
        desk = Desk()
        desk.saver.writes_left = survived
        if await stubborn(desk, desk.talks.say("t-1", "my mug came broken")) is None:
            kept = await desk.talks.go_on("t-1")
            assert kept or await desk.talks.say("t-1", "my mug came broken")
        outcome = outcome_of(desk.signoff.published[-1], BOTH)
        if await stubborn(desk, desk.talks.hear(outcome)) is None:
            await desk.talks.hear(outcome)
        assert await desk.talks.go_on("t-1") is None
        assert await desk.talks.hear(outcome) is None
        assert len({request.to_json() for request in desk.signoff.published}) == 1
        assert [deed for deed, _ in desk.did()] == ["email", "voucher"]
        if desk.saver.writes_left:
            break
    assert 10 < survived < 99


async def test_a_customer_who_speaks_while_a_signature_is_missing_does_not_lose_the_question(desk: Desk) -> None:
    request = await desk.asks()
    with pytest.raises(StillWaiting, match=request.exception_id):
        await desk.talks.say("t-1", "hello?")
    await desk.replies(outcome_of(request, BOTH))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (call("c-1", "wire_money", amount=1), "there is no tool wire_money"),
        (call("c-1", "send_email", to="ada"), "the arguments are wrong: subject: Field required"),
        (call("c-1", "send_email", to="a", subject="b", body="\0"), "NUL"),
        (call("c-1", "send_email", to="a", subject="b", body="\ud800"), "surrogate"),
        (call("c-1", "look_up_order"), "the arguments are wrong: order_id: Field required"),
    ],
)
async def test_a_call_that_could_not_run_bothers_nobody(wrong: ToolCall, told: str) -> None:
    desk = Desk(say("", wrong), report)
    turn = await desk.talks.say("t-1", "hello")
    assert isinstance(turn, Reply)
    assert told in turn.text
    assert desk.signoff.published == []


async def test_what_the_model_says_reaches_the_reviewer_without_characters_that_mislead() -> None:
    desk = Desk(say("Pay\u202e\0 now\ud800\n", MAIL), report)
    assert (await desk.asks()).reason == "Pay now\n"


async def test_a_call_with_garbled_arguments_is_answered_and_stops_no_other() -> None:
    garbled = InvalidToolCall(type="invalid_tool_call", id="c-2", name="send_email", args="{to", error=None)
    desk = Desk(lambda _: AIMessage("", tool_calls=[MAIL], invalid_tool_calls=[garbled]), report)
    request = await desk.asks()
    assert [action.id for action in request.actions] == ["c-mail"]
    assert "the arguments are no JSON object" in await desk.replies(outcome_of(request, {"c-mail": "approved"}))


async def test_a_key_that_the_model_made_up_counts_for_nothing() -> None:
    forged = call("c-1", "send_email", to="ada", subject="a", body="b", key="another call's")
    desk = Desk(say("", forged), report)
    request = await desk.asks()
    await desk.replies(outcome_of(request, {"c-1": "approved"}))
    assert list(desk.shop.effects) == [f"{request.exception_id}:c-1"]


def test_the_lines_of_its_page_are_ones_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, value in re.findall(r"^export (\w+)=(.+)$", page, re.MULTILINE):
        monkeypatch.setenv(name, value)
    lines = re.findall(r"python -m examples\.agent (.+)$", page, re.MULTILINE)
    taken = [options(shlex.split(line)) for line in lines]
    assert [(one.text, one.thread, one.kafka) for one in taken] == [
        ("My mug came broken", None, "127.0.0.1:42197"),
        (None, "b922ebb8a827", "127.0.0.1:42197"),
    ]
    [decision] = re.findall(r"<<END\n(.+?)END", page, re.DOTALL)
    assert ReviewDecided.model_validate_json(decision).verdict == "modify"
