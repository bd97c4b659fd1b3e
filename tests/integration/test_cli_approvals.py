"""`signoff approvals`: what waits on whom, and questions that change hands, beside a worker that runs."""

from typing import Any

from tests.commands import Ran, signoff_beside
from tests.records import raise_exceptions, refund
from worker.settings import Settings

LARGE = {"amount_minor": 150_000, "currency": "USD"}
PAID = {"captured": {"amount_minor": 200_000, "currency": "USD"}, "status": "delivered"}


def command(settings: Settings, word: str, name: str, *more: str, reviewer: str = "user:maria") -> Any:
    return signoff_beside(settings, "approvals", word, name, *more, "--reviewer", reviewer, "--role", "manager")


def decide(settings: Settings, name: str, *words: str, reviewer: str = "user:maria", role: str = "manager") -> Any:
    return signoff_beside(settings, "decide", name, *words, "--reviewer", reviewer, "--role", role)


async def listed(settings: Settings, *arguments: str) -> Any:
    ran = await signoff_beside(settings, "approvals", "list", "--json", *arguments)
    assert ran.code == 0, ran.err
    return ran.json


async def shown(settings: Settings, name: str) -> Any:
    ran = await signoff_beside(settings, "cases", "show", name, "--json")
    assert ran.code == 0, ran.err
    return ran.json


def recorded(ran: Ran) -> bool:
    return ran.code == 0 and ran.out.startswith("RECORDED: ")


async def test_the_list_says_what_waits_on_whom(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"), refund("EXC-2", amount=LARGE, order=PAID))
    by_exception = {line["exception_id"]: line for line in await listed(running_worker)}
    assert by_exception.keys() == {"EXC-1", "EXC-2"}
    assert by_exception["EXC-2"]["level"] == {"name": "manager", "number": 1, "of": 2}
    first = by_exception["EXC-1"]
    assert (first["role"], first["assignee"], first["votes"], first["quorum"]) == ("manager", None, 0, 1)
    assert 0 < first["due_in_s"] <= 24 * 3600

    page = await signoff_beside(running_worker, "approvals", "list")
    assert first["approval_id"] in page.out
    assert "manager, 1 of 2" in page.out
    assert "0 of 1" in page.out
    assert await listed(running_worker, "--role", "director") == []
    assert len(await listed(running_worker, "--limit", "1")) == 1


async def test_nothing_to_list_is_said_beside_the_result(running_worker: Settings) -> None:
    ran = await signoff_beside(running_worker, "approvals", "list", "--mine", "user:maria")
    assert (ran.code, ran.out, ran.err) == (0, "", "no such question is open\n")


async def test_a_claimed_question_is_its_holders_until_it_is_released(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"), refund("EXC-2", customer_id="CUST-8"))
    assert recorded(await command(running_worker, "claim", "EXC-1"))
    [held] = await listed(running_worker, "--mine", " User:Maria ")
    assert (held["exception_id"], held["assignee"]) == ("EXC-1", "user:maria")
    assert held["next_at"] < held["due_at"], "the claim runs out before the deadline"
    table = await signoff_beside(running_worker, "cases", "list")
    assert "user:maria, for manager" in table.out

    other = await decide(running_worker, "EXC-1", "approve", reviewer="user:otto")
    assert other.code == 1
    assert other.out.startswith("NOT_AUTHORISED: user:maria holds this question")

    assert recorded(await command(running_worker, "release", "EXC-1"))
    assert await listed(running_worker, "--mine", "user:maria") == []
    assert (await decide(running_worker, "EXC-1", "approve", reviewer="user:otto")).code == 0


async def test_a_reassigned_question_is_answered_by_who_got_it(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert recorded(await command(running_worker, "reassign", "EXC-1", "--to", "user:otto", "--comment", "yours"))
    page = await signoff_beside(running_worker, "cases", "show", "EXC-1")
    assert "user:otto, by user:maria" in page.out
    assert page.out.rstrip().endswith("approve --reviewer user:otto --role manager")
    assert (await decide(running_worker, "EXC-1", "approve", reviewer="user:otto")).code == 0
    [signature] = (await shown(running_worker, "EXC-1"))["case"]["signatures"]
    assert (signature["reviewer"], signature["on_behalf_of"]) == ("user:otto", [])


async def test_a_delegate_decides_on_the_authority_of_who_handed_it_over(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert recorded(await command(running_worker, "delegate", "EXC-1", "--to", "user:jonas"))
    decided = await signoff_beside(running_worker, "decide", "EXC-1", "approve", "--reviewer", "user:jonas")
    assert decided.code == 0, decided.out
    page = await signoff_beside(running_worker, "cases", "show", "EXC-1")
    assert "approve by user:jonas on behalf of user:maria (manager)" in page.out


async def test_who_asked_for_it_cannot_be_handed_the_question(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    ran = await command(running_worker, "delegate", "EXC-1", "--to", "agent:web-chat")
    assert ran.code == 1
    assert ran.out.startswith("SELF_APPROVAL: ")
    [line] = await listed(running_worker)
    assert line["assignee"] is None


async def test_a_command_sent_twice_under_its_own_id_counts_once(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert recorded(await command(running_worker, "claim", "EXC-1", "--command-id", "C-1"))
    again = await command(running_worker, "claim", "EXC-1", "--command-id", "C-1", "--json")
    assert (again.code, again.json["code"], again.json["decision_id"]) == (1, "DUPLICATE", "C-1")
    [answered] = (await shown(running_worker, "EXC-1"))["decisions"]
    assert (answered["kind"], answered["decision"]["command_id"]) == ("command", "C-1")


async def test_a_question_that_is_answered_cannot_be_claimed(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert (await decide(running_worker, "EXC-1", "reject")).code == 0
    late = await command(running_worker, "claim", "EXC-1", reviewer="user:otto")
    assert late.code == 1
    assert late.out.startswith("ALREADY_DECIDED: ")


async def test_a_command_may_be_sent_without_waiting(waiting_without_worker: Settings) -> None:
    ran = await command(waiting_without_worker, "claim", "EXC-1", "--no-wait", "--json")
    assert (ran.code, ran.json["sent"]) == (0, True)
    unanswered = await command(waiting_without_worker, "claim", "EXC-1", "--timeout", "0.5")
    assert unanswered.code == 1
    assert "no receipt came in 0.5 s; it is not lost" in unanswered.err
