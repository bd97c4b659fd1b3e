"""The people of a shop: agents that ask for refunds and actions, and reviewers who are believed whatever they say they
are."""

from typing import Any

from tests.builders import Event, refund_event
from tests.simulation.crowd import CANARY, Crowd

REVIEWERS = (
    {"id": "user:maria", "roles": ["manager"]},
    {"id": "user:maria", "roles": ["manager"]},
    {"id": "user:omar", "roles": ["clerk", "manager"]},
    {"id": "user:dora", "roles": ["director", "vp"]},
    {"id": "user:otto", "roles": ["clerk"]},
    {"id": "agent:web-chat", "roles": ["manager"]},
    {"id": " Agent:Web-Chat ", "roles": ["manager"]},
)
CALLS = (
    {"name": "send_email", "args": {"to": "ann"}},
    {"name": "add_note", "args": {"to": "file"}},
    {"name": "buy_stock", "args": {"symbol": "ACME"}},
)
NO_CALL = {"name": "send_email", "args": {}}


class ShopCrowd(Crowd):
    def raise_something(self, number: int) -> None:
        choice, name = self._random, f"EXC-{number}"
        if choice.random() < 0.35:
            calls = choice.sample(CALLS, choice.randint(1, 3)) if choice.random() < 0.9 else [NO_CALL]
            self._raise(
                {
                    "exception_id": name,
                    "kind": "action_request",
                    "requested_by": "agent:web-chat",
                    "actions": calls,
                }
            )
        else:
            kind = self._one_of("refund", "refund", "price_adjustment", "cancellation")
            amount, order = self._one_of(100, 9_000, 15_000, 15_000), self._one_of(*self._orders, *self._orders, "?")
            self._raise(refund_event(name, amount, order_id=order, kind=kind, reason=f"broken {CANARY}"))
        if choice.random() < 0.15:
            self._decide({"exception_id": name}, "approve")  # before anybody was asked

    def _answer(self, question: Event) -> None:
        verdict = self._one_of(*["approve"] * 5, *["modify"] * 3, "reject", "escalate")
        about: Event = {"approval_id": question["approval_id"]}
        if self._random.random() < 0.3:
            about = {"exception_id": question["exception_id"]}
        if self._random.random() < 0.2:
            about["review_hash"] = question["review_hash"]
        if verdict == "modify":
            about["changes"] = self._changes(question)
        self._decide(about, verdict, question)

    def _agree(self, question: Event) -> None:
        reviewer = {"id": f"user:{question['role']}", "roles": [question["role"]]}
        about = {"approval_id": question["approval_id"]}
        self._send({"decision_id": self._next_id(), "verdict": "approve", "reviewer": reviewer, **about})

    def _changes(self, question: Event) -> Any:
        if question["proposal"]["actions"]:
            return self._one_of({"approved_actions": [0]}, {"edited_actions": [{"index": 0, "args": {"to": "bob"}}]})
        amount = {"amount_minor": self._one_of(50, 5_000, 8_000), "currency": "USD"}
        return self._one_of({"amount": amount}, {"amount": amount}, {"method": "store_credit"}, {"ammount": 1})

    def _decide(self, about: Event, verdict: str, question: Event | None = None) -> None:
        reviewer = self._one_of(*REVIEWERS)
        if question is not None and self._random.random() < 0.75:
            reviewer = {"id": f"user:{question['role']}", "roles": [question["role"]]}
        self._send(
            {"decision_id": self._next_id(), "verdict": verdict, "reviewer": reviewer, "comment": CANARY, **about}
        )
