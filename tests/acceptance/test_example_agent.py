"""The example of an agent beside a real worker: its processes come and go while people take their time."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from examples.agent.__main__ import open_conversations
from examples.agent.conversations import Conversations, Reply, Turn, Waiting
from examples.agent.scripted_model import DEMO, ScriptedModel
from examples.agent.signoff_client import Kafka, open_ears
from schemas.events import ResolutionOutcome
from tests.acceptance.house import PATIENCE_S, Event, House
from tests.acceptance.people import Reviewer

ROOT = Path(__file__).parents[2]
POLICY = str(ROOT / "examples" / "agent" / "policy.yaml")

SARA: Reviewer = {"id": "user:sara", "roles": ["support-lead"]}

TWO_DAYS_LATER = """
    update approvals set
        due_at = due_at - interval '2 days',
        available_at = available_at - interval '2 days',
        body = body || jsonb_build_object(
            'requested_at', (body ->> 'requested_at')::timestamptz - interval '2 days',
            'due_at', (body ->> 'due_at')::timestamptz - interval '2 days',
            'timers', (
                select jsonb_agg(timer || jsonb_build_object('at', (timer ->> 'at')::timestamptz - interval '2 days'))
                from jsonb_array_elements(body -> 'timers') as timer
            )
        )
    where closed_at is null
    returning exception_id, due_at > now() as is_open
"""


def kafka_of(house: House, group: str = "desk") -> Kafka:
    return Kafka(house.kafka, house.prefix, house.prefix + group)


@asynccontextmanager
async def an_agent(house: House) -> AsyncIterator[Conversations]:
    """A process of the agent, as far as it keeps anything: nothing of it is left afterwards."""
    async with open_conversations(kafka_of(house), house.database, ScriptedModel(script=DEMO)) as conversations:
        yield conversations


async def heard(house: House, conversations: Conversations, group: str = "desk") -> Turn | None:
    """What the agent makes of the first outcome that its group has not heard yet."""
    async with asyncio.timeout(PATIENCE_S), open_ears(kafka_of(house, group)) as ears:
        async for event in ears:
            if isinstance(event, ResolutionOutcome):
                return await conversations.hear(event)
    raise AssertionError("the topic ended")


def deeds(house: House) -> list[tuple[str, Event]]:
    return [(row["deed"], row["details"]) for row in house.rows("select * from shop_desk.deeds order by deed")]


async def test_an_agent_resumes_after_two_days_in_another_process_and_does_what_was_signed(house: House) -> None:
    await house.start_worker(policy_file=POLICY)
    async with an_agent(house) as agent:
        waiting = await agent.say("t1", "my mug came broken")
    assert isinstance(waiting, Waiting)
    assert waiting.calls == ("send_email", "issue_voucher")
    about = waiting.exception_id
    asked = await house.question(about, "support")
    assert [action["id"] for action in asked["proposal"]["actions"]] == ["call-2", "call-3"]

    assert house.rows(TWO_DAYS_LATER) == [{"exception_id": about, "is_open": True}]
    smaller = {"customer_id": "CUST-7", "amount_minor": 500, "currency": "USD"}
    edit = {"edited_actions": [{"index": 1, "args": smaller}]}
    assert (await house.says(SARA, "modify", about, changes=edit))["code"] == "ACCEPTED"
    await house.outcome_of(about)
    assert deeds(house) == []

    async with an_agent(house) as agent:
        reply = await heard(house, agent)
        heard_from_the_beginning = await heard(house, agent, group="another")
    assert isinstance(reply, Reply)
    assert 'issue_voucher: A person changed the arguments to {"amount_minor": 500, ' in reply.text
    assert heard_from_the_beginning is None
    [(_, mail), (_, voucher)] = deeds(house)
    assert (mail["to"], voucher["amount_minor"]) == ("ada@example.org", 500)


async def test_an_edit_that_the_policy_does_not_allow_is_refused_and_a_refusal_stops_no_sibling(house: House) -> None:
    await house.start_worker(policy_file=POLICY)
    async with an_agent(house) as agent:
        waiting = await agent.say("t1", "my mug came broken")
        assert isinstance(waiting, Waiting)
        await house.question(waiting.exception_id, "support")
        too_much = {"customer_id": "CUST-7", "amount_minor": 50_000, "currency": "USD"}
        edit = {"edited_actions": [{"index": 1, "args": too_much}]}
        receipt = await house.says(SARA, "modify", waiting.exception_id, changes=edit)
        assert (receipt["code"], "amount_minor" in receipt["message"]) == ("INVALID_CHANGES", True)
        await house.says(SARA, "modify", waiting.exception_id, changes={"approved_actions": [0]})
        reply = await heard(house, agent)
    assert isinstance(reply, Reply)
    assert "issue_voucher: it was not approved, and it did not run" in reply.text
    assert [deed for deed, _ in deeds(house)] == ["email"]


class Program:
    """`python -m examples.agent`, as somebody would run it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self.process, self._out = process, process.stdout

    async def line(self, pattern: str) -> str:
        """The first group of the next line that matches."""
        seen = []
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self._out.readline()).decode():
                seen.append(line)
                if found := re.search(pattern, line):
                    return found[1]
        raise AssertionError("it ended before that:\n" + "".join(seen))


@asynccontextmanager
async def the_program(house: House, *arguments: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-um", "examples.agent", "--scripted", *arguments),
        cwd=ROOT,
        env={
            **os.environ,
            "SIGNOFF_KAFKA_BOOTSTRAP_SERVERS": house.kafka,
            "SIGNOFF_TOPIC_PREFIX": house.prefix,
            "AGENT_DATABASE_URL": house.database,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("verdict", ["approve", "reject"])
async def test_the_program_prints_the_line_to_type_and_is_killed_and_goes_on(house: House, verdict: str) -> None:
    await house.start_worker(policy_file=POLICY)
    async with the_program(house, "my mug came broken") as program:
        thread = await program.line(r"^conversation (\w+)")
        typed = await program.line(r"signoff (decide .*)$")
        program.process.kill()
    await house.run(*typed.replace("approve", verdict).split())
    async with the_program(house, "--thread", thread) as program:
        told = await program.line(r"send_email: (.*)")
        async with asyncio.timeout(PATIENCE_S):
            assert await program.process.wait() == 0
    assert told.startswith("sent to ada@" if verdict == "approve" else "it was not approved")
    assert [deed for deed, _ in deeds(house)] == (["email", "voucher"] if verdict == "approve" else [])
