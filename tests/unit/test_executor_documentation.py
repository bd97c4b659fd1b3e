"""The page "Tool calls" says what the code does: its request goes through the whole application as it is told there."""

import base64
import json
import re
import sys
import tomllib
import types
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from schemas.events import ExceptionRaised, ReviewDecided
from schemas.values import ActionStatus
from tests.stack.https_receiver import HttpsReceiver, Reply, receiving
from tests.unit.application.desk import Desk
from worker.adapters.executors import executor
from worker.adapters.executors.configuration import ExecutorsError, parse_executors
from worker.adapters.executors.executor import Action, ActionFailed, ActionUnavailable, ActionUncertain, OnUnknown, Ran
from worker.adapters.executors.http_options import HttpOptions
from worker.adapters.executors.plug_in import GROUP, SHIPPED
from worker.adapters.executors.registry import Registry
from worker.adapters.policy.loading import parse_policy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tool-calls.md").read_text(encoding="utf-8")
BUY_STOCK = (ROOT / "examples" / "executors" / "buy_stock.py").read_text(encoding="utf-8")

SECRET = "whsec_" + base64.b64encode(b"e" * 32).decode()
ENVIRONMENT = {"ERP_SECRET": SECRET, "BROKER_TOKEN": "hunter2"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def rows(heading: str, number: int = 0) -> list[list[str]]:
    """The cells of one of the tables under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    tables = re.findall(r"^\|[- |]+\|\n((?:\|.*\n)+)", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in tables[number].splitlines()]


REQUEST, SHOWN, DECISION, RESULTS, CALL = (json.loads(block) for block in blocks("json"))
POLICY, EXECUTORS, NOTES = blocks("yaml")
VERIFIES, ADDS_NOTES, *QUOTED = blocks("python")


def holds(whole: Any, part: Any) -> bool:
    """Whether `part` is in `whole`: a page leaves out what it is not about."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and holds(whole[name], part[name]) for name in part)
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


def test_parts_are_found_in_a_whole() -> None:
    assert holds({"a": [{"b": 1, "c": 2}], "d": 3}, {"a": [{"b": 1}]})
    assert not holds({"a": [{"b": 1}, {}]}, {"a": [{"b": 1}]})
    assert not holds({"a": 1}, {"b": 1})


@pytest.fixture
async def receiver() -> AsyncIterator[HttpsReceiver]:
    """The supplier's system and the broker of the page, in one."""
    async with receiving() as receiver:
        receiver.replies["/orders/ORD-1001/notes"] = Reply(status=201, body=b'{"id": "note-9"}')
        receiver.replies["/orders"] = Reply(status=201, body=b'{"id": "order-7", "state": "filled"}')
        yield receiver


@pytest.fixture
async def registry(receiver: HttpsReceiver, tmp_path: Path) -> AsyncIterator[Registry]:
    """The executors of the page, whose systems are on this machine."""
    authority = tmp_path / "authority.pem"
    authority.write_bytes(receiver.authority)
    here = EXECUTORS.replace("erp.example", receiver.place).replace("broker.example", receiver.place)
    here = here.replace("    use: http\n", f"    use: http\n    allow_private: ['{receiver.place}']\n")
    here = re.sub(r"^    use: .*$", rf"\g<0>\n    ca_file: {authority}", here, flags=re.MULTILINE)
    registry = parse_executors(here.encode(), "executors.yaml", lease_s=30, environment=ENVIRONMENT)
    yield registry
    await registry.aclose()


@pytest.fixture
async def desk(registry: Registry) -> Desk:
    """The request of the page was made, under its policy."""
    desk = Desk(parse_policy(POLICY.encode(), "policy.yaml"))
    desk.work_with(executors=registry)
    await desk.raises(REQUEST)
    return desk


async def test_the_reviewer_is_shown_what_the_page_shows(desk: Desk, receiver: HttpsReceiver) -> None:
    asked = json.loads(json.dumps(desk.asked()[0]).replace(receiver.place, "erp.example"))
    assert holds(asked, SHOWN)
    schemas = {found["id"]: found.get("args_schema") for found in asked["context"]["actions"]}
    assert schemas["call_3"]["required"] == ["symbol", "quantity", "limit_price_usd"]
    assert schemas["call_4"] is None
    assert receiver.received == []


async def test_what_was_kept_and_edited_runs_and_the_outcome_is_that_of_the_page(
    desk: Desk, receiver: HttpsReceiver
) -> None:
    await desk.decides(DECISION)
    assert desk.receipt()["code"] == "ACCEPTED", desk.receipt()
    [outcome] = desk.outcomes()
    assert holds(outcome["results"], RESULTS)
    note, order = receiver.received
    assert (note.path, note.json["args"]) == ("/orders/ORD-1001/notes", REQUEST["actions"][1]["args"])
    edited = DECISION["changes"]["edited_actions"][0]["args"]
    assert order.json == {
        **edited,
        "side": "buy",
        "client_order_id": f"signoff:{desk.case('CALLS-1001').case_id}:1:call_3",
    }
    assert note.json.keys() == CALL.keys()
    assert holds(note.json, {name: CALL[name] for name in ("action", "args")})
    assert re.sub(r"[0-9a-f-]{36}", "-", note.json["id"]) == re.sub(r"[0-9a-f-]{36}", "-", CALL["id"])


async def test_the_program_of_the_page_verifies_the_call(desk: Desk, receiver: HttpsReceiver) -> None:
    await desk.decides(DECISION)
    names: dict[str, Any] = {}
    exec(VERIFIES, names)  # noqa: S102 - the page is ours, and this is what its readers do
    call = receiver.received[0]
    assert names["received"](SECRET, call.body, dict(call.headers)) == call.json


async def test_an_edit_over_the_limit_is_refused_and_the_question_stays(desk: Desk, receiver: HttpsReceiver) -> None:
    dear = {"symbol": "ACME", "quantity": 5, "limit_price_usd": "120.00"}
    await desk.decides({**DECISION, "changes": {"edited_actions": [{"index": 1, "args": dear}]}})
    receipt = desk.receipt()
    assert receipt["code"] == "INVALID_CHANGES"
    assert "600.00 USD is over the limit of 500 USD" in receipt["message"]
    assert desk.case("CALLS-1001").state == "waiting"
    assert receiver.received == []


async def test_a_request_that_could_not_run_is_not_asked_about(registry: Registry) -> None:
    desk = Desk(parse_policy(POLICY.encode(), "policy.yaml"))
    desk.work_with(executors=registry)
    long = {**REQUEST["actions"][1], "args": {"order_id": "ORD-1001"}}
    await desk.raises({**REQUEST, "actions": [long]})
    [outcome] = desk.outcomes()
    assert outcome["status"] == "failed"
    assert "call_2 (notify_supplier): args: `note` is missing" in outcome["reason"]


def test_the_events_of_the_page_fit_the_contract() -> None:
    assert ExceptionRaised.model_validate(REQUEST).requested_actions[0].id == "call_1"
    assert ReviewDecided.model_validate(DECISION).exception_id == REQUEST["exception_id"]


def test_the_mistakes_on_the_page_are_told_as_it_shows() -> None:
    mistaken = EXECUTORS.replace("limit_usd", "limit_dollars").encode()
    with pytest.raises(ExecutorsError) as refused:
        parse_executors(mistaken, "executors.yaml", lease_s=30, environment={"BROKER_TOKEN": "t"})
    assert f"{refused.value}\n" == blocks("text")[0]


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The note-keeper of the page, as its reader would install it."""
    for name in ("house", "house.notes"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    exec(ADDS_NOTES, vars(sys.modules["house.notes"]))  # noqa: S102
    return parse_executors(NOTES.encode(), "executors.yaml", lease_s=30)


async def test_the_executor_of_the_page_runs_and_does_not(notes: Registry) -> None:
    action = Action(name="add_note", id="1", args={"text": "call her back"})
    assert await notes.run(action, "key-1") == Ran("note-1", {"kept": True})
    assert notes.on_unknown("add_note") is OnUnknown.ASK
    with pytest.raises(ActionFailed, match="at most 40 characters"):
        await notes.run(action.model_copy(update={"args": {"text": "x" * 41}}), "key-2")


def test_a_package_announces_the_executor_of_the_page_in_our_group() -> None:
    assert tomllib.loads(blocks("toml")[0])["project"]["entry-points"][GROUP] == {"add_note": "house.notes:AddNote"}


@pytest.mark.parametrize("quoted", QUOTED)
def test_what_the_page_quotes_of_the_example_is_there(quoted: str) -> None:
    assert quoted in BUY_STOCK


def test_the_page_names_every_status_field_and_word() -> None:
    statuses = [row[0].strip("`") for row in rows("The outcome says what became of each")]
    assert sorted(statuses) == sorted(ActionStatus)
    fields = {name for row in rows("Executors over HTTP") for name in re.findall(r"^`(\w+)`", row[0])}
    assert fields == set(HttpOptions.model_fields)
    words = [row[0].strip("`") for row in rows("When nobody knows whether it ran")]
    assert words == list(OnUnknown)
    raised = [row[0].strip("`") for row in rows("An executor of your own")]
    assert all(issubclass(getattr(executor, name), Exception) for name in raised)
    assert all(f"`{name}`" in rows("What this worker runs itself")[0][1] for name in SHIPPED)


MEANINGS = {
    "it ran": Ran,
    "it was not taken": ActionUnavailable,
    "it may have run": ActionUncertain,
    "it failed": ActionFailed,
}
"""What the page says of an answer; where it says two things, the first is about executors like that of the page."""

ANSWERS = {
    "200 to 299": [Reply(status=200), Reply(status=299)],
    "425, 429, or 503 with `Retry-After`": [
        Reply(status=425),
        Reply(status=429),
        Reply(status=503, headers={"retry-after": "5"}),
    ],
    "408, any other 5xx, no answer, an answer over 64 KiB": [
        *(Reply(status=status) for status in (408, 500, 503, 599)),
        Reply(hangs_up=True),
        Reply(body=b"x" * (64 * 1024 + 1)),
    ],
    "409": [Reply(status=409)],
    "300 to 399": [Reply(status=301), Reply(status=399)],
    "any other 4xx": [Reply(status=400), Reply(status=499)],
}


@pytest.mark.parametrize("row", rows("Executors over HTTP", 1), ids=lambda row: row[0])
async def test_each_answer_means_what_the_page_says(
    row: list[str], registry: Registry, receiver: HttpsReceiver
) -> None:
    answer, says = row
    action = Action.model_validate(REQUEST["actions"][1])
    said = min((words for words in MEANINGS if words in says), key=says.index)
    for reply in ANSWERS[answer]:
        receiver.replies["/orders/ORD-1001/notes"] = reply
        try:
            came: object = await registry.run(action, "key-1")
        except Exception as error:
            came = error
        assert isinstance(came, MEANINGS[said]), (reply, came)
