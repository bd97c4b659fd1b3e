"""The house of the chaos runs: its orders, its policy in words of its own, and the truth that the checker is given."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg

from schemas.values import Money, Order
from tests.builders import Event
from tests.chaos.staff import REVIEWERS_FILE, Staff
from tests.fuzz.material import CANARY
from worker.adapters.orders.tables import OrderTables
from worker.adapters.policy.loading import load_policy
from worker.adapters.postgres.pool import make_pool
from worker.adapters.postgres.reviewer_register import replace_register
from worker.adapters.reviewers.register_file import load_register

POLICY_FILE = Path(__file__).with_name("policy.yaml")
EXECUTORS_FILE = Path(__file__).with_name("executors.yaml")

POPULAR = 12
"""The first orders: many exceptions are about them, and ask for more together than was paid."""

LEVELS: dict[str, dict[str, Any]] = {
    "manager": {"role": "manager", "quorum": 1, "escalates_to": "director"},
    "director": {"role": "director", "quorum": 1, "escalates_to": None},
    "board": {"role": "board", "quorum": 2, "escalates_to": None},
    "desk": {"role": "desk", "quorum": 1, "escalates_to": "lead"},
    "lead": {"role": "lead", "quorum": 1, "escalates_to": None},
    "duty": {"role": "duty", "quorum": 1, "escalates_to": None},
}
"""In the order in which they sign. Where a level is escalated, the level above it signs in its place."""

WITHOUT_SIGNATURE = frozenset({"tag_order"})
"""Actions that anybody's agent may have done."""

EFFECTS_FAIL = 0.08
"""Share of calls of executors that fail before their effect, and as many after it, until they are healed."""

_IN_USD = {"USD": Fraction(1, 100), "EUR": Fraction(108, 10_000), "JPY": Fraction(65, 10_000)}
"""What one minor unit is worth."""

_CAPTURED = (
    (120_000, "USD"),
    (4_500, "USD"),
    (60_000, "USD"),
    (9_900, "USD"),
    (25_000, "USD"),
    (100_000, "EUR"),
    (120_000, "USD"),
    (150_000, "JPY"),
)
"""Amounts in minor units, in turn."""

CANARIES = (CANARY, *(f"kanari-{number}-q7x" for number in range(20)))
"""Each stands in something that a customer said or is called, and must turn up in no log and no reason."""


@dataclass(frozen=True, slots=True)
class Paid:
    captured_minor: int
    currency: str


class Shop:
    """`policy_file`, `executors_file` and `environment` are for workers; `furnish` fills a database that was migrated.

    `coming` are exceptions that somebody has heard of before they are raised: people answer those early.
    """

    policy_file = POLICY_FILE
    reviewers_file = REVIEWERS_FILE
    executors_file = EXECUTORS_FILE

    def __init__(self, folder: Path, *, orders: int = 2_000) -> None:
        self.orders = dict(_orders(orders))
        self.staff = Staff()
        self.coming: deque[Event] = deque()
        self._effects = folder / "effects.jsonl"
        self._faults = folder / "effect-faults.json"

    @property
    def environment(self) -> dict[str, str]:
        return {"CHAOS_EFFECTS": str(self._effects), "CHAOS_EFFECT_FAULTS": str(self._faults)}

    async def furnish(self, database_url: str) -> None:
        """The reviewers' register and the table of orders; and from now on executors fail now and then."""
        self.effects_fail(before=EFFECTS_FAIL, after=EFFECTS_FAIL)
        register = load_register(self.reviewers_file, load_policy(self.policy_file))
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await replace_register(connection, register.people)
        async with make_pool(database_url, size=1) as pool:
            known = {
                name: Order(captured=Money(amount_minor=paid.captured_minor, currency=paid.currency))
                for name, paid in self.orders.items()
            }
            await OrderTables(pool).store(known, {})

    def effects_fail(self, before: float, after: float) -> None:
        """From now on executors fail with these probabilities, before their effect and after it."""
        self._faults.write_text(json.dumps({"before": before, "after": after}), encoding="utf-8")

    def effects_heal(self) -> None:
        with suppress(FileNotFoundError):
            self._faults.unlink()

    def write_truth(self, folder: Path) -> None:
        self._effects.touch()
        _write(folder / "orders.json", {name: asdict(paid) for name, paid in self.orders.items()})
        _write(folder / "reviewers.json", self.staff.truth())
        _write(folder / "canaries.json", list(CANARIES))
        _write(folder / "levels.json", LEVELS)


def needs_of(event: Event, orders: dict[str, Paid]) -> list[str]:
    """The levels that this house demands for an exception, in the order in which they sign; [] is automatic.

    A case may need more: a manager looks where more is asked for than is left of the order, and after a payment that
    was declined.
    """
    asked = set()
    kind = event["kind"]
    if kind in ("refund", "cancellation"):
        worth = _worth(event, orders)
        if worth > 100:
            asked.add("manager")
        if worth > 500:
            asked.add("director")
    elif kind == "price_adjustment":
        asked.add("board")
    elif kind == "account_change":
        asked.add("director")
    elif any(action["name"] not in WITHOUT_SIGNATURE for action in event.get("actions", ())):
        asked.add("manager")
    in_time = {"hurry": "desk", "trial": "duty"}.get(event.get("reason_code", ""))
    if in_time:
        asked.add(in_time)
    return [level for level in LEVELS if level in asked]


def quorum_of(needs: list[str]) -> dict[str, int]:
    return {level: LEVELS[level]["quorum"] for level in needs}


def _worth(event: Event, orders: dict[str, Paid]) -> Fraction:
    """In dollars. A cancellation gives back all that was paid."""
    if event["kind"] == "cancellation":
        paid = orders[event["order_id"]]
        return paid.captured_minor * _IN_USD[paid.currency]
    amount = event["amount"]
    return int(amount["amount_minor"]) * _IN_USD[str(amount["currency"])]


def _orders(count: int) -> Iterator[tuple[str, Paid]]:
    for number in range(count):
        yield f"ORD-{number:05}", Paid(30_000, "USD") if number < POPULAR else Paid(*_CAPTURED[number % len(_CAPTURED)])


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
