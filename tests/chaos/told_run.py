"""A run's folder that nobody lived through: written by hand, so that a test can falsify one thing in it.

Everything lies in lists of plain rows, as the dumps have them; `write` puts them down, with the state after the replay
the same unless it is changed on its own. `correct_run.py` tells a run with it in which all is well.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from worker.domain.audit import AuditEntry

Row = dict[str, Any]

CANARY = "kanari-q7x"
BEGAN = 1_795_000_000.0
NAMESPACE = UUID("6f1d5f0e-6f0e-4e1c-9a53-5a1f4cf2b1aa")

LEVELS = {
    "manager": {"role": "manager", "quorum": 1, "escalates_to": "director"},
    "director": {"role": "director", "quorum": 1, "escalates_to": None},
    "board": {"role": "board", "quorum": 2, "escalates_to": None},
    "duty": {"role": "duty", "quorum": 1, "escalates_to": None},
}
REVIEWERS = {
    "user:maria": {"person": "maria", "roles": ["manager", "director"]},
    "USER:MARIA": {"person": "maria", "roles": ["manager", "director"]},
    "user:omar": {"person": "omar", "roles": ["manager"]},
    "user:dora": {"person": "dora", "roles": ["director"]},
    "user:bea": {"person": "bea", "roles": ["board"]},
    "user:bruno": {"person": "bruno", "roles": ["board"]},
    "user:cleo": {"person": "cleo", "roles": ["clerk"]},
}
INPUTS = ("order-exceptions", "review-decisions")
OUTPUTS = ("approvals", "decision-receipts", "order-outcomes", "dead-letters")
TABLES = (
    "approvals audit cases checkpoint_blobs checkpoint_writes checkpoints dead_letters decisions inbox intents "
    "ledger_entries order_balances outbox"
)

PLACE = ("topic", "partition", "offset")


@dataclass
class State:
    """All tables and topics at one moment."""

    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES.split()})
    topics: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in (*INPUTS, *OUTPUTS)})

    def row(self, table: str, **wanted: Any) -> Row:
        """The one row with these columns."""
        found = [row for row in self.tables[table] if wanted.items() <= row.items()]
        assert len(found) == 1, (table, wanted, len(found))
        return found[0]

    def write(self, folder: Path) -> None:
        for name, rows in self.tables.items():
            _write_lines(folder / "tables" / f"{name}.jsonl", rows)
        for name, rows in self.topics.items():
            _write_lines(folder / "topics" / f"{name}.jsonl", rows)


@dataclass
class Told:
    """What everybody wrote down. `now` is the time by which all of it happens; each `tick` is a tenth of a second."""

    first: State = field(default_factory=State)
    replayed: State | None = None
    history: dict[str, list[Row]] = field(
        default_factory=lambda: {name: [] for name in ("traffic", "people", "adversary", "harness")}
    )
    payments: list[Row] = field(default_factory=list)
    effects: list[Row] = field(default_factory=list)
    orders: dict[str, Row] = field(default_factory=dict)
    log: list[str] = field(default_factory=lambda: ['{"event": "started"}'])
    plan: Row = field(default_factory=lambda: {"seed": 1, "cases": 12, "faults": 2, "topic_prefix": "chaos-1-"})
    now: float = BEGAN
    _numbers: Counter[str] = field(default_factory=Counter)

    def tick(self) -> float:
        self.now += 0.1
        return self.now

    def number(self, of: str) -> int:
        self._numbers[of] += 1
        return self._numbers[of]

    def write(self, folder: Path) -> Path:
        self.first.write(folder / "dump")
        if self.replayed is None:
            (folder / "replayed").symlink_to("dump")
        else:
            self.replayed.write(folder / "replayed")
        for party, lines in self.history.items():
            _write_lines(folder / "history" / f"{party}.jsonl", lines)
        _write_lines(folder / "payments.jsonl", self.payments)
        _write_lines(folder / "effects.jsonl", self.effects)
        (folder / "logs").mkdir()
        (folder / "logs" / "w0.log").write_text("\n".join(self.log) + "\n")
        documents = {"plan": self.plan, "orders": self.orders, "reviewers": REVIEWERS, "levels": LEVELS}
        for name, content in {**documents, "canaries": [CANARY]}.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        return folder

    def read_again(self) -> State:
        """The state after the replay, to be changed on its own."""
        self.replayed = deepcopy(self.first)
        return self.replayed

    # What is there, to be falsified

    def case(self, number: int) -> Row:
        return self.first.row("cases", exception_id=f"EXC-{number}")

    def of(self, table: str, number: int) -> list[Row]:
        """The rows of a table that are about a case."""
        return [row for row in self.first.tables[table] if row["case_id"] == self.case(number)["case_id"]]

    def events(self, topic: str, number: int) -> list[Row]:
        """The outbox rows of a case in one topic."""
        case_id = self.case(number)["case_id"]
        return [row for row in self.first.tables["outbox"] if (row["topic"], row["ordering"]) == (topic, case_id)]

    def outcome(self, number: int) -> Row:
        return self.events("order-outcomes", number)[0]

    def record_of(self, event: Row) -> Row:
        """Where an event was first delivered."""
        named = ["ce_id", wrapped(event["event_id"].encode())]
        return next(record for record in self.first.topics[event["topic"]] if named in record["headers"])

    def retell(self, event: Row, **changes: Any) -> None:
        """The event says something else, in the database and in the topic alike."""
        record = self.record_of(event)
        event["payload"] = json.dumps({**json.loads(event["payload"]), **changes})
        record["value"] = wrapped(event["payload"].encode())

    def untell(self, event: Row) -> None:
        """The event was neither committed nor published; what follows in its topic moves up."""
        records = self.first.topics[event["topic"]]
        records.remove(self.record_of(event))
        self.first.tables["outbox"].remove(event)

    def questions(self, number: int) -> list[Row]:
        """The events that asked people about a case."""
        events = self.events("approvals", number)
        return [event for event in events if event["headers"]["ce_type"] == "signoff.approval.needed.v1"]

    def committed(self, event: Row) -> float:
        return datetime.fromisoformat(event["created_at"]).timestamp()

    def movement(self, number: int) -> Row:
        case_id = self.case(number)["case_id"]
        return next(line for line in self.payments if (line["event"], line["case_id"]) == ("moved", case_id))

    # What is sent, and taken in

    def send(self, party: str, topic: str, value: bytes, told: Row, *, offset: bool = True) -> Row:
        """A record, and the line of whoever sent it. Returns the record's place."""
        place = {"topic": topic, "partition": 0, "offset": self.number(topic) - 1}
        self.first.topics[topic].append(_record(place, b"key", [], value, self.tick()))
        known = place if offset else {**place, "partition": None, "offset": None}
        line = {"at": self.now, "event": "sent", **known, "sha256": sha256(value).hexdigest(), **told}
        self.history[party].append(line)
        return place

    def take_in(self, place: Row, type_: str, data: Any, correlation: str) -> Row:
        at = iso(self.tick())
        row: Row = {"inbox_id": self.number("inbox"), **place, "part": 0, "type": type_, "correlation": correlation}
        row |= {"payload": json.dumps(data), "received_at": at, "attempts": 0, "problem": None, "leased_by": None}
        row |= {"available_at": at, "finished_at": iso(self.now + 0.05)}
        self.first.tables["inbox"].append(row)
        return row

    def refuse(self, place: Row, reason: str, value: bytes, detail: str = "it is not as it should be") -> Row:
        at = iso(self.tick())
        row: Row = {
            "dead_letter_id": self.number("dead letters"),
            **place,
            "part": 0,
            "reason": reason,
            "detail": detail,
        }
        row |= {"sha256": sha256(value).hexdigest(), "key": None, "value": "\\x" + value.hex(), "headers": []}
        row |= {"rejected_at": at, "replayed_at": None}
        self.first.tables["dead_letters"].append(row)
        said = {**place, "reason": reason, "detail": detail, "sha256": row["sha256"], "head": ""}
        self.publish("dead-letters", "signoff.message.rejected.v1", said, f"{place['topic']}/{place['partition']}")
        return row

    def publish(self, topic: str, type_: str, data: Row, ordering: str) -> Row:
        """The outbox row of an event, and its record."""
        number = self.number("outbox")
        headers = {"ce_id": str(uuid5(NAMESPACE, f"event {number}")), "ce_type": type_, "ce_specversion": "1.0"}
        row: Row = {
            "outbox_id": number,
            "event_id": headers["ce_id"],
            "ordering": ordering,
            "topic": topic,
            "key": "key",
        }
        row |= {"headers": headers, "payload": json.dumps(data), "created_at": iso(self.now)}
        row |= {"published_at": iso(self.now + 0.01)}
        self.first.tables["outbox"].append(row)
        self.deliver(row)
        return row

    def deliver(self, row: Row) -> None:
        place = {"topic": row["topic"], "partition": 0, "offset": self.number(row["topic"]) - 1}
        headers = [(name, text.encode()) for name, text in row["headers"].items()]
        record = _record(place, row["key"].encode(), headers, row["payload"].encode(), self.now)
        self.first.topics[row["topic"]].append(record)

    # A case

    def raised(self, number: int, *, needs: Sequence[str] = (), class_: str = "raised", **about: Any) -> Row:
        """An exception about an order of its own, sent and taken in; `about` are its fields."""
        order_id = f"ORD-{number}"
        self.orders.setdefault(order_id, {"captured_minor": 100_000, "currency": "USD"})
        event: Row = {"exception_id": f"EXC-{number}", "kind": "refund", "order_id": order_id, "customer_id": "CUST-1"}
        event |= {"requested_by": "agent:web-chat", "reason": CANARY, **about}
        amount = event.get("amount") or {}
        told: Row = {name: event.get(name) for name in ("exception_id", "kind", "order_id", "requested_by")}
        told |= {"amount_minor": amount.get("amount_minor"), "currency": amount.get("currency"), "needs": list(needs)}
        told |= {"quorum": {level: LEVELS[level]["quorum"] for level in needs}, "class": class_}
        place = self.send("traffic", "order-exceptions", json.dumps(event).encode(), told)
        self.take_in(place, "signoff.exception.raised.v1", event, event["exception_id"])
        return event

    def opened(self, event: Row, *, state: str = "executing", automatic: bool = True) -> Row:
        case: Row = {
            "case_id": str(uuid5(NAMESPACE, event["exception_id"])),
            **{name: event.get(name) for name in ("exception_id", "order_id", "customer_id", "kind")},
            "state": "opened",
            "version": 0,
            "opened_at": iso(self.now),
            "finished_at": None,
            "body": {
                "facts": {"exception": event, "round": 1},
                "automatic": automatic,
                "audit_head": "",
                "reason": "",
            },
        }
        self.first.tables["cases"].append(case)
        self.step(case, state, "system" if automatic else event["requested_by"], "opened")
        return case

    def step(self, case: Row, state: str, actor: str, action: str, **detail: Any) -> None:
        """The case's next version, with its audit entry as the worker seals it."""
        case["version"] += 1
        entry = AuditEntry(
            case_id=UUID(case["case_id"]),
            number=case["version"],
            at=datetime.fromtimestamp(self.tick(), UTC),
            actor=actor,
            action=action,
            from_state=case["state"],
            to_state=state,
            detail={"policy": "1", **detail},
            previous_hash=case["body"]["audit_head"],
        ).sealed()
        self.first.tables["audit"].append(entry.model_dump(mode="json"))
        case["state"], case["body"]["audit_head"] = state, entry.hash

    def asked(self, case: Row, level: str, proposal: Row | None = None, *, due_s: float = 3600, **more: Any) -> Row:
        """A question about the case, which must just have come to wait."""
        approval_id = str(uuid5(NAMESPACE, f"approval {self.number('approvals')}"))
        event, round_ = case["body"]["facts"]["exception"], case["body"]["facts"]["round"]
        proposal = proposal or {"action": event["kind"], "amount": event.get("amount"), "method": "original_method"}
        question: Row = {"level": {"name": level, "number": 1, "of": 1}, "round": round_, "proposal": proposal}
        row: Row = {"approval_id": approval_id, "case_id": case["case_id"], "exception_id": case["exception_id"]}
        row |= {"case_version": case["version"], "due_at": iso(self.now + due_s), "closed_at": None}
        row |= {"available_at": iso(self.now + due_s), "body": {"question": question, "role": LEVELS[level]["role"]}}
        self.first.tables["approvals"].append(row)
        said = {**question, "approval_id": approval_id, "case_id": case["case_id"], "quorum": LEVELS[level]["quorum"]}
        said |= {"exception_id": case["exception_id"], "requested_by": event["requested_by"], "due_at": row["due_at"]}
        said["requested_at"] = iso(self.now)
        said |= {"allowed_verdicts": ["approve", "reject", "modify", "choose", "escalate"], "role": row["body"]["role"]}
        said |= {"review_hash": f"seal of {approval_id}", "alternatives": [], **more}
        self.publish("approvals", "signoff.approval.needed.v1", said, case["case_id"])
        return row

    def closed(self, approval: Row, as_: str, by: str) -> None:
        approval["closed_at"] = iso(self.now)
        approval["body"] |= {"closed_as": as_, "closed_by": by}
        said = {name: approval[name] for name in ("approval_id", "case_id", "exception_id")}
        said |= {"change": "closed", "by": by, "at": approval["closed_at"], "reason": as_}
        self.publish("approvals", "signoff.approval.updated.v1", said, approval["case_id"])

    def decided(
        self,
        approval: Row,
        verdict: str,
        reviewer: str,
        code: str = "ACCEPTED",
        *,
        party: str = "people",
        class_: str = "valid",
        **more: Any,
    ) -> Row:
        """A decision: sent, taken in, on record, and answered. The case does not move by it."""
        decision_id = f"D-{self.number('decisions')}"
        said: Row = {"decision_id": decision_id, "approval_id": approval["approval_id"], "verdict": verdict}
        said |= {"reviewer": {"id": reviewer, "roles": []}, **more}
        told: Row = {"decision_id": decision_id, "approval_id": approval["approval_id"], "class": class_}
        told |= {"hostile": party == "adversary", "verdict": verdict, "reviewer": reviewer}
        place = self.send(party, "review-decisions", json.dumps(said).encode(), told)
        self.take_in(place, "signoff.review.decided.v1", said, approval["approval_id"])
        receipt = self.answered(said, approval, code)
        row: Row = {"decision_id": decision_id, "approval_id": approval["approval_id"], "case_id": approval["case_id"]}
        row |= {"reviewer": reviewer, "reviewer_key": reviewer.lower(), "verdict": verdict, "command": None}
        row |= {"code": code, "body": said, "receipt": receipt, "received_at": iso(self.tick())}
        self.first.tables["decisions"].append(row)
        return row

    def answered(self, said: Row, approval: Row, code: str) -> Row:
        receipt: Row = {"decision_id": said["decision_id"], "approval_id": approval["approval_id"], "code": code}
        receipt |= {"case_id": approval["case_id"], "accepted": code in ("ACCEPTED", "RECORDED"), "message": "so it is"}
        self.publish("decision-receipts", "signoff.review.receipt.v1", receipt, approval["case_id"])
        return receipt

    def intends(self, case: Row, content: Row) -> Row:
        key = f"signoff:{case['case_id']}:{case['body']['facts']['round']}"
        row: Row = {"idempotency_key": key, "case_id": case["case_id"], "state": "pending", "attempts": 0, "takes": 0}
        row |= {"reference": None, "problem": None, "body": content, "created_at": iso(self.now)}
        row |= {"finished_at": None, "available_at": iso(self.now)}
        self.first.tables["intents"].append(row)
        return row

    def paid(self, case: Row, amount: Row) -> Row:
        """The intent, and the money that moved under it."""
        intent = self.intends(case, {"type": "payment", "amount": amount})
        self.tick()
        line = self._of_payment(case, intent, amount)
        reference = f"pay-{self.number('payments')}"
        self.payments.append({**line, "event": "asked", "at": self.tick(), "fault": "timeout-after"})
        self.payments.append({**line, "event": "moved", "at": self.tick(), "reference": reference, "fault": None})
        intent |= {"state": "succeeded", "reference": reference, "finished_at": iso(self.tick())}
        self.first.tables["order_balances"].append(
            {
                "order_id": case["order_id"],
                "currency": amount["currency"],
                "captured_minor": 100_000,
                "refunded_minor": amount["amount_minor"],
            }
        )
        detail = {"idempotency_key": intent["idempotency_key"], "reference": reference}
        self.ended(case, "executed", "paid", amount=amount, payment_reference=reference, detail=detail)
        return intent

    def declined(self, case: Row, amount: Row) -> Row:
        intent = self.intends(case, {"type": "payment", "amount": amount})
        line = self._of_payment(case, intent, amount)
        self.payments.append({**line, "event": "refused", "at": self.tick(), "fault": "declined"})
        intent |= {"state": "failed", "problem": "declined", "finished_at": iso(self.tick())}
        return intent

    def _of_payment(self, case: Row, intent: Row, amount: Row) -> Row:
        line: Row = {
            "idempotency_key": intent["idempotency_key"],
            "order_id": case["order_id"],
            "case_id": case["case_id"],
        }
        line |= {"amount": amount["amount_minor"], "currency": amount["currency"], "method": "original_method"}
        return {**line, "status": "succeeded", "reference": ""}

    def ran(self, case: Row, intent: Row, id_: str, name: str, args: Mapping[str, Any]) -> Row:
        key = f"{intent['idempotency_key']}:{id_}"
        line: Row = {"at": self.tick(), "idempotency_key": key, "case_id": case["case_id"], "name": name, "args": args}
        self.effects.append(line)
        return line

    def ended(self, case: Row, state: str, action: str, *, detail: Row | None = None, **told: Any) -> Row:
        """The case's last step and its outcome."""
        self.step(case, state, "system", action, **(detail or {}))
        case["finished_at"] = iso(self.now)
        said: Row = {name: case[name] for name in ("case_id", "exception_id", "order_id", "kind")}
        said |= {"status": state, "automatic": case["body"]["automatic"], "amount": None, "method": None}
        said |= {"payment_reference": None, "reason": None, "decided_by": [], "results": None}
        if told.get("amount"):
            said["method"] = "original_method"
        return self.publish("order-outcomes", "signoff.resolution.outcome.v1", {**said, **told}, case["case_id"])


def _record(place: Row, key: bytes, headers: Iterable[tuple[str, bytes]], value: bytes, at: float) -> Row:
    return {
        "partition": place["partition"],
        "offset": place["offset"],
        "timestamp": int(at * 1000),
        "key": wrapped(key),
        "headers": [[name, wrapped(held)] for name, held in headers],
        "value": wrapped(value),
    }


def wrapped(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def usd(amount_minor: int) -> Row:
    return {"amount_minor": amount_minor, "currency": "USD"}


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _write_lines(file: Path, rows: Iterable[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
