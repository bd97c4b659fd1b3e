"""Those outside: they raise things, read what is asked on its topic, and answer well, late, twice, in each other's
name, or not."""

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS
from schemas.events import ExceptionWithdrawn, RecoveryRequested
from tests.builders import Event

CANARY = "canary-7d1f"
"""Stands in whatever people write: it may be shown to those who are asked, and is told nobody else."""

POISON = (b"", b"\xff\xfe", b"{", b"[]", b"null", b'{"exception_id": 7}', b'{"kind": "refund"}', b"[" * 5_000)

RECOVERS = "R-"
"""How the id of an operator's request begins."""


class Sends(Protocol):
    """How people reach the topics."""

    def publish(self, event: Event, topic: str, kind: str | None = None) -> None: ...

    def after(self, seconds: float, do: Callable[[], None]) -> None: ...

    def spoil(self, topic: str, value: bytes) -> None:
        """A record that is no message."""
        ...


AT_ONCE = 0.5
"""How often whatever was asked about an order is approved at one moment."""

LATEST = 20
"""Exceptions that people have in mind: of a year's, most are over."""


class Crowd:
    """`raise_something`, `_answer` and `_agree` are what the people of a house do in their own way. `orders` are those
    that the shop knows."""

    def __init__(self, choice: random.Random, sends: Sends, orders: Sequence[str]) -> None:
        self._random, self._sends, self._orders = choice, sends, orders
        self._seen: set[str] = set()
        self._asked: dict[str, Event] = {}
        """The latest question about each exception."""
        self._answers: list[Event] = []
        self._is_there = True

    def go_home(self) -> None:
        self._is_there = False

    def raise_something(self, number: int) -> None:
        raise NotImplementedError

    def _answer(self, question: Event) -> None:
        raise NotImplementedError

    def _agree(self, question: Event) -> None:
        """Somebody who may approves it."""
        raise NotImplementedError

    def reads(self, event_id: str, event: Event) -> None:
        """Whoever is asked something new answers it after a while, some of them twice and some of them at once."""
        if "review_hash" not in event or event_id in self._seen:
            return
        self._seen.add(event_id)
        self._asked[event["exception_id"]] = event
        for _ in range(self._random.choice([0, 1, 1, 1, 1, 2, 3]) + 2 * (event["quorum"] - 1)):
            wait = self._random.choice([0.0, 0.0, 5.0, 5.0, 600.0, 600.0, 40_000.0, 86_400.0])
            self._sends.after(wait, lambda: self._while_there(event))

    def recover(self, exception_id: str) -> None:
        """An operator puts a stuck case before a person again."""
        self._answers.append({})
        event = {
            "recovery_id": f"{RECOVERS}{len(self._answers)}",
            "exception_id": exception_id,
            "requested_by": "user:operator",
            "reason": f"the release was wrong {CANARY}",
        }
        self._sends.publish(event, ORDER_EXCEPTIONS.name, RecoveryRequested.TYPE)

    def _while_there(self, question: Event) -> None:
        if not self._is_there:
            return
        order = question.get("order_id")
        if order is None or self._random.random() > AT_ONCE:
            self._answer(question)
            return
        for other in list(self._asked.values())[-LATEST:]:
            if other.get("order_id") == order:
                self._agree(other)

    def _raise(self, event: Event) -> None:
        choice = self._random
        self._sends.publish(event, ORDER_EXCEPTIONS.name)
        if choice.random() < 0.5:
            also = {**event, "exception_id": f"{event['exception_id']}-too"}
            self._sends.publish(also, ORDER_EXCEPTIONS.name)  # somebody else noticed it at the same moment
        if choice.random() < 0.1:
            self._sends.spoil(self._one_of(ORDER_EXCEPTIONS, REVIEW_DECISIONS).name, self._one_of(*POISON))
        if choice.random() < 0.1:
            changed = {**event, "reason": "changed our mind"}
            self._sends.after(choice.uniform(0, 900), lambda: self._sends.publish(changed, ORDER_EXCEPTIONS.name))
        if choice.random() < 0.1:
            gone = {"exception_id": event["exception_id"], "requested_by": event["requested_by"]}
            self._sends.after(
                choice.uniform(0, 90_000),
                lambda: self._sends.publish(gone, ORDER_EXCEPTIONS.name, ExceptionWithdrawn.TYPE),
            )

    def _send(self, said: Event) -> None:
        """An answer, and now and then one that was sent before."""
        self._answers.append(said)
        self._sends.publish(said, REVIEW_DECISIONS.name)
        if self._random.random() < 0.1:
            again = self._random.choice([one for one in self._answers[-20:] if one])
            self._sends.publish(again, REVIEW_DECISIONS.name)

    def _next_id(self) -> str:
        return f"D-{len(self._answers)}"

    def _one_of(self, *choices: Any) -> Any:
        return self._random.choice(choices)
