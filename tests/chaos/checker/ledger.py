"""What the payment service did by its own books, and what executors did by theirs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.chaos.checker.folder import Row
from tests.chaos.checker.tables import Action, Money

HIDES_THE_ANSWER = frozenset(
    {
        "timeout",
        "timeout-after",
        "error",
        "error-after",
        "remembered-error",
        "reset",
        "reset-after",
        "garbage",
        "wrong-amount",
        "slow",
    }
)
"""The faults after which whoever asked cannot know whether the money moved."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved. `settled_as` is what the service said of it last: only `failed` takes it back."""

    key: str
    at: float
    order_id: str
    case_id: str
    money: Money
    method: str
    reference: str | None
    settled_as: str

    @property
    def took_effect(self) -> bool:
        return self.settled_as != "failed"

    @property
    def where(self) -> dict[str, Any]:
        return {"case": self.case_id, "order": self.order_id, "idempotency_key": self.key}


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that an executor really did. Its key is that of the intent with the action's id behind it."""

    key: str
    at: float
    case_id: str
    action: Action

    @property
    def where(self) -> dict[str, Any]:
        return {"case": self.case_id, "idempotency_key": self.key}


class Books:
    """All movements, failed ones too, and how often the answer to a request was hidden."""

    def __init__(self, rows: Iterable[Row]) -> None:
        moved: list[Row] = []
        settled: dict[str, str] = {}
        self.asked = self.ambiguous = 0
        self.hasty: list[str] = []
        """Keys that were tried again without a look whether the first try had paid, once for each such try. The first
        try needs none; and a worker that stalls before it may come late with it, after another one has looked."""
        tried: Counter[str] = Counter()
        for row in rows:
            if row["event"] == "moved":
                moved.append(row)
            elif row["event"] == "settled":
                settled[row["idempotency_key"]] = row["status"]
            elif row["event"] == "looked-up":
                tried[row["idempotency_key"]] -= 1
            elif row["event"] == "asked":
                key = row["idempotency_key"]
                tried[key] += 1
                if tried[key] > 1:
                    self.hasty.append(key)
                self.asked += 1
                self.ambiguous += row.get("fault") in HIDES_THE_ANSWER
        self.movements = [_movement(row, settled) for row in moved]


def _movement(row: Row, settled: dict[str, str]) -> Movement:
    return Movement(
        key=row["idempotency_key"],
        at=row["at"],
        order_id=row["order_id"],
        case_id=row["case_id"],
        money=Money(row["amount"], row["currency"]),
        method=row["method"],
        reference=row.get("reference", row.get("payment_reference")),
        settled_as=settled.get(row["idempotency_key"]) or row["status"],
    )


def effects_of(rows: Iterable[Row]) -> list[Effect]:
    return [Effect(row["idempotency_key"], row["at"], row["case_id"], Action(row["name"], row["args"])) for row in rows]


def round_of(key: str) -> int | None:
    """Of a key of ours, `signoff:{case}:{round}`, perhaps with an action's id behind it; None for any other."""
    parts = key.split(":", 3)
    return int(parts[2]) if len(parts) >= 3 and parts[0] == "signoff" and parts[2].isdecimal() else None


def action_id_of(key: str) -> str | None:
    parts = key.split(":", 3)
    return parts[3] if len(parts) == 4 else None
