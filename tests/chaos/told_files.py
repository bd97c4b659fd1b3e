"""The files of a run, written by hand: what was sent, taken in and published, as plain rows that a test can falsify.

`write` puts all of it down as the harness does, with the state after the replay the same unless it is changed on its
own.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

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
class Written:
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
