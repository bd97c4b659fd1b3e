"""A payment provider and executors that tell of each thing they did, as they do it."""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from schemas.values import Action
from worker.adapters.memory.executors import MemoryExecutors, Mishap
from worker.adapters.memory.payments import MemoryPayments
from worker.application.ports.executors import OnUnknown, Ran
from worker.application.ports.payments import Payment, PaymentDeclined, PaymentPending
from worker.domain.intent import PaymentIntent


class Provider(MemoryPayments):
    """`settles_later` says of the next payment that it is accepted and not settled yet: `settle` ends that, one way or
    the other. `moved` is called when money has moved."""

    def __init__(self, moved: Callable[[], None], settles_later: Callable[[], bool]) -> None:
        super().__init__()
        self._moved, self._settles_later = moved, settles_later
        self.pending: dict[str, PaymentIntent] = {}
        self.failed: set[str] = set()
        self.unseen: list[str] = []
        """Keys that were tried again by somebody who had not asked what became of the try before."""
        self._looked_up: WeakKeyDictionary[asyncio.Task[Any], set[str]] = WeakKeyDictionary()

    async def pay(self, intent: PaymentIntent) -> Payment:
        key = intent.idempotency_key
        if intent.attempts > 0 and key not in self._seen_now():
            self.unseen.append(key)
        self._tell_what_is_known(key)
        if key not in self.entries and not self.faults and self._settles_later():
            self.pending[key] = intent
            raise PaymentPending("the bank takes its time")
        try:
            return await super().pay(intent)
        except PaymentDeclined:
            # A no is the key's answer as well: whoever comes late with the same key is told so.
            self.failed.add(key)
            raise
        finally:
            self._moved()

    async def look_up(self, intent: PaymentIntent) -> Payment | None:
        if not self.blind:
            self._tell_what_is_known(intent.idempotency_key)
        found = await super().look_up(intent)
        self._seen_now().add(intent.idempotency_key)
        return found

    def _seen_now(self) -> set[str]:
        """What has been looked up by the piece of work that asks now: a lane is one task."""
        task = asyncio.current_task()
        assert task is not None
        return self._looked_up.setdefault(task, set())

    def settle(self, key: str, *, succeeds: bool) -> None:
        intent = self.pending.pop(key, None)
        if intent is not None and succeeds:
            self.entries[key] = intent
            self._moved()
        elif intent is not None:
            self.failed.add(key)

    def _tell_what_is_known(self, key: str) -> None:
        if key in self.pending:
            raise PaymentPending("the bank takes its time")
        if key in self.failed:
            raise PaymentDeclined("the account of the customer is closed")


class Counterpart(MemoryExecutors):
    """`ran` is called with the key of an action that may have taken effect."""

    def __init__(self, names: dict[str, OnUnknown], ran: Callable[[str, Action], None]) -> None:
        super().__init__(names)
        self._ran_one = ran

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        mishap = self.mishaps[0] if self.mishaps else None
        try:
            return await super().run(action, idempotency_key)
        finally:
            if mishap is not Mishap.UNAVAILABLE:
                self._ran_one(idempotency_key, action)
