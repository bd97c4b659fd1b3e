"""Those outside: they raise things, read what is asked, and answer well, late, twice, in each other's name, or not."""

from typing import TYPE_CHECKING, Any

from schemas.catalogue import REVIEW_DECISIONS
from schemas.events import ExceptionWithdrawn
from tests.builders import Event, refund_event

if TYPE_CHECKING:
    from tests.simulation.world import World

REVIEWERS = [
    {"id": "user:maria", "roles": ["manager"]},
    {"id": "user:maria", "roles": ["manager"]},
    {"id": "user:omar", "roles": ["clerk", "manager"]},
    {"id": "user:dora", "roles": ["director", "vp"]},
    {"id": "user:otto", "roles": ["clerk"]},
    {"id": "agent:web-chat", "roles": ["manager"]},
]
CALLS = [
    {"name": "send_email", "args": {"to": "ann"}},
    {"name": "add_note", "args": {"to": "file"}},
    {"name": "buy_stock", "args": {"symbol": "ACME"}},
    {"name": "send_email", "args": {}},
]


class Crowd:
    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = world.random
        self._read = 0
        self._decisions = 0
        self._is_there = True

    def go_home(self) -> None:
        self._is_there = False

    def raise_something(self, number: int) -> None:
        random, name = self._random, f"EXC-{number}"
        if random.random() < 0.25:
            calls = random.sample(CALLS[:3], random.randint(1, 3)) if random.random() < 0.9 else CALLS[3:]
            event: Event = {
                "exception_id": name,
                "kind": "action_request",
                "requested_by": "agent:web-chat",
                "actions": calls,
            }
        else:
            kind = random.choice(["refund", "refund", "price_adjustment", "cancellation"])
            amount, order = random.choice([100, 9_000, 15_000, 15_000]), random.choice(["ORD-1", "ORD-1", "ORD-2", "?"])
            event = refund_event(name, amount, order_id=order, kind=kind)
        self._world.publish(event)
        if random.random() < 0.1:
            self._world.after(random.uniform(0, 900), lambda: self._world.publish({**event, "reason": "changed"}))
        if random.random() < 0.1:
            gone = {"exception_id": name, "requested_by": "agent:web-chat"}
            self._world.after(
                random.uniform(0, 90_000), lambda: self._world.publish(gone, kind=ExceptionWithdrawn.TYPE)
            )
        if random.random() < 0.15:
            self._decide({"exception_id": name}, "approve")  # before anybody was asked

    def look(self) -> None:
        """Whoever is asked something new answers it after a while, some of them twice and some of them at once."""
        asked = self._world.desk.asked()
        for question in asked[self._read :]:
            for _ in range(self._random.choice([0, 1, 1, 1, 2, 3])):
                wait = self._random.choice([0.0, 5.0, 600.0, 40_000.0, 86_400.0])
                self._world.after(wait, lambda question=question: self._answer(question))  # type: ignore[misc]
        self._read = len(asked)

    def _answer(self, question: Event) -> None:
        if not self._is_there:
            return
        verdict = self._random.choice(["approve", "approve", "approve", "modify", "reject", "escalate"])
        about: Event = {"approval_id": question["approval_id"]}
        if self._random.random() < 0.3:
            about = {"exception_id": question["exception_id"]}
        if self._random.random() < 0.2:
            about["review_hash"] = question["review_hash"]
        if verdict == "modify":
            about["changes"] = self._changes(question)
        self._decide(about, verdict, question)

    def _changes(self, question: Event) -> Event:
        shown = question["proposal"]
        if shown["actions"]:
            return self._random.choice(
                [{"approved_actions": [0]}, {"edited_actions": [{"index": 0, "args": {"to": "bob"}}]}]
            )
        amount = {"amount_minor": self._random.choice([100, 9_000, 15_000]), "currency": "USD"}
        return self._random.choice([{"amount": amount}, {"method": "store_credit"}, {"ammount": 1}])

    def _decide(self, about: Event, verdict: str, question: Event | None = None) -> None:
        reviewer = dict(self._random.choice(REVIEWERS))
        if question is not None and self._random.random() < 0.5:
            reviewer = {"id": f"user:{question['role']}", "roles": [question["role"]]}
        self._decisions += 1
        decision: dict[str, Any] = {
            "decision_id": f"D-{self._decisions}",
            "verdict": verdict,
            "reviewer": reviewer,
            **about,
        }
        self._world.publish(decision, REVIEW_DECISIONS.name)
