"""`signoff decide`: every verdict, and files of them, beside a worker that runs."""

import json
from pathlib import Path
from typing import Any

from tests.commands import signoff_beside
from tests.integration.conftest import worker_running
from tests.records import raise_exceptions, refund, seen
from worker.settings import Settings

LARGE = {"amount_minor": 150_000, "currency": "USD"}
PAID = {"captured": {"amount_minor": 200_000, "currency": "USD"}, "status": "delivered"}


def decide(settings: Settings, name: str, *words: str, reviewer: str = "user:maria", role: str = "manager") -> Any:
    return signoff_beside(settings, "decide", name, *words, "--reviewer", reviewer, "--role", role)


async def shown(settings: Settings, name: str) -> Any:
    ran = await signoff_beside(settings, "cases", "show", name, "--json")
    assert ran.code == 0, ran.err
    return ran.json


def decision(name: str, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "decision_id": f"D-{number}",
        "exception_id": name,
        "verdict": "approve",
        "reviewer": {"id": "user:maria", "roles": ["manager"]},
        **fields,
    }


async def test_a_chosen_method_is_the_one_that_pays(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert (await decide(running_worker, "EXC-1", "choose", "--choice", "bank_transfer")).code == 0
    await seen(running_worker, ("order-outcomes",), "exception_id", {"EXC-1"})
    assert (await shown(running_worker, "EXC-1"))["case"]["proposal"]["method"] == "bank_transfer"


async def test_an_alternative_is_chosen_by_its_number(running_worker: Settings) -> None:
    await raise_exceptions(
        running_worker, refund("EXC-1", alternatives=[{"action": "refund", "method": "store_credit"}])
    )
    unknown = await decide(running_worker, "EXC-1", "choose", "--choice", "1")
    assert unknown.out.startswith("INVALID_CHANGES: ")
    assert (await decide(running_worker, "EXC-1", "choose", "--choice", "0")).code == 0
    assert (await shown(running_worker, "EXC-1"))["case"]["proposal"]["method"] == "store_credit"


async def test_an_escalation_may_name_the_level_to_ask(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    assert (await decide(running_worker, "EXC-1", "escalate", "--escalate-to", "vp")).code == 0
    file = await shown(running_worker, "EXC-1")
    assert [one["closed_as"] for one in file["approvals"]] == ["escalated", None]
    assert file["approvals"][-1]["role"] == "vp"


async def test_a_rejection_may_say_what_the_customer_is_told(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1"))
    rejected = await decide(running_worker, "EXC-1", "reject", "--message", "We need the parcel back first.")
    assert rejected.code == 0, rejected.out
    await seen(running_worker, ("order-outcomes",), "exception_id", {"EXC-1"})
    page = await signoff_beside(running_worker, "cases", "show", "EXC-1")
    assert "We need the parcel back first." in page.out


async def test_only_the_approved_actions_are_kept(running_worker: Settings) -> None:
    actions: list[dict[str, Any]] = [{"name": name} for name in ("send_email", "close_ticket", "refund_shipping")]
    await raise_exceptions(
        running_worker,
        {
            "exception_id": "EXC-1",
            "kind": "action_request",
            "requested_by": "agent:mailer",
            "actions": actions,
            "irreversible": True,
        },
    )
    kept = await decide(running_worker, "EXC-1", "modify", "--approved-action", "0", "--approved-action", "2")
    assert kept.code == 0, kept.out
    proposal = (await shown(running_worker, "EXC-1"))["case"]["proposal"]
    assert [action["name"] for action in proposal["actions"]] == ["send_email", "refund_shipping"]


BUYS = """
name: desk
base_currency: USD
levels:
  manager: {role: manager, due_in: 24h, on_timeout: reject, allowed_verdicts: [approve, reject, modify]}
actions:
  buy_stock:
    level: manager
    risk: high
    args_schema:
      type: object
      required: [symbol, quantity]
      properties: {symbol: {type: string}, quantity: {type: integer, maximum: 100}}
  look_up: {signature: none}
rules:
  - {id: unsure, when: exception.confidence < 0.5, says: the agent is unsure, level: manager, risk: medium}
"""


def purchase(exception_id: str) -> dict[str, Any]:
    return {
        "exception_id": exception_id,
        "kind": "action_request",
        "requested_by": "agent:broker",
        "actions": [
            {"name": "look_up", "args": {"symbol": "ACME"}},
            {"name": "buy_stock", "args": {"symbol": "ACME", "quantity": 80}},
        ],
    }


async def test_arguments_are_edited_at_the_command_line_and_in_a_batch(migrated: Settings, tmp_path: Path) -> None:
    policy = tmp_path / "desk.yaml"
    policy.write_text(BUYS)
    settings = migrated.model_copy(update={"policy_file": policy})
    async with worker_running(settings):
        await raise_exceptions(settings, purchase("EXC-1"), purchase("EXC-2"))
        many = '0={"symbol": "ACME", "quantity": 5000}'
        refused = await decide(settings, "EXC-1", "modify", "--edit-action", many)
        assert refused.code == 1
        assert refused.out.startswith("INVALID_CHANGES: changes.edited_actions: action 1 (buy_stock): args.quantity")
        page = (await signoff_beside(settings, "cases", "show", "EXC-1")).out
        assert '{"symbol": "ACME", "quantity": 80}' in page
        assert "needs no signature" in page

        args = tmp_path / "args.json"
        args.write_text('{"symbol": "ACME", "quantity": 50}')
        edited = await decide(settings, "EXC-1", "modify", "--edit-action", f"0=@{args}")
        assert edited.code == 0, edited.out
        batch = tmp_path / "monday.jsonl"
        edits = [{"index": 0, "args": {"symbol": "ACME", "quantity": 20}}]
        batch.write_text(json.dumps(decision("EXC-2", 1, verdict="modify", changes={"edited_actions": edits})))
        assert (await signoff_beside(settings, "decide", "--batch", str(batch))).code == 0

        await seen(settings, ("order-outcomes",), "exception_id", {"EXC-1", "EXC-2"})
        for name, quantity in (("EXC-1", 50), ("EXC-2", 20)):
            [bought] = (await shown(settings, name))["case"]["proposal"]["actions"]
            assert bought["args"]["quantity"] == quantity


async def test_the_page_tells_the_rounds_the_levels_and_who_signed(running_worker: Settings) -> None:
    await raise_exceptions(running_worker, refund("EXC-1", amount=LARGE, order=PAID))
    assert (await decide(running_worker, "EXC-1", "request_changes", "--comment", "ask for a photo")).code == 0
    assert (await decide(running_worker, "EXC-1", "approve")).code == 0
    page = await signoff_beside(running_worker, "cases", "show", "EXC-1")
    assert page.code == 0, page.err
    assert "round 1: user:maria (manager) at " in page.out
    assert "ask for a photo" in page.out
    assert "approve by user:maria (manager) at " in page.out
    assert "director (level director, 2 of 2)" in page.out
    assert "a reminder in 11 h 59 min" in page.out
    questions = [line.split() for line in page.out.splitlines() if line.startswith(("manager,", "director,"))]
    assert [(words[0].rstrip(","), words[5]) for words in questions] == [
        ("manager", "1"),
        ("manager", "2"),
        ("director", "2"),
    ]


async def test_a_batch_is_answered_one_by_one_and_fails_when_one_is_refused(
    running_worker: Settings, tmp_path: Path
) -> None:
    await raise_exceptions(running_worker, *(refund(f"EXC-{n}", customer_id=f"CUST-{n}") for n in (1, 2, 3)))
    file = tmp_path / "monday.jsonl"
    nobody = {"id": "user:eve", "roles": ["clerk"]}
    decisions = [
        decision("EXC-1", 1),
        decision("EXC-2", 2, reviewer=nobody),
        decision("EXC-3", 3, verdict="reject"),
        decision("EXC-404", 4),
    ]
    file.write_text("\n".join(map(json.dumps, decisions)))
    ran = await signoff_beside(running_worker, "decide", "--batch", str(file))
    assert ran.code == 1
    *lines, sums = ran.out.splitlines()
    answers = {line.split()[0]: line.split()[1].rstrip(":") for line in lines}
    assert answers == {"D-1": "ACCEPTED", "D-2": "NOT_AUTHORISED", "D-3": "ACCEPTED", "D-4": "UNKNOWN_APPROVAL"}
    assert all(line.endswith(f"line {line.split()[0][-1]})") for line in lines)
    assert sums == "4 sent: 2 accepted, 2 refused (1 NOT_AUTHORISED, 1 UNKNOWN_APPROVAL), 0 without a receipt"
    assert (await shown(running_worker, "EXC-1"))["case"]["state"] == "executed"
    assert (await shown(running_worker, "EXC-3"))["case"]["state"] == "rejected"


async def test_a_batch_of_which_all_are_accepted_ends_with_0(running_worker: Settings, tmp_path: Path) -> None:
    events = [refund(f"EXC-{n}", customer_id=f"CUST-{n}") for n in range(20)]
    await raise_exceptions(running_worker, *events)
    file = tmp_path / "monday.json"
    nameless = [decision(event["exception_id"], 0, decision_id=None) for event in events]
    file.write_text(json.dumps({"decisions": nameless}))
    ran = await signoff_beside(running_worker, "decide", "--batch", str(file), "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["sent"], ran.json["accepted"], ran.json["refused"], ran.json["missing"]) == (20, 20, {}, 0)
    assert len({answered["decision_id"] for answered in ran.json["decisions"]}) == 20
    assert ran.json["decisions"][19]["place"] == f"{file}, line 1, decision 20"


async def test_a_batch_that_nobody_answers_names_each_id_for_the_next_try(
    waiting_without_worker: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "monday.json"
    file.write_text(json.dumps([decision("EXC-1", 1)]))
    silent = await signoff_beside(waiting_without_worker, "decide", "--batch", str(file), "--timeout", "0.5")
    assert silent.code == 1
    assert silent.out.startswith(f"D-1  no receipt  ({file}, line 1, item 1)\n1 sent: 0 accepted, 0 refused, 1 without")
    sent = await signoff_beside(waiting_without_worker, "decide", "--batch", str(file), "--no-wait")
    assert (sent.code, sent.out.splitlines()[-1]) == (0, "1 sent; their receipts are not waited for")
