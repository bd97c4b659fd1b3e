"""The shop's customers and agents: they raise exceptions, twice, in contradiction to themselves, and take them back."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Any, Self

from producer_scripts.envelopes import Mode, outgoing
from schemas.catalogue import ORDER_EXCEPTIONS
from schemas.events import ExceptionRaised, ExceptionWithdrawn
from tests.builders import Event
from tests.chaos.demand import Demand
from tests.chaos.history import History
from tests.chaos.mail import Letter, Post
from tests.chaos.poison import poison
from tests.chaos.shop import Shop, needs_of, quorum_of

AT_A_TIME = 16

HEARD_OF_BEFORE = 0.08
DUPLICATED = 0.12
CONTRADICTED = 0.06
TAKEN_BACK = 0.05
POISONED = 0.15

RUSHES, RUSH = 0.02, 12
"""How often so many ask for something of one order at one moment, each record under a key of its own."""

WAIT_FOR_THE_EARLY_S = 0.3
"""For those who answer what was not asked yet."""

LONGEST_WAIT_S = 4.0
"""Until something is sent again, contradicted, or taken back."""


class Traffic:
    """`raise_some` returns when all of it is sent, whatever the broker goes through meanwhile.

    `raised` are the exceptions as they were first sent; a rush may make them more than were called for, and less is
    raised after it. `history` is told of each attempt at each record.
    """

    def __init__(
        self, dice: Random, kafka: str, prefix: str, history: History, shop: Shop, *, seed: int | str = 0
    ) -> None:
        self._dice, self._shop = dice, shop
        self._post = Post(kafka, prefix, history)
        self._demand = Demand(dice, seed, shop.orders)
        self._busy = asyncio.Semaphore(AT_A_TIME)
        self._poisoned = 0
        self._due = 0
        self._later: set[asyncio.Task[None]] = set()
        self._is_closing = asyncio.Event()
        self.raised: list[Event] = []

    async def open(self) -> None:
        await self._post.__aenter__()

    async def close(self) -> None:
        """Sends at once what was to come later."""
        self._is_closing.set()
        await asyncio.gather(*self._later)
        await self._post.__aexit__(None, None, None)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def raise_some(self, count: int) -> None:
        """What belongs to these cases but comes later is sent while the next ones are raised."""
        async with asyncio.TaskGroup() as group:
            for event, key in self._some(count):
                self.raised.append(event)
                group.create_task(self._raise(event, key))
                if self._dice.random() < POISONED:
                    self._poisoned += 1
                    group.create_task(self._send(poison(self._dice, self._poisoned), None, "poison"))

    async def settle(self) -> None:
        """Returns when nothing is to come later any more."""
        while self._later:
            await asyncio.gather(*self._later)

    def _some(self, count: int) -> Iterator[tuple[Event, str]]:
        """So many exceptions, on the whole, and the keys of their records."""
        self._due += count
        while self._due > 0:
            if self._dice.random() < RUSHES:
                some = [(event, event["exception_id"]) for event in self._demand.rush(RUSH)]
            else:
                event = self._demand.next()
                some = [(event, _key_of(event))]
            self._due -= len(some)
            yield from some

    async def _raise(self, event: Event, key: str) -> None:
        dice = self._dice
        if dice.random() < HEARD_OF_BEFORE:
            self._shop.coming.append(event)
            await asyncio.sleep(dice.uniform(0, WAIT_FOR_THE_EARLY_S))
        letter = self._letter(event, ExceptionRaised.TYPE, key)
        await self._send(letter, event, "raised")
        if dice.random() < DUPLICATED:
            again = [letter, self._letter(event, ExceptionRaised.TYPE), self._under_another_key(letter)]
            self._send_later(dice.choice(again), event, "duplicate")
        if dice.random() < CONTRADICTED:
            other = self._contradiction(event)
            self._send_later(self._letter(other, ExceptionRaised.TYPE), other, "conflict")
        if dice.random() < TAKEN_BACK:
            back = {
                "exception_id": event["exception_id"],
                "requested_by": event["requested_by"],
                "reason": "never mind",
            }
            self._send_later(self._letter(back, ExceptionWithdrawn.TYPE, _key_of(event)), event, "withdrawn")

    def _contradiction(self, event: Event) -> Event:
        """The same id with other content, which would be valid alone."""
        other = {**event, "reason": f"{event['reason']}, or was it?"}
        if "amount" in event and self._dice.random() < 0.5:
            lower = {**event["amount"], "amount_minor": event["amount"]["amount_minor"] - 1}
            return {**other, "amount": lower}
        return other

    def _letter(self, event: Event, type_: str, key: str | None = None) -> Letter:
        """A withdrawal can only be told by its type."""
        modes = [Mode.BINARY, Mode.STRUCTURED] + [Mode.PLAIN] * (type_ == ExceptionRaised.TYPE)
        record = outgoing(type_, event, key=key or _key_of(event), mode=self._dice.choice(modes))
        assert record.key is not None
        return Letter(ORDER_EXCEPTIONS.name, record.key, record.value, record.headers)

    def _under_another_key(self, letter: Letter) -> Letter:
        """Perhaps it comes to lie in another partition, and is read before the first."""
        return Letter(letter.topic, f"{letter.key}-{self._dice.randrange(100)}", letter.value, letter.headers)

    def _send_later(self, letter: Letter, event: Event, class_: str) -> None:
        wait = self._dice.choice([0.0, self._dice.uniform(0, LONGEST_WAIT_S)])
        sending = asyncio.create_task(self._after(wait, letter, event, class_))
        self._later.add(sending)
        sending.add_done_callback(self._later.discard)

    async def _after(self, wait: float, letter: Letter, event: Event, class_: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._is_closing.wait()
        await self._send(letter, event, class_)

    async def _send(self, letter: Letter, event: Event | None, class_: str) -> None:
        async with self._busy:
            await self._post.send(letter, {"class": class_, **(self._told(event) if event else _NOTHING)})

    def _told(self, event: Event) -> dict[str, Any]:
        needs = needs_of(event, self._shop.orders)
        amount = self._amount(event)
        return {
            "exception_id": event["exception_id"],
            "kind": event["kind"],
            "order_id": event.get("order_id"),
            "amount_minor": amount and amount["amount_minor"],
            "currency": amount and amount["currency"],
            "requested_by": event["requested_by"],
            "needs": needs,
            "quorum": quorum_of(needs),
        }

    def _amount(self, event: Event) -> dict[str, Any] | None:
        """What would be given back: of a cancellation all that was paid."""
        if event["kind"] == "cancellation":
            paid = self._shop.orders[event["order_id"]]
            return {"amount_minor": paid.captured_minor, "currency": paid.currency}
        return event.get("amount")


_NOTHING: dict[str, Any] = {
    "exception_id": None,
    "kind": None,
    "order_id": None,
    "amount_minor": None,
    "currency": None,
    "requested_by": None,
    "needs": None,
    "quorum": None,
}


def _key_of(event: Event) -> str:
    return str(event.get("order_id") or event["exception_id"])
