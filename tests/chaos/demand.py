"""What customers and agents ask of the house: exceptions of every kind, made up by a seed."""

from collections.abc import Sequence
from random import Random
from typing import Any

from tests.builders import Event
from tests.chaos.shop import CANARIES, POPULAR, Paid
from tests.chaos.staff import REQUESTER
from tests.fuzz.scenes import ACTIONS, ALTERNATIVES

KINDS = {"refund": 50, "price_adjustment": 12, "cancellation": 10, "account_change": 8, "action_request": 20}

REQUESTERS = ("agent:web-chat", "agent:mailer", "agent:web-chat", REQUESTER, REQUESTER, "user:maria")
"""Some of them could sign for others."""

_AMOUNTS = {
    "USD": (500, 4_500, 9_000, 9_999, 10_000, 10_001, 15_000, 25_000, 49_999, 50_000, 50_001, 80_000),
    "EUR": (500, 4_000, 20_000, 70_000),
    "JPY": (1_000, 12_000, 40_000, 120_000),
}
"""On both sides of every limit. The smallest is above the ceiling of whoever may sign for next to nothing."""

_IN_TIME = 0.06


AMPLE_MINOR = 100_000
"""Of an order that has enough for all that are asked for in a rush."""


class Demand:
    """`next` is the next exception: `EXC-<seed>-<n>`, about an order that the shop knows."""

    def __init__(self, dice: Random, seed: int | str, orders: dict[str, Paid]) -> None:
        self._dice, self._seed, self._orders = dice, seed, orders
        self._names = tuple(orders)
        self._number = 0

    def next(self) -> Event:
        dice = self._dice
        kind = dice.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        event = self._event(kind)
        if dice.random() < 2 * _IN_TIME:
            event["reason_code"] = dice.choice(["hurry", "trial"])
        if kind == "action_request":
            return {**event, "actions": self._actions()}
        return {**event, **self._about_an_order(kind)}

    def rush(self, count: int) -> list[Event]:
        """Small refunds of one order that nobody has to sign: raised at one moment, they compete for what is left."""
        ample = [
            name
            for name in self._names[POPULAR:]
            if self._orders[name].currency == "USD" and self._orders[name].captured_minor >= AMPLE_MINOR
        ]
        order_id, amount = self._dice.choice(ample), {"amount_minor": _AMOUNTS["USD"][0], "currency": "USD"}
        about = {"order_id": order_id, "customer_id": "CUST-1", "amount": amount}
        return [{**self._event("refund"), **about} for _ in range(count)]

    def _event(self, kind: str) -> Event:
        self._number += 1
        return {
            "exception_id": f"EXC-{self._seed}-{self._number}",
            "kind": kind,
            "requested_by": self._dice.choice(REQUESTERS),
            "reason": f"it was not as {self._customer()} expected",
        }

    def _about_an_order(self, kind: str) -> Event:
        dice = self._dice
        order_id = self._names[dice.randrange(POPULAR) if dice.random() < 0.12 else self._fresh()]
        paid = self._orders[order_id]
        about: Event = {"order_id": order_id, "customer_id": f"CUST-{dice.randrange(400)}"}
        if kind in ("refund", "price_adjustment"):
            about["amount"] = {"amount_minor": self._amount(paid), "currency": paid.currency}
        if kind == "account_change":
            about["changes"] = {"email": f"{self._customer()}@example.org"}
        if kind == "refund" and paid.captured_minor >= 20_000 and paid.currency == "USD" and dice.random() < 0.3:
            about["alternatives"] = ALTERNATIVES
        if dice.random() < 0.5:
            captured = {"amount_minor": paid.captured_minor, "currency": paid.currency}
            about["order"] = {"captured": captured, "status": "delivered", "payment_method": "card"}
        if dice.random() < 0.5:
            about["customer"] = {"tier": dice.choice(["standard", "vip"]), "name": f"Ada {self._customer()}"}
        return about

    def _actions(self) -> list[Event]:
        dice = self._dice
        if dice.random() < 0.25:
            return [_action("tag_order", f"{self._customer()}")]
        if dice.random() < 0.5:
            return [dict(action) for action in ACTIONS]
        names: Sequence[str] = dice.sample(["send_email", "add_note", "tag_order"], dice.randint(1, 3))
        return [_action(name, f"{self._customer()}@example.org") for name in names]

    def _amount(self, paid: Paid) -> int:
        return self._dice.choice([each for each in _AMOUNTS[paid.currency] if each <= paid.captured_minor])

    def _fresh(self) -> int:
        """Another order than the popular ones, and the longest unused."""
        return POPULAR + self._number % (len(self._names) - POPULAR)

    def _customer(self) -> str:
        return self._dice.choice(CANARIES)


def _action(name: str, to: str) -> dict[str, Any]:
    return {"name": name, "args": {"to": to}}
