"""A run in which all is well: a case of every sort, some poison, and an adversary who gets nowhere."""

import base64
import json

from tests.chaos.told_files import PLACE, Row, iso, usd, wrapped
from tests.chaos.told_run import Told


def correct_run() -> Told:
    told = Told()
    told.history["harness"] += [
        {"at": told.now, "event": "worker-started", "worker": "w0", "pid": 1, "failpoints": None},
        {"at": told.now, "event": "fault-began", "fault": "kill-at-failpoint", "id": 0},
        {"at": told.now, "event": "failpoint", "worker": "w0", "failpoint": "payment.after-call", "fault": "kill"}
        | {"states": ["executing"]},
        {"at": told.now, "event": "worker-ended", "worker": "w0", "pid": 1, "signal": 9},
        {"at": told.now, "event": "recovered", "after": "kill", "seconds": 1.5},
        {"at": told.now, "event": "recovered", "after": "kill", "seconds": 2.5},
    ]
    _automatic(told)
    _modified(told)
    _two_levels(told)
    _quorum(told)
    _rejected(told)
    _expired(told)
    _actions(told)
    _declined_once(told)
    _withdrawn(told)
    _waiting(told)
    _escalated(told)
    _without_money(told)
    _poison(told)
    told.history["harness"].append({"at": told.tick(), "event": "replay-began"})
    return told


def _automatic(told: Told) -> None:
    """EXC-1, and once more the same."""
    event = told.raised(1, amount=usd(5_000))
    told.raised(1, amount=usd(5_000), class_="duplicate")
    told.paid(told.opened(event), usd(5_000))


def _modified(told: Told) -> None:
    """EXC-2: 150.00 are asked for, 120.00 approved; then somebody contradicts, and somebody else is too late."""
    event = told.raised(2, needs=["manager"], amount=usd(15_000))
    case = told.opened(event, state="waiting", automatic=False)
    approval = told.asked(case, "manager")
    told.decided(approval, "approve", "user:cleo", "NOT_AUTHORISED", party="adversary", class_="outsider")
    decision = told.decided(approval, "modify", "user:maria", changes={"amount": usd(12_000)})
    told.closed(approval, "modified", "user:maria")
    told.step(case, "executing", "user:maria", "modified", decision_id=decision["decision_id"])
    told.paid(case, usd(12_000))
    told.decided(approval, "approve", "user:omar", "ALREADY_DECIDED", class_="late")
    again = told.history["people"][-2]
    value = base64.b64decode(told.first.topics["review-decisions"][again["offset"]]["value"])
    place = told.send("people", "review-decisions", value, {**_told_of(again), "class": "doubled"})
    told.take_in(place, "signoff.review.decided.v1", json.loads(value), approval["approval_id"])
    told.answered(json.loads(value), approval, "DUPLICATE")
    other = told.raised(2, needs=["manager"], amount=usd(14_000), class_="conflict")
    row = told.first.tables["inbox"][-1]
    place = {name: row[name] for name in PLACE}
    told.refuse(place, "CONFLICTING_DUPLICATE", json.dumps(other).encode())


def _told_of(line: Row) -> Row:
    return {
        name: held for name, held in line.items() if name not in ("at", "event", "topic", "partition", "offset")
    } | {"sha256": line["sha256"]}


def _two_levels(told: Told) -> None:
    """EXC-3."""
    event = told.raised(3, needs=["manager", "director"], amount=usd(80_000))
    case = told.opened(event, state="waiting", automatic=False)
    for level, reviewer, state in (("manager", "user:maria", "waiting"), ("director", "user:dora", "executing")):
        approval = told.asked(case, level)
        decision = told.decided(approval, "approve", reviewer)
        told.closed(approval, "approved", reviewer)
        told.step(case, state, reviewer, "approved", decision_id=decision["decision_id"])
    told.paid(case, usd(80_000))


def _quorum(told: Told) -> None:
    """EXC-4: two of the board."""
    event = told.raised(4, needs=["board"], kind="price_adjustment", amount=usd(3_000))
    case = told.opened(event, state="waiting", automatic=False)
    approval = told.asked(case, "board")
    first = told.decided(approval, "approve", "user:bea", "RECORDED")
    told.step(case, "waiting", "user:bea", "signed", decision_id=first["decision_id"])
    last = told.decided(approval, "approve", "user:bruno")
    told.closed(approval, "approved", "user:bruno")
    told.step(case, "executing", "user:bruno", "approved", decision_id=last["decision_id"])
    told.paid(case, usd(3_000))


def _rejected(told: Told) -> None:
    """EXC-5."""
    event = told.raised(5, needs=["manager"], amount=usd(20_000))
    case = told.opened(event, state="waiting", automatic=False)
    approval = told.asked(case, "manager")
    decision = told.decided(approval, "reject", "user:omar")
    told.closed(approval, "rejected", "user:omar")
    detail = {"decision_id": decision["decision_id"]}
    told.step(case, "waiting", "user:omar", "noted", **detail)
    told.ended(case, "rejected", "rejected", detail=detail)


def _expired(told: Told) -> None:
    """EXC-6."""
    event = told.raised(6, needs=["duty"], amount=usd(2_000))
    case = told.opened(event, state="waiting", automatic=False)
    approval = told.asked(case, "duty", due_s=0.2)
    told.now += 0.5
    told.closed(approval, "expired", "system")
    told.ended(case, "expired", "expired", reason="nobody decided")


def _actions(told: Told) -> None:
    """EXC-7: two tool calls are asked for, one is approved, in another form."""
    listed = [{"name": "send_email", "args": {"to": "ann"}}, {"name": "add_note", "args": {"to": "ann"}}]
    event = told.raised(7, needs=["manager"], kind="action_request", order_id=None, actions=listed)
    case = told.opened(event, state="waiting", automatic=False)
    shown = [{**action, "id": str(index)} for index, action in enumerate(listed)]
    approval = told.asked(case, "manager", {"action": "action_request", "amount": None, "actions": shown})
    changes = {"approved_actions": [0], "edited_actions": [{"index": 0, "args": {"to": "bob"}}]}
    decision = told.decided(approval, "modify", "user:maria", changes=changes)
    told.closed(approval, "modified", "user:maria")
    told.step(case, "executing", "user:maria", "modified", decision_id=decision["decision_id"])
    intent = told.intends(case, {"type": "actions"})
    told.ran(case, intent, "0", "send_email", {"to": "bob"})
    intent |= {"state": "succeeded", "finished_at": iso(told.tick())}
    results = [
        {"id": "0", "name": "send_email", "status": "executed"},
        {"id": "1", "name": "add_note", "status": "refused"},
    ]
    actions = [{"id": "0", "name": "send_email", "args": {"to": "bob"}}]
    told.ended(case, "executed", "action ran", results=results, actions=actions)


def _declined_once(told: Told) -> None:
    """EXC-8: nobody need be asked, but the payment is declined; then a manager says once more."""
    event = told.raised(8, amount=usd(4_000))
    case = told.opened(event)
    told.declined(case, usd(4_000))
    case["body"]["facts"]["round"] = 2
    told.step(case, "waiting", "system", "payment declined")
    approval = told.asked(case, "manager")
    decision = told.decided(approval, "approve", "user:omar")
    told.closed(approval, "approved", "user:omar")
    told.step(case, "executing", "user:omar", "approved", decision_id=decision["decision_id"])
    told.paid(case, usd(4_000))


def _withdrawn(told: Told) -> None:
    """EXC-9."""
    event = told.raised(9, needs=["manager"], amount=usd(20_000))
    case = told.opened(event, state="waiting", automatic=False)
    approval = told.asked(case, "manager")
    back = {"exception_id": "EXC-9", "requested_by": "agent:web-chat"}
    headers = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "signoff.exception.withdrawn.v1"}
    value = json.dumps(back).encode()
    place = told.send("traffic", "order-exceptions", value, {"class": "withdrawn", "exception_id": "EXC-9"})
    record = told.first.topics["order-exceptions"][-1]
    record["headers"] = [[f"ce_{name}", wrapped(text.encode())] for name, text in headers.items()]
    told.take_in(place, headers["type"], back, "EXC-9")
    told.closed(approval, "withdrawn", "agent:web-chat")
    told.ended(case, "withdrawn", "withdrawn", reason="withdrawn by its requester")


def _waiting(told: Told) -> None:
    """EXC-10: nobody has answered yet."""
    event = told.raised(10, needs=["manager"], amount=usd(20_000))
    told.asked(told.opened(event, state="waiting", automatic=False), "manager")


def _escalated(told: Told) -> None:
    """EXC-11: the manager lets the director decide."""
    event = told.raised(11, needs=["manager"], amount=usd(20_000))
    case = told.opened(event, state="waiting", automatic=False)
    for level, verdict, reviewer, as_, state in (
        ("manager", "escalate", "user:omar", "escalated", "waiting"),
        ("director", "approve", "user:dora", "approved", "executing"),
    ):
        approval = told.asked(case, level)
        decision = told.decided(approval, verdict, reviewer)
        told.closed(approval, as_, reviewer)
        told.step(case, state, reviewer, as_, decision_id=decision["decision_id"])
    told.paid(case, usd(20_000))


def _without_money(told: Told) -> None:
    """EXC-12: an account change, which others carry out."""
    event = told.raised(12, needs=["director"], kind="account_change", changes={"email": "a@example.org"})
    case = told.opened(event, state="waiting", automatic=False)
    approval = told.asked(case, "director", {"action": "account_change", "amount": None})
    decision = told.decided(approval, "approve", "user:dora")
    told.closed(approval, "approved", "user:dora")
    told.step(case, "waiting", "user:dora", "approved", decision_id=decision["decision_id"])
    told.ended(case, "executed", "approved", changes=event["changes"])


def _poison(told: Told) -> None:
    told.refuse(told.send("traffic", "order-exceptions", b"{", {"class": "poison"}), "INVALID_JSON", b"{")
