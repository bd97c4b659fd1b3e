"""An agent's tool calls wait for a signature, and are run by the worker as they were signed."""

from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.acceptance.house import POLICIES, Event, House, died
from tests.acceptance.people import DINA, MARIA

EXECUTIONS = Path(__file__).parents[2] / "worker" / "adapters" / "executors" / "signoff_executions.sql"

EXECUTORS = """
executors:
  run_sql:
    use: sql
    database: env:DESK_DATABASE
    allow: [select, update]
    row_limit: 10
    time_limit_s: 1
"""


@pytest.fixture
def desk_database(house: House) -> str:
    """A database of the agent's own, with three customers in it, and the table that the executor keeps its keys in."""
    name = f"desk_{uuid4().hex[:12]}"
    with psycopg.connect(house.database, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    address = urlsplit(house.database)._replace(path=f"/{name}").geturl()
    with psycopg.connect(address) as connection:
        connection.execute("create table customers (name text, tier text)")
        connection.execute("insert into customers values ('Ann', 'standard'), ('Ben', 'standard'), ('Cleo', 'vip')")
        connection.execute(EXECUTIONS.read_bytes())
    return address


@pytest.fixture
def desk(house: House, desk_database: str, tmp_path: Path) -> dict[str, str]:
    """The settings of a worker that runs SQL for the agent."""
    executors = tmp_path / "executors.yaml"
    executors.write_text(EXECUTORS)
    house.environment["DESK_DATABASE"] = desk_database
    return {"executors_file": str(executors), "policy_file": str(POLICIES / "tool_calls.yaml")}


async def asks(house: House, exception_id: str, *actions: Event) -> None:
    request = {"exception_id": exception_id, "kind": "action_request", "requested_by": "agent:desk"}
    await house.send("order-exceptions", {**request, "actions": list(actions)})


def tiers(desk_database: str) -> dict[str, str]:
    with psycopg.connect(desk_database) as connection:
        return dict(connection.execute("select name, tier from customers").fetchall())


def letter(to: object) -> Event:
    return {"to": to, "subject": "Sale", "body": "All mugs, half the price."}


def statement(text: str) -> Event:
    return {"name": "run_sql", "args": {"statement": text}}


async def test_a_dba_narrows_a_statement_before_it_runs(house: House, desk: dict[str, str], desk_database: str) -> None:
    await house.start_worker(**desk)
    await asks(house, "E-1", statement("update customers set tier = 'vip' where tier = 'standard'"))
    asked = await house.question("E-1", "dba")
    [found] = asked["context"]["actions"]
    assert (found["kind"], found["executed_here"]) == ("update", True)
    assert "customers" in str(found["shown"])

    refused = await house.says(
        DINA,
        "modify",
        "E-1",
        changes={"edited_actions": [{"index": 0, "args": {"statement": "delete from customers"}}]},
    )
    assert refused["code"] == "INVALID_CHANGES"
    narrow = {"statement": "update customers set tier = 'vip' where name = 'Ann'"}
    receipt = await house.says(DINA, "modify", "E-1", changes={"edited_actions": [{"index": 0, "args": narrow}]})
    assert receipt["code"] == "ACCEPTED"

    outcome = await house.outcome_of("E-1")
    [result] = outcome["results"]
    assert (outcome["status"], result["status"], result["result"]) == ("executed", "executed", {"affected": 1})
    assert tiers(desk_database) == {"Ann": "vip", "Ben": "standard", "Cleo": "vip"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("update customers set tier = 'vip'; drop table customers", "statement"),
        ("drop table customers", "drop"),
        ("delete from customers where name = 'Ann'", "delete"),
    ],
)
async def test_a_statement_that_may_not_run_is_refused_before_anybody_is_asked(
    house: House, desk: dict[str, str], desk_database: str, text: str, reason: str
) -> None:
    await house.start_worker(**desk)
    await asks(house, "E-1", statement(text))
    outcome = await house.outcome_of("E-1")
    assert (outcome["status"], outcome["results"][0]["status"]) == ("failed", "refused")
    assert reason in outcome["reason"].lower()
    assert len(tiers(desk_database)) == 3


async def test_two_of_three_tool_calls_are_approved(house: House, desk: dict[str, str], desk_database: str) -> None:
    await house.start_worker(**desk)
    mail = [{"id": f"call_{to}", "name": "send_email", "args": letter(f"{to}@shop.example")} for to in ("a", "b", "c")]
    await asks(house, "E-1", {"id": "call_0", "name": "search_orders", "args": {}}, *mail)
    asked = await house.question("E-1", "manager")
    assert [action["id"] for action in asked["proposal"]["actions"]] == ["call_a", "call_b", "call_c"]
    await house.says(MARIA, "modify", "E-1", changes={"approved_actions": [0, 2]})
    outcome = await house.outcome_of("E-1")
    assert {result["id"]: result["status"] for result in outcome["results"]} == {
        "call_0": "approved",
        "call_a": "approved",
        "call_b": "refused",
        "call_c": "approved",
    }


async def test_edited_arguments_that_break_the_schema_are_refused(
    house: House, desk: dict[str, str], desk_database: str
) -> None:
    await house.start_worker(**desk)
    await asks(house, "E-1", {"name": "send_email", "args": letter("ann@shop.example")})
    await house.question("E-1", "manager")
    for args in ({"to": "ann@shop.example"}, letter(7), letter("ann"), {**letter("ann@shop.example"), "bcc": "x"}):
        receipt = await house.says(MARIA, "modify", "E-1", changes={"edited_actions": [{"index": 0, "args": args}]})
        assert receipt["code"] == "INVALID_CHANGES"
        assert "send_email" in receipt["message"]
    right = letter("ben@shop.example")
    await house.says(MARIA, "modify", "E-1", changes={"edited_actions": [{"index": 0, "args": right}]})
    assert (await house.outcome_of("E-1"))["actions"][0]["args"] == right


async def test_an_action_that_wants_no_signature_passes(house: House, desk: dict[str, str], desk_database: str) -> None:
    await house.start_worker(**desk)
    await asks(house, "E-1", {"name": "search_orders", "args": {"order_id": "ORD-1"}})
    outcome = await house.outcome_of("E-1")
    assert (outcome["automatic"], outcome["results"][0]["status"]) == (True, "approved")


@pytest.mark.parametrize("failpoint", ["action.before-call", "action.after-call"])
async def test_a_worker_killed_around_a_statement_runs_it_once(
    house: House, desk: dict[str, str], desk_database: str, failpoint: str
) -> None:
    doomed = await house.start_doomed_worker(failpoint, **desk)
    await asks(house, "E-1", statement("update customers set tier = tier || '!' where name = 'Ann'"))
    await house.question("E-1", "dba")
    await house.decide("D-1", reviewer=DINA, exception_id="E-1")
    await died(doomed)
    await house.start_worker(**desk)
    outcome = await house.outcome_of("E-1")
    assert [result["status"] for result in outcome["results"]] == ["executed"]
    assert tiers(desk_database)["Ann"] == "standard!"
