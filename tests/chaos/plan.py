"""What a seed decides: which faults come, in which order, and what each is like."""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from worker.application import failpoints

WEIGHTS = {
    # The worker dies or stands still.
    "kill": 14,
    "kill-at-failpoint": 34,
    "stop-at-failpoint": 5,
    "stop": 3,
    "terminate-and-kill": 5,
    "terminate": 3,
    # Kafka.
    "broker-kill": 5,
    "broker-restart": 2,
    "broker-freeze": 1,
    "rebalances": 2,
    "offsets-reset": 1,
    # PostgreSQL.
    "database-restart": 10,
    "database-kill": 3,
    "connections-ended": 3,
    "relay-lock-lost": 2,
    "commit-answers-lost": 5,
    "commits-deadlock": 2,
    "commits-not-serializable": 2,
    "disk-full": 2,
    "tables-locked": 4,
    "connections-exhausted": 1,
    # What lies between.
    "wire-cut": 4,
    "wire-silent": 3,
    "wire-slow": 2,
    # The payment service, beside what befalls its calls all the time.
    "payments-down": 3,
    # Clocks of workers.
    "clock-step": 5,
}
"""How often each fault comes, out of the sum of all. Named as in the histories."""

FAILPOINT_COUNTS = (1, 1, 2, 3, 5)
WIRES = ("kafka", "database", "payments")

TABLES = ("inbox", "cases", "audit", "outbox")
"""In the order in which a commit comes to them: at the first two it waits before it has looked at anything, at the
others with all that it has looked at, while other workers look too."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`detail` is what is particular of this kind: the failpoint and its count, the wire, the seconds."""

    number: int
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """One run. Of `kinds`, weighted as above, come `faults` faults, while `cases` exceptions are raised."""

    seed: int
    cases: int = 300
    faults: int = 30
    workers: int = 3
    side_by_side: int = 2
    """How many faults may last at a time."""
    apart: bool = False
    """A fault waits until what the one before it struck has recovered: for how long that takes by itself."""
    payment_faults: float = 0.4
    """Share of calls of the payment service that something befalls."""
    effect_faults: float = 0.1
    """Share of tool calls that something befalls."""
    kinds: tuple[str, ...] = tuple(WEIGHTS)

    def __post_init__(self) -> None:
        if unknown := set(self.kinds) - set(WEIGHTS):
            raise ValueError(f"unknown faults {', '.join(sorted(unknown))}; choose among {', '.join(WEIGHTS)}")

    def schedule(self) -> Iterator[Fault]:
        """The same for the same plan. Failpoints come in turn, so that a long run meets all of them."""
        dice = random.Random(f"faults {self.seed}")  # noqa: S311 - a schedule, not a secret
        deck = _Deck(sorted(failpoints.NAMES), dice)
        weights = [WEIGHTS[kind] for kind in self.kinds]
        for number in range(self.faults):
            kind = dice.choices(self.kinds, weights)[0]
            yield Fault(number, kind, _detail(kind, dice, deck))

    def without_payment_faults(self) -> "Plan":
        return replace(self, payment_faults=0.0)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class _Deck:
    """Cards that all come once before one comes again."""

    def __init__(self, cards: list[str], dice: random.Random) -> None:
        self._cards, self._dice, self._left = cards, dice, list[str]()

    def draw(self) -> str:
        if not self._left:
            self._left = self._dice.sample(self._cards, len(self._cards))
        return self._left.pop()


def _detail(kind: str, dice: random.Random, deck: _Deck) -> dict[str, Any]:
    match kind:
        case "kill-at-failpoint" | "stop-at-failpoint":
            return {"failpoint": deck.draw(), "count": dice.choice(FAILPOINT_COUNTS), "seconds": dice.uniform(3.5, 12)}
        case "stop":
            return {"seconds": dice.choice([4.0, 12.0])}
        case "terminate-and-kill":
            return {"seconds": dice.uniform(0, 0.4)}
        case "wire-cut":
            return {"wire": dice.choice(WIRES)}
        case "wire-silent":
            way = dice.choice(["there", "back", "both"])
            return {"wire": dice.choice(WIRES), "way": way, "seconds": dice.uniform(0.5, 4)}
        case "wire-slow":
            return {"wire": dice.choice(WIRES), "delay": dice.uniform(0.02, 0.3), "seconds": dice.uniform(1, 4)}
        case "tables-locked":
            return {"table": dice.choice(TABLES), "seconds": dice.uniform(0.2, 3)}
        case "clock-step":
            return {"offset": dice.choice([-86_400.0, -3_600.0, -45.0, 45.0, 3_600.0, 86_400.0, 0.0])}
        case "commit-answers-lost" | "commits-deadlock" | "commits-not-serializable" | "disk-full" | "rebalances":
            return {"times": dice.randint(1, 6)}
        case _:
            return {"seconds": dice.uniform(0.2, 3)}
